//! What can fail between the engine and a monitor.

use std::path::PathBuf;

use engine_sys::SysError;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed step, with the thing it was tried on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A kernel call failed while doing something that has a name.
    #[error("failed to {action}")]
    Sys {
        action: String,
        #[source]
        source: SysError,
    },
    /// A file of the bundle could not be read or written.
    #[error("failed to {action} {}", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// A file of the bundle, or a message, is not what it should be.
    #[error("{subject} is damaged")]
    Damaged {
        subject: String,
        #[source]
        source: serde_json::Error,
    },
    /// The monitor could not be started.
    #[error("failed to start the monitor: {0}")]
    Spawn(String),
    /// The monitor, or init inside the container, refused or failed a step.
    #[error("{0}")]
    Setup(String),
    /// A control group could not be changed.
    #[error(transparent)]
    Cgroup(#[from] crate::cgroups::CgroupError),
    /// The monitor speaks a protocol that this engine does not know.
    #[error("the monitor speaks protocol {theirs}, this engine {ours}")]
    Protocol { theirs: u32, ours: u32 },
    /// The monitor has gone.
    #[error("the monitor has closed the connection")]
    Closed,
    /// The monitor did not answer in time.
    #[error("the monitor did not {0} in time")]
    TimedOut(&'static str),
}

impl Error {
    /// Returns a closure for `map_err` that says what was being done.
    pub(crate) fn sys(action: impl Into<String>) -> impl FnOnce(SysError) -> Self {
        let action = action.into();
        move |source| Self::Sys { action, source }
    }
}

/// Prints an error with its causes in one line: `outer: inner: innermost`.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
