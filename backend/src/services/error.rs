//! What a service's failure means.

use engine_api::error::ErrorKind;

use crate::access::Refused;
use crate::access::password::HashError;
use crate::access::session::SessionError;
use crate::domain::{FieldError, Rule};
use crate::fleet::ClientError;
use crate::fleet::doctor::Diagnosis;
use crate::store::StoreError;

/// The result of a service.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a service did not do what was asked, by what it means to the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The thing is not there, or not for this person; the two look the same.
    #[error("there is no such {kind}")]
    NotFound {
        /// The kind of thing.
        kind: &'static str,
    },
    /// The thing's state, or another thing, stands in the way; the engine's words.
    #[error("{message}")]
    Conflict {
        /// What the engine said.
        message: String,
    },
    /// A field cannot be taken.
    #[error("the field {field} cannot be taken", field = .0.field)]
    Invalid(FieldError),
    /// The actor may not.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The engine refused what was asked, in its words.
    #[error("{message}")]
    Engine {
        /// What the engine said.
        message: String,
    },
    /// The engine cannot be reached.
    #[error("{0}")]
    Unavailable(Diagnosis),
    /// The change could not be recorded, so it was not made.
    #[error("nothing was changed, because the audit entry could not be written")]
    Audit(#[source] StoreError),
    /// The server itself failed.
    #[error("the server failed")]
    Internal(#[source] anyhow::Error),
}

impl Error {
    /// Names a field and the rule it breaks.
    pub const fn field(field: &'static str, rule: Rule) -> Self {
        Self::Invalid(FieldError::new(field, rule))
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self::Invalid(error)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<HashError> for Error {
    fn from(error: HashError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        if error.is_unreachable() {
            return Self::Unavailable(Diagnosis::of(&error));
        }
        let message = crate::errors::chain(&error);
        match error.kind() {
            Some(ErrorKind::NotFound) => Self::NotFound { kind: "thing" },
            Some(ErrorKind::Conflict) => Self::Conflict { message },
            _ => Self::Engine { message },
        }
    }
}
