//! The conversation with the monitor of a container that runs.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use engine_runtime::log::Position;
use engine_runtime::{Control, Event, Request};
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

use super::command::{Reply, answer};
use crate::services::error::{Result, ServiceError};
use crate::tasks::{Watched, watched};

/// How long a monitor may take to answer: it never waits for anything but a disk.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How long it may take to read what fills its socket.
const ROOM_LIMIT: Duration = Duration::from_secs(5);
/// Between two looks at whether there is room.
const ROOM_PERIOD: Duration = Duration::from_millis(5);

/// Words that may be left in a socket whose other end is lost.
const LAST_WORDS_MAX: usize = 4096;

/// Requests to a monitor, and whom their answers are for.
pub(super) struct Conversation {
    control: AsyncFd<Watched<Control>>,
    /// Who waits for the answer to which request, and until when; the oldest first.
    answers: BTreeMap<u64, (Instant, Waiting)>,
}

/// Who waits for an answer.
enum Waiting {
    /// For nothing but that it was carried out.
    Done(Reply<()>),
    /// For the place of the log from which on a client sees everything.
    Joined(Reply<Option<Position>>),
    /// An exec's owner, who is told otherwise.
    Exec,
}

impl Conversation {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the monitor's socket cannot be watched.
    pub(super) fn new(control: Control) -> Result<Self> {
        let control =
            watched(control).map_err(ServiceError::failed("watch the monitor's socket"))?;
        Ok(Self {
            control,
            answers: BTreeMap::new(),
        })
    }

    /// Waits for the monitor's next word. Cancel-safe.
    ///
    /// # Errors
    /// When the monitor is gone.
    pub(super) async fn hear(&self) -> Result<Event, engine_runtime::Error> {
        loop {
            let Ok(mut ready) = self.control.readable().await else {
                return Err(engine_runtime::Error::Closed);
            };
            if let Some(event) = self.control.get_ref().receive()? {
                return Ok(event);
            }
            ready.clear_ready();
        }
    }

    /// Returns the moment at which the monitor has taken too long to answer.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let oldest = self.answers.first_key_value();
        oldest.map(|(_, (until, _))| *until)
    }

    /// Returns the words that have arrived and that nobody has heard; the conversation is over.
    pub(super) fn last_words(&self) -> Vec<Event> {
        let control = self.control.get_ref();
        let mut words = Vec::new();
        // One word may be lost, for want of a descriptor; those behind it are not.
        for _ in 0..LAST_WORDS_MAX {
            match control.receive() {
                Ok(Some(event)) => words.push(event),
                Ok(None) | Err(engine_runtime::Error::Closed) => break,
                Err(_) => {}
            }
        }
        words
    }

    /// Sends the request of an exec; returns its number.
    ///
    /// # Errors
    /// When the monitor does not take it.
    pub(super) async fn exec(&mut self, request: Request, socket: Option<&OwnedFd>) -> Result<u64> {
        let seq = self.send(request, socket).await?;
        self.await_answer(seq, Waiting::Exec);
        Ok(seq)
    }

    /// Sends a request whose only answer is whether it was carried out.
    pub(super) async fn ask(&mut self, request: Request, reply: Reply<()>) {
        match self.send(request, None).await {
            Ok(seq) => self.await_answer(seq, Waiting::Done(reply)),
            Err(error) => answer(reply, Err(error)),
        }
    }

    /// Hands a client's socket over.
    pub(super) async fn join(
        &mut self,
        request: Request,
        socket: &OwnedFd,
        reply: Reply<Option<Position>>,
    ) {
        match self.send(request, Some(socket)).await {
            Ok(seq) => self.await_answer(seq, Waiting::Joined(reply)),
            Err(error) => answer(reply, Err(error)),
        }
    }

    /// Ends it with the container, which was killed by force: what was asked of it is done.
    pub(super) fn end_killed(self, why: impl Fn() -> ServiceError) {
        for (_, waiting) in self.answers.into_values() {
            match waiting {
                Waiting::Done(reply) => answer(reply, Ok(())),
                Waiting::Joined(reply) => answer(reply, Err(why())),
                Waiting::Exec => {}
            }
        }
    }

    /// Ends it: whoever still waits is told why there will be no answer.
    pub(super) fn end(self, why: impl Fn() -> ServiceError) {
        for (_, waiting) in self.answers.into_values() {
            match waiting {
                Waiting::Done(reply) => answer(reply, Err(why())),
                Waiting::Joined(reply) => answer(reply, Err(why())),
                Waiting::Exec => {}
            }
        }
    }

    /// Hands the monitor's answer to whoever asked.
    ///
    /// A start's own requests have nobody who waits; an exec's answer goes to its owner.
    pub(super) fn answered(&mut self, seq: u64, result: Result<Option<Position>>) {
        match (self.answers.remove(&seq), result) {
            (Some((_, Waiting::Done(reply))), result) => answer(reply, result.map(drop)),
            (Some((_, Waiting::Joined(reply))), result) => answer(reply, result),
            (_, Err(error)) => tracing::debug!(%error, "the monitor refused a request"),
            (_, Ok(_)) => {}
        }
    }

    /// Sends a request, with a socket if it needs one; returns its number. Never holds the thread:
    /// a monitor may be stopped with a socket that is full.
    async fn send(&self, request: Request, socket: Option<&OwnedFd>) -> Result<u64> {
        let sockets: Vec<_> = socket.iter().map(|fd| fd.as_fd()).collect();
        let control = self.control.get_ref();
        let deadline = Instant::now() + ROOM_LIMIT;
        loop {
            match control.offer(&request, &sockets) {
                Ok(Some(seq)) => return Ok(seq),
                Ok(None) if Instant::now() < deadline => tokio::time::sleep(ROOM_PERIOD).await,
                Ok(None) => {
                    let message = "the container's monitor takes no more requests".to_owned();
                    return Err(ServiceError::Unavailable(message));
                }
                // It ended a moment ago, and its owner has not heard of it yet.
                Err(engine_runtime::Error::Closed) => {
                    let message = "the container is not running".to_owned();
                    return Err(ServiceError::Conflict(message));
                }
                Err(error) => return Err(ServiceError::failed("ask the monitor")(error)),
            }
        }
    }

    fn await_answer(&mut self, seq: u64, waiting: Waiting) {
        let until = Instant::now() + ANSWER_LIMIT;
        self.answers.insert(seq, (until, waiting));
    }
}
