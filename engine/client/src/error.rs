//! What can go wrong between asking and the answer.

use std::io;
use std::time::Duration;

use engine_api::error::ErrorKind;

/// The result of a call.
pub type Result<T, E = ClientError> = std::result::Result<T, E>;

/// Why a call has no answer, or not the one hoped for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers at the engine's address.
    #[error("no engine answers at {address}")]
    Dial {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The connection broke before the answer was whole.
    #[error("the connection to the engine broke")]
    Connection(#[source] hyper::Error),
    /// The stream broke while it was read or written.
    #[error("the stream from the engine broke")]
    Stream(#[source] io::Error),
    /// The engine took too long.
    #[error("the engine did not answer within {0:?}")]
    Timeout(Duration),
    /// The engine answered no; the message is its own and meant for people.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the engine says.
        message: String,
        /// In how many seconds it may be tried again, where the engine says so.
        retry_after_s: Option<u64>,
    },
    /// The answer is not what this operation's answer looks like.
    #[error("the engine's answer to {operation} cannot be read: {reason}")]
    Answer {
        /// The operation's name.
        operation: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The request cannot be written down.
    #[error("the request for {operation} cannot be written: {reason}")]
    Request {
        /// The operation's name.
        operation: &'static str,
        /// Why.
        reason: String,
    },
}

impl ClientError {
    /// Returns what the engine's refusal means; `None` when it was not the engine that failed.
    pub fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Refused { status, .. } => Some(ErrorKind::from_status(*status)),
            _ => None,
        }
    }

    /// Tells whether the engine could not be reached at all.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::Dial { .. } | Self::Timeout(_) | Self::Connection(_)
        )
    }
}
