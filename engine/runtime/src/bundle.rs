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
//!
//! The lasting directory carries a lock: whoever mounts the overlay for writing holds it for as long
//! as the mount lives, so that no two ever write through it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

use engine_sys::file::Lock;

use crate::{Error, Result};

/// The lock on a container's files, let go of when it drops.
pub type Held = Lock;

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

    /// Takes the lock on the container's files, once whoever has it lets go.
    ///
    /// Blocks for at most `limit`: the monitor of the life before may still take its mounts apart.
    ///
    /// # Errors
    /// [`Error::Setup`] when somebody has them for longer.
    pub fn hold(&self, limit: Duration) -> Result<Lock> {
        let end = Instant::now() + limit;
        loop {
            let taken = Lock::try_take_dir(&self.data)
                .map_err(Error::sys("take the lock on the container's files"))?;
            match taken {
                Some(lock) => return Ok(lock),
                None if Instant::now() >= end => {
                    let message = format!(
                        "the container's files are still in use by another of its processes after \
                         {} s",
                        limit.as_secs()
                    );
                    return Err(Error::Setup(message));
                }
                None => thread::sleep(Duration::from_micros(500)),
            }
        }
    }

    /// Removes the passing files; what is not there is no matter.
    pub(crate) fn remove_run_files(&self) {
        let _ = fs::remove_file(self.socket());
        let _ = fs::remove_dir(&self.run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_the_files_is_waited_for_and_not_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let bundle = Bundle::new(dir.path(), "/nowhere");
        let held = bundle.hold(Duration::ZERO).unwrap();
        let refused = bundle.hold(Duration::from_millis(2)).unwrap_err();
        assert!(refused.to_string().contains("still in use"), "{refused}");

        let waiting = thread::spawn(move || bundle.hold(Duration::from_secs(30)));
        drop(held);
        waiting.join().unwrap().unwrap();
    }
}
