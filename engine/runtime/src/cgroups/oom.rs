//! Telling when the kernel killed something in the group for want of memory, and how much it held.

use std::os::fd::{AsFd, BorrowedFd};

use engine_sys::cgroup::{self, Notifier};

use super::{
    Cgroup,
    error::{CgroupError, Result},
};
use crate::layout::{Controller, Version};

/// Becomes readable when the group may have met its memory limit.
///
/// It also does so when the group is removed; [`Cgroup::oom_kills`] is the fact, this the nudge.
#[derive(Debug)]
pub struct OomWatch(Notifier);

impl OomWatch {
    /// Takes what has been notified, so that the descriptor waits for the next one.
    pub fn drain(&self) {
        self.0.drain();
    }
}

impl AsFd for OomWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Cgroup {
    /// Counts the processes of the group that were killed for want of memory since it was made.
    ///
    /// # Errors
    /// The kernel's answer; zero where there is no memory controller.
    pub fn oom_kills(&self) -> Result<u64> {
        let Some(dir) = self.controller_dir(Controller::Memory) else {
            return Ok(0);
        };
        let text = match cgroup::read(&dir.join(self.oom_file())) {
            Ok(text) => text,
            Err(error) if error.is_not_found() => return Ok(0),
            Err(source) => {
                return Err(CgroupError::Read {
                    group: self.path().to_owned(),
                    what: "out-of-memory kills",
                    source,
                });
            }
        };
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        Ok(count.and_then(|count| count.parse().ok()).unwrap_or(0))
    }

    /// Returns the most memory that the group has held at once; `None` where nobody counts it.
    ///
    /// # Errors
    /// The kernel's answer.
    pub fn memory_peak(&self) -> Result<Option<u64>> {
        let Some(dir) = self.controller_dir(Controller::Memory) else {
            return Ok(None);
        };
        let file = match self.version() {
            Version::V2 => "memory.peak",
            Version::V1 | Version::Hybrid => "memory.max_usage_in_bytes",
        };
        match cgroup::read(&dir.join(file)) {
            Ok(text) => Ok(text.trim().parse().ok()),
            // Linux before 5.19 does not count it in version 2.
            Err(error) if error.is_not_found() => Ok(None),
            Err(source) => Err(CgroupError::Read {
                group: self.path().to_owned(),
                what: "the memory peak",
                source,
            }),
        }
    }

    /// Watches for kills for want of memory; `None` where there is no memory controller.
    ///
    /// # Errors
    /// The kernel's answer.
    pub fn watch_oom(&self) -> Result<Option<OomWatch>> {
        let Some(dir) = self.controller_dir(Controller::Memory) else {
            return Ok(None);
        };
        let watch = match self.version() {
            Version::V2 => cgroup::watch_file(&dir.join(self.oom_file())),
            Version::V1 | Version::Hybrid => cgroup::watch_oom(dir),
        };
        match watch {
            Ok(notifier) => Ok(Some(OomWatch(notifier))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(source) => Err(CgroupError::Change {
                group: self.path().to_owned(),
                action: "watch the memory of",
                source,
            }),
        }
    }

    fn oom_file(&self) -> &'static str {
        match self.version() {
            Version::V2 => "memory.events",
            Version::V1 | Version::Hybrid => "memory.oom_control",
        }
    }
}
