//! One container's directories: who writes which file.
//!
//! ```text
//! <data>/containers/<id>/      survives a reboot
//!     spec.json                the agent, before each start
//!     exit.json                the monitor, at the end of each run
//!     log/                     the monitor
//!     upper/ work/             the container, through its overlay
//! <run>/containers/<id>/       lost at a reboot; made and removed by the monitor; the overlay's
//!                              mount point inside the container's mount namespace
//!     monitor.sock             the monitor; the engine connects again here
//! ```

use std::fs;
use std::path::{Path, PathBuf};

/// The paths of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    data: PathBuf,
    run: PathBuf,
}

impl Bundle {
    /// Names the bundle whose lasting part is `data` and whose passing part is `run`.
    ///
    /// `run` must be short: with `monitor.sock` it has to fit a socket address (107 bytes).
    pub fn new(data: impl Into<PathBuf>, run: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            run: run.into(),
        }
    }

    /// The lasting directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The passing directory.
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// The [`Spec`](crate::Spec), written by the agent.
    pub fn spec(&self) -> PathBuf {
        self.data.join("spec.json")
    }

    /// The [`ExitRecord`](crate::ExitRecord), written by the monitor.
    pub fn exit(&self) -> PathBuf {
        self.data.join("exit.json")
    }

    /// The directory of log files, written by the monitor.
    pub fn log(&self) -> PathBuf {
        self.data.join("log")
    }

    /// The monitor's listening socket.
    pub fn socket(&self) -> PathBuf {
        self.run.join("monitor.sock")
    }

    /// Removes the passing files; what is not there is no matter.
    pub(crate) fn remove_run_files(&self) {
        let _ = fs::remove_file(self.socket());
        let _ = fs::remove_dir(&self.run);
    }
}
