//! The conversation with whichever engine is there, or none.

use std::collections::VecDeque;
use std::os::fd::{AsFd as _, OwnedFd};

use engine_sys::poll::{Interest, Poller};
use engine_sys::{Errno, fd, socket};

use crate::protocol::{Event, ExecState, Numbered};
use crate::{Error, wire};

/// Tokens of the conversation; tasks have theirs in the upper half.
pub(super) const LISTENER: u64 = 1;
pub(super) const CONNECTION: u64 = 2;

/// Events kept for an engine that does not read; with more, it has to connect again.
const UNSENT_MAX: usize = 1024;

/// The listening socket and the one connection.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) listener: OwnedFd,
    connection: Option<OwnedFd>,
    unsent: VecDeque<Event>,
    waits_to_write: bool,
    /// Execs that ended and that no engine was told of yet.
    missed: Vec<ExecState>,
}

/// A message from the engine.
#[derive(Debug)]
pub(super) enum Heard {
    /// Nothing more is there.
    Nothing,
    /// The engine has gone.
    Gone,
    /// A request with its descriptors.
    Request(Box<Numbered>, Vec<OwnedFd>),
    /// Something that this monitor does not understand; the number is told when it can be read.
    Unknown(Option<u64>),
}

impl Engine {
    pub(super) fn new(listener: OwnedFd) -> Self {
        Self {
            listener,
            connection: None,
            unsent: VecDeque::new(),
            waits_to_write: false,
            missed: Vec::new(),
        }
    }

    /// Tells that an exec has ended, now or to the next engine.
    pub(super) fn tell_exec_end(&mut self, exec: ExecState, poller: &Poller) {
        match (self.is_there(), exec.code) {
            (true, Some(code)) => self.tell(Event::ExecExited { id: exec.id, code }, poller),
            _ => self.missed.push(exec),
        }
    }

    /// Returns the execs that ended while nobody listened.
    pub(super) fn take_missed(&mut self) -> Vec<ExecState> {
        std::mem::take(&mut self.missed)
    }

    /// Says whether somebody listens.
    pub(super) fn is_there(&self) -> bool {
        self.connection.is_some()
    }

    /// Takes a connection; an older one ends.
    pub(super) fn adopt(&mut self, connection: OwnedFd, poller: &Poller) {
        let interest = Interest {
            readable: true,
            writable: false,
        };
        self.leave();
        if poller.add(&connection, CONNECTION, interest).is_ok() {
            self.connection = Some(connection);
        }
    }

    /// Accepts a new connection from root; `true` when there is one.
    pub(super) fn accept(&mut self, poller: &Poller) -> bool {
        let Ok(Some(connection)) = socket::accept(&self.listener) else {
            return false;
        };
        if socket::peer_user(&connection).ok() != Some(0) {
            return false;
        }
        self.adopt(connection, poller);
        self.is_there()
    }

    /// Ends the connection. Ends that were not sent yet are for the next engine.
    pub(super) fn leave(&mut self) {
        self.connection = None;
        self.waits_to_write = false;
        for event in self.unsent.drain(..) {
            let (id, code) = match event {
                Event::ExecExited { id, code } => (id, code),
                Event::ExecFailed { id, exit_code, .. } => (id, exit_code),
                Event::Ready { state, .. } => {
                    let ended = state.execs.into_iter().filter(|exec| exec.code.is_some());
                    self.missed.extend(ended);
                    continue;
                }
                _ => continue,
            };
            let code = Some(code);
            self.missed.push(ExecState { id, pid: 0, code });
        }
    }

    /// Returns the next message.
    pub(super) fn hear(&self) -> Heard {
        let Some(connection) = &self.connection else {
            return Heard::Nothing;
        };
        match wire::receive(connection.as_fd()) {
            Ok(None) => Heard::Nothing,
            Ok(Some((bytes, fds))) => match serde_json::from_slice(&bytes) {
                Ok(numbered) => Heard::Request(Box::new(numbered), fds),
                Err(_) => Heard::Unknown(number(&bytes)),
            },
            Err(Error::Sys { source, .. }) if source.errno == Errno::MSGSIZE => {
                Heard::Unknown(None)
            }
            Err(_) => Heard::Gone,
        }
    }

    /// Sends an event, now or when the engine reads again; without an engine it is lost.
    pub(super) fn tell(&mut self, event: Event, poller: &Poller) {
        if self.connection.is_none() {
            return;
        }
        self.unsent.push_back(event);
        self.flush(poller);
        if self.unsent.len() > UNSENT_MAX {
            self.leave();
        }
    }

    /// Sends what waits, as far as it fits.
    pub(super) fn flush(&mut self, poller: &Poller) {
        while let (Some(connection), Some(event)) = (&self.connection, self.unsent.front()) {
            match wire::send(connection.as_fd(), event, &[]) {
                Ok(()) => drop(self.unsent.pop_front()),
                Err(Error::Sys { source, .. }) if source.errno == Errno::AGAIN => break,
                Err(_) => self.leave(),
            }
        }
        let waits = !self.unsent.is_empty();
        if let Some(connection) = &self.connection
            && waits != self.waits_to_write
        {
            let interest = Interest {
                readable: true,
                writable: waits,
            };
            // A connection that cannot be polled is found dead by the next message.
            let _ = poller.change(connection, CONNECTION, interest);
            self.waits_to_write = waits;
        }
    }

    /// Before the monitor ends: waits a moment for an engine that is slow to read.
    pub(super) fn flush_last(&mut self, poller: &Poller) {
        self.flush(poller);
        if let (Some(connection), false) = (&self.connection, self.unsent.is_empty()) {
            let _ = fd::set_nonblocking(connection, true);
            let _ = socket::wait_writable(connection, std::time::Duration::from_secs(1));
            self.flush(poller);
        }
    }
}

/// Reads only the number of a request, so that it can be refused.
fn number(bytes: &[u8]) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Number {
        seq: u64,
    }
    serde_json::from_slice(bytes).ok().map(|Number { seq }| seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_an_engine_did_not_read_is_kept_for_the_next() {
        let poller = Poller::new().unwrap();
        let (listener, _) = socket::packet_pair().unwrap();
        let (ours, theirs) = socket::packet_pair().unwrap();
        fd::set_nonblocking(&ours, true).unwrap();
        let mut engine = Engine::new(listener);
        engine.adopt(ours, &poller);
        while engine.unsent.is_empty() {
            let id = "x".repeat(8 << 10);
            engine.tell(Event::AttachEnded { id }, &poller);
        }
        let ended = |id: &str, code| ExecState {
            id: id.to_owned(),
            pid: 0,
            code: Some(code),
        };

        engine.tell_exec_end(ended("unread", 6), &poller);
        drop(theirs);
        engine.flush(&poller);
        engine.tell_exec_end(ended("unheard", 7), &poller);

        assert_eq!(
            engine.take_missed(),
            [ended("unread", 6), ended("unheard", 7)]
        );
    }
}
