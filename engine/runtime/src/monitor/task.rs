//! One process inside the container with its streams: the first one, or an exec's.

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Instant;

use engine_sys::process::{Child, End};

use super::streams::Streams;
use crate::init::{Failure, Report};
use crate::{Error, chain, wire};

/// A process on its way, running or ended.
#[derive(Debug)]
pub(super) struct Task {
    /// An exec's id; the container's first process has none.
    pub(super) id: Option<String>,
    pub(super) process: Option<Child>,
    /// Where reports come from; closed by the exec.
    pub(super) channel: Option<OwnedFd>,
    pub(super) streams: Streams,
    pub(super) phase: TaskPhase,
    pub(super) failure: Option<Failure>,
    pub(super) end: Option<End>,
}

/// What has been told about a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TaskPhase {
    /// Nothing yet: init waits for its start, an exec is on its way in.
    Waiting,
    /// Asked to execute the program; nothing told yet.
    Starting,
    /// Told that it runs.
    Running,
    /// Told that it has ended; its streams are being delivered until then.
    Draining(Instant),
}

impl Task {
    /// The container's first process, which is being set up.
    pub(super) fn init(child: Child, streams: Streams, channel: OwnedFd) -> Self {
        Self {
            id: None,
            process: Some(child),
            channel: Some(channel),
            streams,
            phase: TaskPhase::Waiting,
            failure: None,
            end: None,
        }
    }

    /// An exec's process, which is on its way in.
    pub(super) fn exec(id: String, streams: Streams, channel: OwnedFd) -> Self {
        Self {
            id: Some(id),
            process: None,
            channel: Some(channel),
            streams,
            phase: TaskPhase::Starting,
            failure: None,
            end: None,
        }
    }

    /// The process's id as the host counts, once it exists.
    pub(super) fn pid(&self) -> Option<i32> {
        self.process.as_ref().map(|process| process.pid)
    }

    /// Takes the reports that are there.
    pub(super) fn hear(&mut self) {
        while let Some(channel) = &self.channel {
            match wire::receive(channel.as_fd()) {
                Ok(None) => return,
                Ok(Some((bytes, fds))) => self.take(&bytes, fds),
                Err(Error::Closed) => self.channel = None,
                Err(error) => {
                    self.channel = None;
                    self.failure = Some(Failure::new(chain(&error)));
                }
            }
        }
    }

    fn take(&mut self, bytes: &[u8], fds: Vec<OwnedFd>) {
        let mut fds = fds.into_iter();
        match parse(bytes) {
            Ok(Report::Forked { pid }) => {
                self.process = fds.next().map(|pidfd| Child { pid, pidfd });
                let terminal = fds.next().map(|master| self.streams.bring_terminal(master));
                if let Some(Err(error)) = terminal {
                    self.failure = Some(Failure::new(chain(&error)));
                }
            }
            Ok(Report::Failed { message, exit_code }) => {
                self.failure = Some(Failure { message, exit_code });
            }
            Ok(Report::Ready) => {}
            Err(message) => self.failure = Some(Failure::new(message)),
        }
    }

    /// The exit code of a process that has ended.
    pub(super) fn code(&self) -> Option<i32> {
        self.end.map(|end| match end {
            End::Exited(code) => code,
            End::Killed(signal) => 128 + signal,
        })
    }
}

/// Reads a report.
pub(super) fn parse(bytes: &[u8]) -> Result<Report, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("a report is damaged: {error}"))
}
