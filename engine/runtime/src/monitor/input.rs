//! A process's standard input, or the typing side of its terminal.

use std::os::fd::OwnedFd;

use engine_sys::fd;
use engine_sys::poll::{Interest, Poller};

/// Where what viewers type goes.
#[derive(Debug)]
pub(super) struct Input {
    fd: OwnedFd,
    pending: Vec<u8>,
    is_ending: bool,
    is_polled: bool,
}

impl Input {
    pub(super) fn new(fd: OwnedFd) -> engine_sys::Result<Self> {
        fd::set_nonblocking(&fd, true)?;
        Ok(Self {
            fd,
            pending: Vec::new(),
            is_ending: false,
            is_polled: false,
        })
    }

    /// Closes it when everything typed before has been taken.
    pub(super) fn end(&mut self) {
        self.is_ending = true;
    }

    /// Says whether it can be closed now.
    pub(super) fn has_ended(&self) -> bool {
        self.is_ending && self.pending.is_empty()
    }

    /// Says whether more may be typed: what is kept here is one reading at most.
    pub(super) fn takes_more(&self) -> bool {
        self.pending.is_empty() && !self.is_ending
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Writes what the process takes; `false` when it does not read any more.
    pub(super) fn flush(&mut self) -> bool {
        while !self.pending.is_empty() {
            match fd::write_some(&self.fd, &self.pending) {
                Ok(Some(n_bytes)) => drop(self.pending.drain(..n_bytes)),
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
        self.pending = Vec::new();
        true
    }

    /// Waits for room while something is kept.
    pub(super) fn poll(&mut self, poller: &Poller, token: u64) {
        match (self.is_polled, !self.pending.is_empty()) {
            (false, true) => {
                let interest = Interest {
                    readable: false,
                    writable: true,
                };
                self.is_polled = poller.add(&self.fd, token, interest).is_ok();
            }
            (true, false) => {
                poller.remove(&self.fd);
                self.is_polled = false;
            }
            _ => {}
        }
    }
}
