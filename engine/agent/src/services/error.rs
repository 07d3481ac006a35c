//! What a refusal or a failure of a service means.

use engine_api::error::ErrorKind;
use rustix::io::Errno;

/// The result of a service.
pub(crate) type Result<T, E = ServiceError> = std::result::Result<T, E>;

/// Why a service did not do what was asked. Common texts are Docker's: scripts look for them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceError {
    #[error("No such container: {0}")]
    NoSuchContainer(String),
    #[error("No such exec instance: {0}")]
    NoSuchExec(String),
    #[error("No such image: {0}")]
    NoSuchImage(String),
    #[error("network {0} not found")]
    NoSuchNetwork(String),
    #[error("multiple IDs found with provided prefix: {0}")]
    AmbiguousId(String),
    #[error(
        "Conflict. The container name \"/{name}\" is already in use by container \"{id}\". \
         You have to remove (or rename) that container to be able to reuse that name."
    )]
    NameInUse { name: String, id: String },
    /// It is so already.
    #[error("not modified")]
    NotModified,
    /// The request cannot be carried out as it is.
    #[error("{0}")]
    BadRequest(String),
    /// The guard of this host says no.
    #[error("{0}")]
    Forbidden(String),
    /// Something of that name is not there.
    #[error("{0}")]
    NotFound(String),
    /// The state of the thing forbids it.
    #[error("{0}")]
    Conflict(String),
    /// It is not as it was when it was seen.
    #[error("{0}")]
    Changed(String),
    /// Credentials were refused.
    #[error("{0}")]
    Unauthorized(String),
    /// A registry limits how often it is asked.
    #[error("{message}")]
    RateLimited {
        message: String,
        /// In how many seconds it will serve again, as it says.
        after_s: Option<u64>,
    },
    /// It is known and not offered.
    #[error("{0}")]
    NotImplemented(String),
    /// It cannot be done now.
    #[error("{0}")]
    Unavailable(String),
    /// A step failed; someone must look at why.
    #[error("failed to {step}")]
    Failed {
        step: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ServiceError {
    /// Returns a closure for `map_err` that names the step which failed.
    pub(crate) fn failed<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        step: impl Into<String>,
    ) -> impl FnOnce(E) -> Self {
        let step = step.into();
        move |source| Self::Failed {
            step,
            source: source.into(),
        }
    }

    /// Returns what it means, apart from its words.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSuchContainer(_)
            | Self::NoSuchExec(_)
            | Self::NoSuchImage(_)
            | Self::NoSuchNetwork(_)
            | Self::NotFound(_) => ErrorKind::NotFound,
            Self::NameInUse { .. } | Self::Conflict(_) => ErrorKind::Conflict,
            Self::Changed(_) => ErrorKind::Changed,
            Self::NotModified => ErrorKind::NotModified,
            Self::AmbiguousId(_) | Self::BadRequest(_) => ErrorKind::BadRequest,
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::Unauthorized(_) => ErrorKind::Unauthorized,
            Self::RateLimited { .. } => ErrorKind::RateLimited,
            Self::NotImplemented(_) => ErrorKind::NotImplemented,
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Failed { .. } => ErrorKind::Internal,
        }
    }
}

impl From<engine_api::filter::FilterError> for ServiceError {
    fn from(error: engine_api::filter::FilterError) -> Self {
        Self::BadRequest(error.to_string())
    }
}

impl From<engine_api::options::Unsupported> for ServiceError {
    fn from(error: engine_api::options::Unsupported) -> Self {
        Self::BadRequest(error.to_string())
    }
}

/// Prints an error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    engine_runtime::chain(error)
}

/// Tells whether a full disk, or a quota, is behind an error.
pub(crate) fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        let errno = io.map_or_else(
            || error.downcast_ref::<Errno>().copied(),
            Errno::from_io_error,
        );
        if matches!(errno, Some(Errno::NOSPC | Errno::DQUOT)) {
            return true;
        }
        cause = error.source();
    }
    false
}
