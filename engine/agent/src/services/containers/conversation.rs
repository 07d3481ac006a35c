//! The conversation with the monitor of a container that runs.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};

use engine_runtime::{Control, Event, Request};
use tokio::io::unix::AsyncFd;

use super::command::{Reply, answer};
use crate::services::error::{Result, ServiceError};
use crate::tasks::{Watched, watched};

/// Requests to a monitor, and whom their answers are for.
pub(super) struct Conversation {
    control: AsyncFd<Watched<Control>>,
    /// Who waits for the answer to which request.
    answers: BTreeMap<u64, Reply<()>>,
}

impl Conversation {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the monitor's socket cannot be watched.
    pub(super) fn new(control: Control) -> Result<Self> {
        let control =
            watched(control).map_err(ServiceError::failed("watch the monitor's socket"))?;
        Ok(Self {
            control,
            answers: BTreeMap::new(),
        })
    }

    /// Waits for the monitor's next word. Cancel-safe.
    ///
    /// # Errors
    /// When the monitor is gone.
    pub(super) async fn hear(&self) -> Result<Event, engine_runtime::Error> {
        loop {
            let Ok(mut ready) = self.control.readable().await else {
                return Err(engine_runtime::Error::Closed);
            };
            if let Some(event) = self.control.get_ref().receive()? {
                return Ok(event);
            }
            ready.clear_ready();
        }
    }

    /// Sends a request, with a socket if it needs one; returns its number.
    ///
    /// # Errors
    /// When the monitor does not take it.
    pub(super) fn send(&self, request: Request, socket: Option<&OwnedFd>) -> Result<u64> {
        let sockets: Vec<_> = socket.iter().map(|fd| fd.as_fd()).collect();
        let control = self.control.get_ref();
        control
            .send(request, &sockets)
            .map_err(ServiceError::failed("ask the monitor"))
    }

    /// Sends a request whose only answer is whether it was carried out.
    pub(super) fn ask(&mut self, request: Request, socket: Option<&OwnedFd>, reply: Reply<()>) {
        match self.send(request, socket) {
            Ok(seq) => {
                self.answers.insert(seq, reply);
            }
            Err(error) => answer(reply, Err(error)),
        }
    }

    /// Hands the monitor's answer to whoever asked.
    ///
    /// A start's own requests have nobody who waits; an exec's answer goes to its owner.
    pub(super) fn answered(&mut self, seq: u64, result: Result<()>) {
        match (self.answers.remove(&seq), result) {
            (Some(reply), result) => answer(reply, result),
            (None, Err(error)) => tracing::debug!(%error, "the monitor refused a request"),
            (None, Ok(())) => {}
        }
    }
}
