//! Ending everything that runs in a group, forks in flight included.

use std::{
    os::fd::OwnedFd,
    thread,
    time::{Duration, Instant},
};

use engine_sys::{Errno, SysError, cgroup, process};

use super::{
    Cgroup,
    error::{CgroupError, Result},
};

const SIGKILL: i32 = 9;

impl Cgroup {
    /// Kills every process in the group and below it, and waits until none is left.
    ///
    /// A dead process leaves the list even before its parent has reaped it.
    ///
    /// # Errors
    /// [`CgroupError::TimedOut`] when something outlives the deadline, in an uninterruptible call
    /// for example.
    pub fn kill_all(&self, deadline: Duration) -> Result<()> {
        /// Looks at the list before one stops to trust `cgroup.kill`: it reaches only what has
        /// entered the version 2 group.
        const PATIENCE: u32 = 4;
        let end = Instant::now() + deadline;
        let mut wait = Duration::from_micros(200);
        for round in 0.. {
            if self.processes()?.is_empty() {
                return Ok(());
            }
            if !self.kill_at_once()? || round >= PATIENCE {
                self.kill_listed()?;
            }
            if Instant::now() >= end {
                break;
            }
            thread::sleep(wait);
            wait = (wait * 2).min(Duration::from_millis(20));
        }
        let (group, what) = (self.path().to_owned(), "die");
        Err(CgroupError::TimedOut { group, what })
    }

    /// Asks the kernel to kill the whole version 2 group, which no fork escapes; tells whether it
    /// can (Linux 5.14).
    fn kill_at_once(&self) -> Result<bool> {
        let Some(dir) = self.unified_dir() else {
            return Ok(false);
        };
        match cgroup::write(&dir.join("cgroup.kill"), "1") {
            Ok(()) => {}
            Err(error) if error.is_not_found() => return Ok(false),
            Err(source) => return Err(self.failed_to_kill(source)),
        }
        // What a version 1 freezer holds does not die before it is let go. Best effort: where there
        // is no freezer nothing is held.
        let _ = self.thaw();
        Ok(true)
    }

    /// Kills what is listed, frozen first so that nothing forks between the list and the signal.
    fn kill_listed(&self) -> Result<()> {
        let listed = self.processes()?;
        if listed.is_empty() {
            return Ok(());
        }
        // Best effort: without a freezer the loop above catches the forks.
        let frozen = self.freeze().is_ok();
        let killed = self.kill_those(self.processes()?);
        if frozen {
            // A frozen version 1 process does not die before it is thawed.
            self.thaw()?;
        }
        killed
    }

    /// Kills processes by descriptors that are theirs alone: a number may be somebody else's by the
    /// time that it is used. What was opened and is still listed is the process that was meant.
    fn kill_those(&self, pids: Vec<i32>) -> Result<()> {
        let opened: Vec<(i32, OwnedFd)> = pids
            .into_iter()
            .filter_map(|pid| process::open(pid).ok().map(|pidfd| (pid, pidfd)))
            .collect();
        let still = self.processes()?;
        for (_, pidfd) in opened.iter().filter(|(pid, _)| still.contains(pid)) {
            match process::signal(pidfd, SIGKILL) {
                Err(error) if error.errno != Errno::SRCH => return Err(self.failed_to_kill(error)),
                _ => {}
            }
        }
        Ok(())
    }

    fn failed_to_kill(&self, source: SysError) -> CgroupError {
        CgroupError::Change {
            group: self.path().to_owned(),
            action: "kill what runs in",
            source,
        }
    }
}
