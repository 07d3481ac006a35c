//! A viewer on the other end of a stream socket.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use engine_sys::poll::{Interest, Poller};
use engine_sys::{fd, socket};

use crate::protocol::AttachStreams;

/// What is kept for a viewer who does not read, once the process has ended; before, one chunk.
const PENDING_MAX_BYTES: usize = 4 << 20;

/// How long a viewer may read nothing of what is left, once the process has ended: long enough for
/// one that does something else first. The container is gone by then, only the monitor stays.
const STALL_LIMIT: Duration = Duration::from_secs(60);

/// One attached viewer.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) streams: AttachStreams,
    pub(super) token: u64,
    socket: OwnedFd,
    pending: Vec<u8>,
    /// When it last took something.
    moved_at: Instant,
    input_ended: bool,
    interest: Option<Interest>,
}

impl Client {
    /// Takes a socket; it is polled when [`Client::poll`] is called.
    pub(super) fn new(
        id: String,
        streams: AttachStreams,
        token: u64,
        socket: OwnedFd,
    ) -> engine_sys::Result<Self> {
        fd::set_nonblocking(&socket, true)?;
        let input_ended = !streams.stdin;
        Ok(Self {
            id,
            streams,
            token,
            socket,
            pending: Vec::new(),
            moved_at: Instant::now(),
            input_ended,
            interest: None,
        })
    }

    /// Says whether something waits for the viewer to read.
    pub(super) fn is_behind(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Returns when one that is behind is not waited for any more, if its process ended then.
    pub(super) fn given_up_at(&self, ended_at: Instant) -> Option<Instant> {
        self.is_behind()
            .then(|| self.moved_at.max(ended_at) + STALL_LIMIT)
    }

    /// Sends as much as fits and keeps the rest; `false` when the viewer has gone.
    pub(super) fn offer(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        if self.pending.is_empty() {
            while !rest.is_empty() {
                match fd::write_some(&self.socket, rest) {
                    Ok(Some(n_bytes)) => {
                        rest = &rest[n_bytes..];
                        self.moved_at = Instant::now();
                    }
                    Ok(None) => break,
                    Err(_) => return false,
                }
            }
        }
        if self.pending.len() + rest.len() <= PENDING_MAX_BYTES {
            self.pending.extend_from_slice(rest);
        }
        true
    }

    /// Sends what was kept, as far as it fits; `false` when the viewer has gone.
    pub(super) fn flush(&mut self) -> bool {
        let pending = std::mem::take(&mut self.pending);
        self.offer(&pending)
    }

    /// Reads what the viewer types: `Some(0)` once at the end, `None` when nothing is there.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if self.input_ended {
            return None;
        }
        let n_bytes = fd::read_some(&self.socket, buffer).unwrap_or(Some(0));
        self.input_ended = n_bytes == Some(0);
        n_bytes
    }

    /// Waits for what makes sense now.
    pub(super) fn poll(&mut self, poller: &Poller, takes_input: bool) {
        let interest = Interest {
            readable: takes_input && !self.input_ended,
            writable: self.is_behind(),
        };
        let changed = match self.interest {
            Some(before) if before == interest => Ok(()),
            Some(_) => poller.change(&self.socket, self.token, interest),
            None => poller.add(&self.socket, self.token, interest),
        };
        self.interest = changed.is_ok().then_some(interest);
    }

    /// Tells the viewer that nothing more comes.
    pub(super) fn end(&self) {
        socket::end_writing(&self.socket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_that_reads_late_gets_everything_and_one_that_reads_nothing_is_given_up() {
        let (ours, theirs) = socket::stream_pair().unwrap();
        let mut viewer = Client::new("a".to_owned(), AttachStreams::default(), 1, ours).unwrap();
        let ended_at = Instant::now();
        assert_eq!(viewer.given_up_at(ended_at), None, "it has got everything");

        assert!(viewer.offer(&vec![7; 2 << 20]));
        let first = viewer.given_up_at(ended_at).unwrap();
        assert!(first >= ended_at + STALL_LIMIT);

        let mut n_read = 0;
        let mut buffer = vec![0; 64 << 10];
        while n_read < 2 << 20 {
            n_read += fd::read_some(&theirs, &mut buffer).unwrap().unwrap_or(0);
            assert!(viewer.flush());
            if let Some(later) = viewer.given_up_at(ended_at) {
                assert!(later >= first, "who reads has more time");
            }
        }
        assert_eq!(viewer.given_up_at(ended_at), None);
    }
}
