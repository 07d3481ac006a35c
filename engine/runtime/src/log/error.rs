//! What can fail with a log.

use std::{io, path::PathBuf};

/// A failed step on a log's file or directory.
#[derive(Debug, thiserror::Error)]
#[error("failed to {action} the log at {}", path.display())]
pub struct LogError {
    action: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// The result of this room's functions.
pub(super) type Result<T> = std::result::Result<T, LogError>;

impl LogError {
    /// Returns a closure for `map_err` that says what was being done.
    pub(super) fn during(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        move |source| Self {
            action,
            path: path.into(),
            source,
        }
    }
}
