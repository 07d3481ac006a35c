//! Doing what the engine asks.

use std::os::fd::OwnedFd;
use std::time::Duration;

use engine_sys::{process, socket};

use super::engine::Heard;
use super::exit;
use super::task::{Task, TaskPhase};
use super::watch::{INIT, Monitor};
use crate::chain;
use crate::init::Word;
use crate::log::Writer;
use crate::protocol::{AttachStreams, Event, Numbered, Request, Target, TerminalSize};

/// Requests taken before others get their turn.
const REQUESTS_A_TURN: usize = 64;
const SIGKILL: i32 = 9;

impl Monitor {
    /// Takes the requests that are there.
    pub(super) fn converse(&mut self) {
        self.engine.flush(&self.poller);
        for _ in 0..REQUESTS_A_TURN {
            match self.engine.hear() {
                Heard::Nothing => return,
                Heard::Gone => {
                    self.engine.leave();
                    if self.started_at_unix_ns.is_none() && !self.is_starting() {
                        // Nobody would ever start it: better absent than half made.
                        exit::give_up(self);
                    }
                    return;
                }
                Heard::Unknown(seq) => {
                    let message = "this monitor does not know the request".to_owned();
                    let event = Event::Refused {
                        seq: seq.unwrap_or(0),
                        message,
                    };
                    self.engine.tell(event, &self.poller);
                }
                Heard::Request(numbered, fds) => {
                    let Numbered { seq, request } = *numbered;
                    let joins = matches!(request, Request::Attach { .. });
                    let event = match self.obey(request, fds) {
                        Ok(()) => Event::Done {
                            seq,
                            // Nothing is read from the container between the two.
                            log_end: self.log.as_ref().filter(|_| joins).map(Writer::end),
                        },
                        Err(message) => Event::Refused { seq, message },
                    };
                    self.engine.tell(event, &self.poller);
                }
            }
        }
    }

    fn is_starting(&self) -> bool {
        self.init()
            .is_some_and(|task| task.phase != TaskPhase::Waiting)
    }

    fn init(&self) -> Option<&Task> {
        self.tasks
            .iter()
            .find(|(key, _)| *key == INIT)
            .map(|(_, task)| task)
    }

    fn obey(&mut self, request: Request, mut fds: Vec<OwnedFd>) -> Result<(), String> {
        match request {
            Request::Start => self.start(),
            Request::Attach { id, streams } => {
                let socket = fds.pop().ok_or("no socket came with the request")?;
                self.attach(id, streams, socket)
            }
            Request::CloseStdin => {
                self.with_streams(INIT, |task, pump| {
                    task.streams.close_input();
                    task.streams.poll(pump);
                });
                Ok(())
            }
            Request::Exec {
                id,
                process,
                streams,
            } => self.begin_exec(id, process, streams, fds.pop()),
            Request::Resize { target, size } => self.resize(&target, size),
            Request::Signal { target, signal } => self.signal(&target, signal),
        }
    }

    fn start(&mut self) -> Result<(), String> {
        let Some((_, task)) = self.tasks.iter_mut().find(|(key, _)| *key == INIT) else {
            return Err("the container has ended".into());
        };
        let (TaskPhase::Waiting, Some(channel)) = (task.phase, &task.channel) else {
            return Err("the container is started already".into());
        };
        socket::send(channel, Word::Start.text(), &[]).map_err(|error| chain(&error))?;
        task.phase = TaskPhase::Starting;
        Ok(())
    }

    fn attach(
        &mut self,
        id: String,
        streams: AttachStreams,
        socket: OwnedFd,
    ) -> Result<(), String> {
        if self.is_over {
            return Err("the container has ended".into());
        }
        let mut result = Err("the container has ended".to_owned());
        self.with_streams(INIT, |task, pump| {
            result = task
                .streams
                .attach(pump.key, id, streams, socket)
                .map_err(|error| chain(&error));
            task.streams.poll(pump);
        });
        result
    }

    fn target(&self, target: &Target) -> Result<&Task, String> {
        match target {
            Target::Init | Target::All => self
                .init()
                .ok_or_else(|| "the container has ended".to_owned()),
            Target::Exec(id) => self
                .tasks
                .iter()
                .map(|(_, task)| task)
                .find(|task| task.id.as_ref() == Some(id))
                .ok_or_else(|| format!("no exec {id} runs")),
        }
    }

    fn resize(&self, target: &Target, size: TerminalSize) -> Result<(), String> {
        match self.target(target)?.streams.resize(size) {
            Some(result) => result.map_err(|error| chain(&error)),
            None => Err("the process has no terminal".into()),
        }
    }

    fn signal(&self, target: &Target, signal: i32) -> Result<(), String> {
        let task = self.target(target)?;
        if *target == Target::All {
            return self.signal_all(signal);
        }
        let running = task.process.as_ref().filter(|_| task.end.is_none());
        let process = running.ok_or_else(|| "the process has ended".to_owned())?;
        process::signal(&process.pidfd, signal).map_err(|error| chain(&error))
    }

    /// Signals every process of the group; a number that was used again in between is left alone.
    fn signal_all(&self, signal: i32) -> Result<(), String> {
        if signal == SIGKILL {
            return self
                .cgroup
                .kill_all(Duration::from_secs(2))
                .map_err(|error| chain(&error));
        }
        let listed = self.cgroup.processes().map_err(|error| chain(&error))?;
        let opened: Vec<(i32, OwnedFd)> = listed
            .into_iter()
            .filter_map(|pid| process::open(pid).ok().map(|pidfd| (pid, pidfd)))
            .collect();
        // What was opened and is still listed is the process that was meant.
        let still = self.cgroup.processes().map_err(|error| chain(&error))?;
        for (_, pidfd) in opened.iter().filter(|(pid, _)| still.contains(pid)) {
            // One that has ended meanwhile needs no signal.
            let _ = process::signal(pidfd, signal);
        }
        Ok(())
    }
}
