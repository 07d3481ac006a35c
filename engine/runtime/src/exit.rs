//! How a container ended: told to the engine and kept as `exit.json`.

use serde::{Deserialize, Serialize};

/// The end of a container's first process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// The exit code, or 128 plus the signal's number.
    pub code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether the kernel killed a process of the container for want of memory.
    pub oom_killed: bool,
    /// When the first process began, nanoseconds since 1970.
    pub started_at_unix_ns: u64,
    /// When it ended, nanoseconds since 1970.
    pub finished_at_unix_ns: u64,
    /// Bytes of output that could not be kept (disk full).
    pub log_dropped_bytes: u64,
    /// What went wrong beside the process itself, in a sentence.
    pub error: Option<String>,
    /// The most memory its control group held at once, where the kernel counts it.
    #[serde(default)]
    pub memory_peak_bytes: Option<u64>,
    /// Nobody saw the end: the monitor was gone, and this record stands in for the one it would
    /// have written.
    #[serde(default)]
    pub lost: bool,
}
