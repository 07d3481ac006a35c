//! Signals as descriptors, and as a new program expects them.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

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

/// Every signal that a process can take, kept waiting until it asks for the next.
#[derive(Debug)]
pub struct Signals(SignalFd);

/// A signal that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrived {
    /// Its number.
    pub number: i32,
    /// A child has ended, stopped or gone on.
    pub is_child: bool,
    /// The terminal sent it, to every process in the foreground.
    pub is_of_terminal: bool,
}

impl Signals {
    /// Keeps every signal waiting from now on, for this thread and those it starts.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn take_over() -> Result<Self> {
        let all = SigSet::all();
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&all), None)
            .during("sigprocmask", "every signal")?;
        SignalFd::with_flags(&all, SfdFlags::SFD_CLOEXEC)
            .during("signalfd", "every signal")
            .map(Self)
    }

    /// Waits for the next signal.
    ///
    /// # Errors
    /// Practically never.
    #[expect(
        clippy::should_implement_trait,
        reason = "there is always a next signal, or an error"
    )]
    pub fn next(&mut self) -> Result<Arrived> {
        loop {
            match self.0.read_signal() {
                Ok(Some(info)) => {
                    let number = i32::try_from(info.ssi_signo).unwrap_or(0);
                    return Ok(Arrived {
                        number,
                        is_child: number == libc::SIGCHLD,
                        is_of_terminal: info.ssi_code == libc::SI_KERNEL,
                    });
                }
                Ok(None) | Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno).during("read", "a signal descriptor"),
            }
        }
    }
}

/// Lets a program that is spawned begin with no signal kept waiting, although its parent keeps all.
pub fn let_through(command: &mut Command) {
    let free = || {
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
            .map_err(std::io::Error::from)
    };
    // SAFETY: between fork and exec only sigprocmask(2) is called, on a value of the child's own
    // stack; that is async-signal-safe, takes no lock and allocates nothing.
    unsafe { command.pre_exec(free) };
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
