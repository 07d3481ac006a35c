//! One request: the operation's line, query and body, and the head of the answer.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use engine_api::error::ErrorBody;
use engine_api::operation::Operation;
use engine_api::version;
use http::{HeaderValue, Response, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::body::Incoming;
use serde::Serialize;

use crate::error::{ClientError, Result};

/// The body of a request: nothing, JSON, or a stream.
pub(crate) type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// Most bytes of one JSON answer that are read; an engine with 10,000 containers stays below.
const ANSWER_MAX_BYTES: usize = 64 << 20;

/// What is asked, as it is put together.
pub(crate) struct Call {
    pub(crate) operation: &'static Operation,
    pub(crate) deadline: Duration,
    pub(crate) body: Body,
    pub(crate) headers: Vec<(&'static str, HeaderValue)>,
    path: String,
    has_query: bool,
}

/// How long an ordinary answer may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

impl Call {
    /// Begins a call; `parameter` fills the braces of the operation's path.
    pub(crate) fn new(operation: &'static Operation, parameter: &str) -> Self {
        let mut path = format!("/v{}", version::NEWEST);
        match operation.path.split_once('{') {
            None => path.push_str(operation.path),
            Some((before, after)) => {
                path.push_str(before);
                encode(&mut path, parameter);
                path.push_str(after.split_once('}').map_or("", |(_, rest)| rest));
            }
        }
        Self {
            operation,
            deadline: DEADLINE,
            body: empty(),
            headers: Vec::new(),
            path,
            has_query: false,
        }
    }

    /// Adds a query value.
    pub(crate) fn query(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        self.path.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        self.path.push_str(key);
        self.path.push('=');
        encode(&mut self.path, &value.to_string());
        self
    }

    /// Adds a query value if there is one.
    pub(crate) fn query_some(self, key: &str, value: Option<impl std::fmt::Display>) -> Self {
        match value {
            Some(value) => self.query(key, value),
            None => self,
        }
    }

    /// Waits longer than usual for the answer.
    pub(crate) fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sends this as the JSON body.
    pub(crate) fn json(mut self, value: &impl Serialize) -> Result<Self> {
        let bytes = serde_json::to_vec(value).map_err(|e| ClientError::Request {
            operation: self.operation.name,
            reason: e.to_string(),
        })?;
        self.body = Full::new(Bytes::from(bytes))
            .map_err(|never| match never {})
            .boxed_unsync();
        self.header(header::CONTENT_TYPE.as_str(), "application/json")
    }

    /// Sends a stream as the body.
    pub(crate) fn stream(mut self, body: Body, content_type: &str) -> Result<Self> {
        self.body = body;
        self.header(header::CONTENT_TYPE.as_str(), content_type)
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Result<Self> {
        let value = HeaderValue::from_str(value).map_err(|e| ClientError::Request {
            operation: self.operation.name,
            reason: e.to_string(),
        })?;
        self.headers.push((name, value));
        Ok(self)
    }

    /// Turns the call into HTTP.
    pub(crate) fn into_request(self) -> Result<http::Request<Body>> {
        let operation = self.operation.name;
        let mut request = http::Request::builder()
            .method(self.operation.method.as_str())
            .uri(self.path)
            .header(header::HOST, "engine");
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        request.body(self.body).map_err(|e| ClientError::Request {
            operation,
            reason: e.to_string(),
        })
    }
}

/// Returns the answer if its status is a success, else what the engine says.
pub(crate) async fn accepted(answer: Response<Incoming>) -> Result<Response<Incoming>> {
    let status = answer.status();
    if status.is_success() || status == http::StatusCode::SWITCHING_PROTOCOLS {
        return Ok(answer);
    }
    let retry_after = answer.headers().get(header::RETRY_AFTER);
    let retry_after_s = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
    let bytes = read(answer).await.unwrap_or_default();
    let message = match serde_json::from_slice::<ErrorBody>(&bytes) {
        Ok(body) => body.message,
        Err(_) => String::from_utf8_lossy(&bytes).trim().to_owned(),
    };
    Err(ClientError::Refused {
        status: status.as_u16(),
        message,
        retry_after_s,
    })
}

/// Reads a whole answer, up to a limit.
pub(crate) async fn read(answer: Response<Incoming>) -> Result<Bytes> {
    match Limited::new(answer.into_body(), ANSWER_MAX_BYTES)
        .collect()
        .await
    {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) => Err(ClientError::Stream(std::io::Error::other(error))),
    }
}

pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Percent-encodes everything but the unreserved characters.
fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use engine_api::operation;

    use super::*;

    #[test]
    fn parameters_and_queries_cannot_leave_their_place() {
        let call = Call::new(&operation::IMAGE_INSPECT, "a/b:c?x=1")
            .query("q", "a&b=c d")
            .query_some("none", None::<u8>);
        let request = call.into_request().unwrap();
        assert_eq!(
            request.uri().to_string(),
            "/v1.51/images/a%2Fb%3Ac%3Fx%3D1/json?q=a%26b%3Dc%20d"
        );
    }
}
