//! Signals as descriptors, and as a new program expects them.

use std::os::fd::{AsFd, OwnedFd};

use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::{During as _, Errno, Result};

/// Keeps every signal waiting, and returns a descriptor that is readable when a child has ended.
///
/// # Errors
/// When the process has no descriptor left.
pub fn children_ending() -> Result<OwnedFd> {
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), None)
        .during("sigprocmask", "every signal")?;
    let mut child = SigSet::empty();
    child.add(nix::sys::signal::Signal::SIGCHLD);
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let descriptor = SignalFd::with_flags(&child, flags).during("signalfd", "SIGCHLD")?;
    descriptor
        .as_fd()
        .try_clone_to_owned()
        .during("dup", "a signal descriptor")
}

/// Takes what a signal descriptor has, so that it is readable again only for something new.
///
/// # Errors
/// Practically never.
pub fn drain(descriptor: impl AsFd) -> Result<()> {
    let mut buffer = [0; 512];
    loop {
        match rustix::io::read(&descriptor, &mut buffer) {
            Ok(0) | Err(Errno::AGAIN) => return Ok(()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno).during("read", "a signal descriptor"),
        }
    }
}

/// Gives the next program no waiting and no ignored signals.
///
/// # Errors
/// Practically never.
pub fn reset_for_exec() -> Result<()> {
    // SAFETY: the default action replaces Rust's own "ignore"; no handler of ours is installed.
    let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    debug_assert_ne!(before, libc::SIG_ERR);
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
        .during("sigprocmask", "no signal")
}
