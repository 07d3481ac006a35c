//! The client itself: a way to dial and, perhaps, a caller.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine_api::body;
use engine_api::caller::{self, Caller};
use http::{HeaderValue, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;

use crate::dial::{Dial, UnixSocket};
use crate::error::{ClientError, Result};
use crate::request::{self, Call};
use crate::tasks;

/// How long dialling may take.
const DIAL_DEADLINE: Duration = Duration::from_secs(10);

/// Asks one engine. Cheap to clone; every call dials anew.
#[derive(Clone)]
pub struct EngineClient {
    dial: Arc<dyn Dial>,
    caller: Option<HeaderValue>,
}

impl EngineClient {
    /// Returns a client of the engine that `dial` reaches.
    pub fn new(dial: Arc<dyn Dial>) -> Self {
        Self { dial, caller: None }
    }

    /// Returns a client of the engine behind a socket of this machine.
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::new(Arc::new(UnixSocket(path.into())))
    }

    /// Returns the same client, saying with each call who asks.
    #[must_use]
    pub fn on_behalf_of(&self, caller: &Caller) -> Self {
        let header = serde_json::to_string(caller)
            .ok()
            .and_then(|json| HeaderValue::from_bytes(json.as_bytes()).ok());
        Self {
            dial: Arc::clone(&self.dial),
            caller: header,
        }
    }

    /// Returns the engine's address, for messages.
    pub fn address(&self) -> String {
        self.dial.address()
    }

    /// Sends a call and returns the answer, whose status is a success.
    pub(crate) async fn send(&self, call: Call) -> Result<Response<Incoming>> {
        let deadline = call.deadline;
        match tokio::time::timeout(deadline, self.exchange(call)).await {
            Ok(answer) => answer,
            Err(_) => Err(ClientError::Timeout(deadline)),
        }
    }

    /// Sends a call whose answer is JSON.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        let operation = call.operation.name;
        let deadline = call.deadline;
        let whole = async {
            let answer = self.exchange(call).await?;
            request::read(answer).await
        };
        let bytes = match tokio::time::timeout(deadline, whole).await {
            Ok(bytes) => bytes?,
            Err(_) => return Err(ClientError::Timeout(deadline)),
        };
        body::parse(&bytes).map_err(|e| ClientError::Answer {
            operation,
            reason: e.to_string(),
        })
    }

    /// Sends a call whose answer says no more than that it is done.
    pub(crate) async fn run(&self, call: Call) -> Result<()> {
        match self.send(call).await {
            // 304: it was so already, which is what was wanted.
            Ok(_) | Err(ClientError::Refused { status: 304, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn exchange(&self, call: Call) -> Result<Response<Incoming>> {
        let refused = |source| ClientError::Dial {
            address: self.dial.address(),
            source,
        };
        let stream = tokio::time::timeout(DIAL_DEADLINE, self.dial.dial())
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
            .map_err(refused)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(ClientError::Connection)?;
        tasks::drive(connection);

        let mut request = call.into_request()?;
        if let Some(caller) = &self.caller {
            request.headers_mut().insert(caller::HEADER, caller.clone());
        }
        let answer = sender
            .send_request(request)
            .await
            .map_err(ClientError::Connection)?;
        request::accepted(answer).await
    }
}
