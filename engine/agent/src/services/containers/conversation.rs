//! The conversation with the monitor of a container that runs.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};

use engine_runtime::log::Position;
use engine_runtime::{Control, Event, Request};
use tokio::io::unix::AsyncFd;

use super::command::{Reply, answer};
use crate::services::error::{Result, ServiceError};
use crate::tasks::{Watched, watched};

/// Requests to a monitor, and whom their answers are for.
pub(super) struct Conversation {
    control: AsyncFd<Watched<Control>>,
    /// Who waits for the answer to which request.
    answers: BTreeMap<u64, Waiting>,
}

/// Who waits for an answer.
enum Waiting {
    /// For nothing but that it was carried out.
    Done(Reply<()>),
    /// For the place of the log from which on a client sees everything.
    Joined(Reply<Option<Position>>),
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

    /// Sends a request, with a socket if it needs one; returns its number.
    ///
    /// # Errors
    /// When the monitor does not take it.
    pub(super) fn send(&self, request: Request, socket: Option<&OwnedFd>) -> Result<u64> {
        let sockets: Vec<_> = socket.iter().map(|fd| fd.as_fd()).collect();
        let control = self.control.get_ref();
        control
            .send(request, &sockets)
            .map_err(|error| match error {
                // It ended a moment ago, and its owner has not heard of it yet.
                engine_runtime::Error::Closed => {
                    ServiceError::Conflict("the container is not running".to_owned())
                }
                error => ServiceError::failed("ask the monitor")(error),
            })
    }

    /// Sends a request whose only answer is whether it was carried out.
    pub(super) fn ask(&mut self, request: Request, socket: Option<&OwnedFd>, reply: Reply<()>) {
        match self.send(request, socket) {
            Ok(seq) => {
                self.answers.insert(seq, Waiting::Done(reply));
            }
            Err(error) => answer(reply, Err(error)),
        }
    }

    /// Hands a client's socket over.
    pub(super) fn join(
        &mut self,
        request: Request,
        socket: &OwnedFd,
        reply: Reply<Option<Position>>,
    ) {
        match self.send(request, Some(socket)) {
            Ok(seq) => {
                self.answers.insert(seq, Waiting::Joined(reply));
            }
            Err(error) => answer(reply, Err(error)),
        }
    }

    /// Ends it: whoever still waits is told why there will be no answer.
    pub(super) fn end(self, why: impl Fn() -> ServiceError) {
        for waiting in self.answers.into_values() {
            match waiting {
                Waiting::Done(reply) => answer(reply, Err(why())),
                Waiting::Joined(reply) => answer(reply, Err(why())),
            }
        }
    }

    /// Hands the monitor's answer to whoever asked.
    ///
    /// A start's own requests have nobody who waits; an exec's answer goes to its owner.
    pub(super) fn answered(&mut self, seq: u64, result: Result<Option<Position>>) {
        match (self.answers.remove(&seq), result) {
            (Some(Waiting::Done(reply)), result) => answer(reply, result.map(drop)),
            (Some(Waiting::Joined(reply)), result) => answer(reply, result),
            (None, Err(error)) => tracing::debug!(%error, "the monitor refused a request"),
            (None, Ok(_)) => {}
        }
    }
}
