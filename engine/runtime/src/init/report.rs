//! What a process on its way to a program tells the monitor.

use std::fmt::Display;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use engine_sys::process;
use serde::{Deserialize, Serialize};

use crate::{chain, wire};

/// A message from a process on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Report {
    /// Init is set up and waits; a terminal's master side comes with it.
    Ready,
    /// The process of an exec exists; its pidfd comes with it, and a terminal's master side.
    Forked { pid: i32 },
    /// It will come to nothing.
    Failed { message: String, exit_code: i32 },
}

/// A step that failed: what to tell people, and the exit code that stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) exit_code: i32,
}

/// The result of a step on the way.
pub(crate) type Step<T> = Result<T, Failure>;

/// The exit code when anything but the program itself is at fault.
const SETUP_FAILED: i32 = 128;

impl Failure {
    /// A refusal in words.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            exit_code: SETUP_FAILED,
        }
    }

    /// Returns a closure for `map_err`: `failed to {action}: {cause}: …`.
    pub(crate) fn to<E: std::error::Error>(action: impl Display) -> impl FnOnce(E) -> Self {
        move |error| Self::new(format!("failed to {action}: {}", chain(&error)))
    }
}

/// Tells the monitor something.
pub(super) fn tell(channel: &OwnedFd, report: &Report, fds: &[BorrowedFd<'_>]) -> Step<()> {
    wire::send(channel.as_fd(), report, fds).map_err(Failure::to("report to the monitor"))
}

/// Tells the monitor why this process ends, and ends it.
pub(super) fn give_up(channel: &OwnedFd, failure: Failure) -> ! {
    let Failure { message, exit_code } = failure;
    // When the monitor has gone, nobody is left to tell.
    let _ = tell(channel, &Report::Failed { message, exit_code }, &[]);
    process::exit_now(exit_code)
}
