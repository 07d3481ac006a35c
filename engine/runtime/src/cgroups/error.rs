//! What can fail in a control group.

use engine_sys::SysError;

/// A failed step on a control group.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CgroupError {
    /// The path is absolute, empty or climbs.
    #[error("{0:?} is no path of a control group")]
    BadPath(String),
    #[error("failed to create control group {group}")]
    Create {
        group: String,
        #[source]
        source: SysError,
    },
    #[error("failed to move process {pid} into control group {group}")]
    Join {
        group: String,
        pid: i32,
        #[source]
        source: SysError,
    },
    /// The kernel refused a limit, for example a memory limit below what is in use.
    #[error("failed to set {setting} to {value} on control group {group}")]
    Apply {
        group: String,
        setting: &'static str,
        value: String,
        #[source]
        source: SysError,
    },
    /// The limit needs a controller that this machine does not have.
    #[error("{setting} needs the {controller} controller, which this machine does not have")]
    NoController {
        setting: &'static str,
        controller: &'static str,
    },
    #[error("failed to read {what} of control group {group}")]
    Read {
        group: String,
        what: &'static str,
        #[source]
        source: SysError,
    },
    #[error("failed to {action} control group {group}")]
    Change {
        group: String,
        action: &'static str,
        #[source]
        source: SysError,
    },
    #[error("control group {group} did not {what} in time")]
    TimedOut { group: String, what: &'static str },
}

/// The result of this room's functions.
pub(super) type Result<T> = std::result::Result<T, CgroupError>;
