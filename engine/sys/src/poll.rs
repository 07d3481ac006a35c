//! Waiting for many descriptors at once.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use crate::{During as _, Errno, Result};

/// What one waits for on a descriptor; its end is always told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Interest {
    /// Something can be read.
    pub readable: bool,
    /// Something can be written.
    pub writable: bool,
}

/// What has come true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// The number given with the descriptor.
    pub token: u64,
    /// Something can be read, or reading tells the end.
    pub readable: bool,
    /// Something can be written.
    pub writable: bool,
    /// Both directions are closed, or the descriptor has failed.
    pub hung_up: bool,
}

/// A set of descriptors to wait for.
#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    /// Makes an empty set.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new() -> Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC).during("epoll_create1", "a set")?;
        Ok(Self { epoll })
    }

    /// Adds a descriptor. Closing it later takes it out, when nobody has a duplicate.
    ///
    /// # Errors
    /// `EEXIST` when it is there already.
    pub fn add(&self, fd: impl AsFd, token: u64, interest: Interest) -> Result<()> {
        epoll::add(&self.epoll, fd, EventData::new_u64(token), flags(interest))
            .during("epoll_ctl", "a descriptor")
    }

    /// Changes what one waits for.
    ///
    /// # Errors
    /// `ENOENT` when it is not there.
    pub fn change(&self, fd: impl AsFd, token: u64, interest: Interest) -> Result<()> {
        epoll::modify(&self.epoll, fd, EventData::new_u64(token), flags(interest))
            .during("epoll_ctl", "a descriptor")
    }

    /// Takes a descriptor out; one that is not there is no error.
    pub fn remove(&self, fd: impl AsFd) {
        // Not being there is what was wanted.
        let _ = epoll::delete(&self.epoll, fd);
    }

    /// Waits for at least one, or so long; a signal ends the wait with nothing.
    ///
    /// # Errors
    /// Practically never.
    pub fn wait(&self, at_most: Option<Duration>) -> Result<Vec<Ready>> {
        self.wait_after(at_most, || {})
    }

    /// As [`Poller::wait`], with this program's own pages given back before it sleeps.
    ///
    /// # Errors
    /// Practically never.
    pub fn rest(&self, at_most: Option<Duration>) -> Result<Vec<Ready>> {
        // Without it the process is larger and works as well.
        self.wait_after(at_most, || drop(crate::memory::release_program()))
    }

    /// Does something as the last thing before it waits.
    #[inline]
    fn wait_after(&self, at_most: Option<Duration>, last: impl FnOnce()) -> Result<Vec<Ready>> {
        let limit = at_most.and_then(|limit| Timespec::try_from(limit).ok());
        let mut buffer = [std::mem::MaybeUninit::uninit(); 16];
        last();
        match epoll::wait(&self.epoll, &mut buffer, limit.as_ref()) {
            Ok((events, _)) => Ok(events.iter().map(ready).collect()),
            Err(Errno::INTR) => Ok(Vec::new()),
            Err(errno) => Err(errno).during("epoll_wait", "a set"),
        }
    }
}

fn flags(interest: Interest) -> EventFlags {
    let mut flags = EventFlags::empty();
    flags.set(EventFlags::IN, interest.readable);
    flags.set(EventFlags::OUT, interest.writable);
    flags
}

fn ready(event: &epoll::Event) -> Ready {
    let flags = event.flags;
    Ready {
        token: event.data.u64(),
        readable: flags.contains(EventFlags::IN),
        writable: flags.contains(EventFlags::OUT),
        hung_up: flags.intersects(EventFlags::HUP | EventFlags::ERR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_makes_the_other_end_ready() {
        let (reader, writer) = crate::fd::pipe().expect("pipe");
        let poller = Poller::new().expect("poller");
        let interest = Interest {
            readable: true,
            writable: false,
        };
        poller.add(&reader, 7, interest).expect("add");

        assert_eq!(poller.wait(Some(Duration::ZERO)).expect("wait"), []);
        crate::fd::write_some(&writer, b"x").expect("write");
        let ready = poller.wait(None).expect("wait");

        assert_eq!((ready[0].token, ready[0].readable), (7, true));
    }
}
