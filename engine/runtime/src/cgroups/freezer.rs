//! Stopping every process of a group where it stands, and letting it go on.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use engine_sys::cgroup;

use super::{
    Cgroup,
    error::{CgroupError, Result},
};
use crate::layout::{Controller, Version};

/// How long a freeze may take: a process inside an uninterruptible call delays it.
const DEADLINE: Duration = Duration::from_secs(5);

impl Cgroup {
    /// Freezes the group and waits until every process in it stands still.
    ///
    /// # Errors
    /// [`CgroupError::TimedOut`] after five seconds; the group has been thawed again.
    pub fn freeze(&self) -> Result<()> {
        let frozen = self
            .switch("freeze", true)
            .and_then(|()| self.wait_frozen());
        if frozen.is_err() {
            // The first failure is the one to report.
            let _ = self.thaw();
        }
        frozen
    }

    /// Lets a frozen group go on; one that is not frozen stays as it is.
    ///
    /// # Errors
    /// The kernel's answer.
    pub fn thaw(&self) -> Result<()> {
        self.switch("thaw", false)
    }

    /// Tells whether the group is frozen or about to be.
    ///
    /// # Errors
    /// The kernel's answer.
    pub fn is_frozen(&self) -> Result<bool> {
        let (dir, legacy) = self.freezer()?;
        if legacy {
            return Ok(self.read_state(dir, "freezer.state")?.trim() != "THAWED");
        }
        Ok(self.read_state(dir, "cgroup.freeze")?.trim() == "1")
    }

    fn switch(&self, action: &'static str, frozen: bool) -> Result<()> {
        let (dir, legacy) = self.freezer()?;
        let (file, value) = match (legacy, frozen) {
            (true, true) => ("freezer.state", "FROZEN"),
            (true, false) => ("freezer.state", "THAWED"),
            (false, true) => ("cgroup.freeze", "1"),
            (false, false) => ("cgroup.freeze", "0"),
        };
        cgroup::write(&dir.join(file), value).map_err(|source| CgroupError::Change {
            group: self.path().to_owned(),
            action,
            source,
        })
    }

    fn wait_frozen(&self) -> Result<()> {
        let (dir, legacy) = self.freezer()?;
        let end = Instant::now() + DEADLINE;
        let mut wait = Duration::from_micros(100);
        loop {
            let stands = if legacy {
                // Each look also retries processes that were forking when the order was given.
                self.switch("freeze", true)?;
                self.read_state(dir, "freezer.state")?.trim() == "FROZEN"
            } else {
                let events = self.read_state(dir, "cgroup.events")?;
                events.lines().any(|line| line == "frozen 1")
            };
            if stands {
                return Ok(());
            }
            if Instant::now() >= end {
                let (group, what) = (self.path().to_owned(), "freeze");
                return Err(CgroupError::TimedOut { group, what });
            }
            thread::sleep(wait);
            wait = (wait * 2).min(Duration::from_millis(10));
        }
    }

    /// Returns the directory that freezes and whether it does so in version 1's words.
    fn freezer(&self) -> Result<(&Path, bool)> {
        if self.version() != Version::V2
            && let Some(dir) = self.controller_dir(Controller::Freezer)
        {
            return Ok((dir, true));
        }
        let none = || CgroupError::NoController {
            setting: "pause",
            controller: "freezer",
        };
        self.unified_dir().map(|dir| (dir, false)).ok_or_else(none)
    }

    fn read_state(&self, dir: &Path, file: &str) -> Result<String> {
        cgroup::read(&dir.join(file)).map_err(|source| CgroupError::Read {
            group: self.path().to_owned(),
            what: "the freezer",
            source,
        })
    }
}
