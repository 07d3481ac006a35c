//! What an engine says when it cannot do what was asked.

use serde::{Deserialize, Serialize};

/// The body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A sentence for a person; scripts look for words in it, so common ones are Docker's.
    pub message: String,
}

/// What a failure means, apart from its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The state is already what was asked for; not a failure for most callers (304).
    NotModified,
    /// The request is malformed or asks for what cannot be (400).
    BadRequest,
    /// Credentials are wrong (401).
    Unauthorized,
    /// The guard of the host says no (403).
    Forbidden,
    /// The thing is not there (404).
    NotFound,
    /// The thing is in a state that forbids it, or a name is taken (409).
    Conflict,
    /// What was expected to be there is not, or has changed (412).
    Changed,
    /// The body is larger than what is taken (413).
    TooLarge,
    /// Somebody else limits how often it is asked (429).
    RateLimited,
    /// Known and not offered here (501).
    NotImplemented,
    /// Not possible now (503).
    Unavailable,
    /// Everything else (500).
    Internal,
}

impl ErrorKind {
    /// Returns the HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::NotModified => 304,
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Changed => 412,
            Self::TooLarge => 413,
            Self::RateLimited => 429,
            Self::NotImplemented => 501,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }

    /// Returns the meaning of an HTTP status; an unknown one is [`ErrorKind::Internal`].
    pub const fn from_status(status: u16) -> Self {
        match status {
            304 => Self::NotModified,
            400 => Self::BadRequest,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            409 => Self::Conflict,
            412 => Self::Changed,
            413 => Self::TooLarge,
            429 => Self::RateLimited,
            501 => Self::NotImplemented,
            503 => Self::Unavailable,
            _ => Self::Internal,
        }
    }
}
