//! What flows between a process, the log and the viewers.
//!
//! A chunk is read once and goes to the log and to each viewer as it is. As long as a viewer is
//! behind, nothing more is read, and the process waits when its pipe is full; the log alone never
//! makes it wait. After the process has ended everything left is read at once, at most what the
//! pipe held, and viewers get it within a limit.

use std::os::fd::OwnedFd;
use std::time::Instant;

use engine_sys::poll::{Interest, Poller};
use engine_sys::{fd, pty};

use super::client::Client;
use super::input::Input;
use crate::init::ChildStdio;
use crate::log::{Stream, Writer};
use crate::protocol::{AttachStreams, TerminalSize};
use crate::spec::Process;
use crate::{Event, clock};

/// What the kernel holds between a process and us: the larger, the fewer times both wake up.
const PIPE_BYTES: usize = 1 << 20;
/// The most that is read at once, and Docker's header before it.
pub(super) const BUFFER_BYTES: usize = HEADER_BYTES + (64 << 10);
const HEADER_BYTES: usize = 8;
/// Chunks read from one stream before others get their turn.
const CHUNKS_A_TURN: usize = 32;

/// The places of a task's descriptors; a token is the task's key above these.
pub(super) const CHANNEL: u64 = 0;
const STDOUT: u64 = 1;
const STDERR: u64 = 2;
const STDIN: u64 = 3;
const FIRST_CLIENT: u64 = 16;

/// A process's streams and who looks at them.
#[derive(Debug)]
pub(super) struct Streams {
    has_terminal: bool,
    /// The terminal is still to come; what is typed has to wait for it.
    awaits_terminal: bool,
    open_stdin: bool,
    /// The end of the first viewer's input ends the process's.
    stdin_once: bool,
    outputs: Vec<Output>,
    input: Option<Input>,
    clients: Vec<Client>,
    next_client: u64,
}

#[derive(Debug)]
struct Output {
    fd: OwnedFd,
    slot: u64,
    is_polled: bool,
}

/// What moving bytes needs beside the streams themselves.
pub(super) struct Pump<'a> {
    pub(super) poller: &'a Poller,
    /// The task's key, in the upper half of its tokens.
    pub(super) key: u64,
    pub(super) buffer: &'a mut [u8],
    /// Where output is kept; an exec's is not.
    pub(super) log: Option<&'a mut Writer>,
    pub(super) events: &'a mut Vec<Event>,
}

impl Streams {
    /// Makes a process's pipes and returns its ends; with a terminal, nothing yet.
    pub(super) fn open(process: &Process) -> engine_sys::Result<(Self, Option<ChildStdio>)> {
        let mut streams = Self {
            has_terminal: process.terminal,
            awaits_terminal: process.terminal,
            open_stdin: process.open_stdin,
            stdin_once: process.stdin_once,
            outputs: Vec::new(),
            input: None,
            clients: Vec::new(),
            next_client: FIRST_CLIENT,
        };
        if process.terminal {
            return Ok((streams, None));
        }
        let stdout = streams.output(STDOUT)?;
        let stderr = streams.output(STDERR)?;
        let stdin = if process.open_stdin {
            let (theirs, ours) = fd::pipe()?;
            streams.input = Some(Input::new(ours)?);
            Some(theirs)
        } else {
            None
        };
        Ok((
            streams,
            Some(ChildStdio {
                stdin,
                stdout,
                stderr,
            }),
        ))
    }

    fn output(&mut self, slot: u64) -> engine_sys::Result<OwnedFd> {
        let (ours, theirs) = fd::pipe()?;
        fd::set_nonblocking(&ours, true)?;
        // A smaller pipe works as well, only slower.
        let _ = fd::grow_pipe(&ours, PIPE_BYTES);
        self.outputs.push(Output {
            fd: ours,
            slot,
            is_polled: false,
        });
        Ok(theirs)
    }

    /// Takes the master side of the process's terminal.
    pub(super) fn bring_terminal(&mut self, master: OwnedFd) -> engine_sys::Result<()> {
        self.awaits_terminal = false;
        if self.open_stdin {
            self.input = Some(Input::new(fd::duplicate(&master)?)?);
        }
        fd::set_nonblocking(&master, true)?;
        self.outputs.push(Output {
            fd: master,
            slot: STDOUT,
            is_polled: false,
        });
        Ok(())
    }

    /// Lets a viewer in.
    pub(super) fn attach(
        &mut self,
        key: u64,
        id: String,
        streams: AttachStreams,
        socket: OwnedFd,
    ) -> engine_sys::Result<()> {
        let token = key << 32 | self.next_client;
        self.clients.push(Client::new(id, streams, token, socket)?);
        self.next_client += 1;
        Ok(())
    }

    /// Sets the terminal's size; `None` when there is no terminal.
    pub(super) fn resize(&self, size: TerminalSize) -> Option<engine_sys::Result<()>> {
        let master = self.outputs.first().filter(|_| self.has_terminal)?;
        Some(pty::set_size(&master.fd, size.rows, size.columns))
    }

    /// Closes the process's input when everything typed before has been delivered.
    pub(super) fn close_input(&mut self) {
        if self.has_terminal {
            return;
        }
        if let Some(input) = &mut self.input {
            input.end();
        }
    }

    /// Does what a ready descriptor allows.
    pub(super) fn handle(&mut self, slot: u64, hung_up: bool, pump: &mut Pump<'_>) {
        match slot {
            STDOUT | STDERR => self.read_output(slot, CHUNKS_A_TURN, pump),
            STDIN => self.flush_input(),
            _ => self.serve(slot, hung_up, pump),
        }
        self.poll(pump);
    }

    /// Reads everything that a process which has ended left behind.
    pub(super) fn drain(&mut self, pump: &mut Pump<'_>) {
        for slot in [STDOUT, STDERR] {
            // What can be there is what the pipe holds, and pipes may be passed on to others who
            // still write: the number of chunks is the limit.
            let n_chunks = 4 * PIPE_BYTES / (BUFFER_BYTES - HEADER_BYTES);
            for _ in 0..n_chunks {
                self.read_chunk(slot, pump);
            }
            self.outputs.retain(|output| output.slot != slot);
        }
        self.input = None;
    }

    /// Returns when the first viewer is given up of a process that ended then, unless all have got
    /// everything.
    pub(super) fn given_up_at(&self, ended_at: Instant) -> Option<Instant> {
        let behind = self.clients.iter();
        behind
            .filter_map(|client| client.given_up_at(ended_at))
            .min()
    }

    /// Ends every viewer that has got everything, or takes nothing any more; `true` when none is
    /// left.
    pub(super) fn finish(&mut self, ended_at: Instant, events: &mut Vec<Event>) -> bool {
        let now = Instant::now();
        self.clients.retain(|client| {
            let is_served = client.given_up_at(ended_at).is_none_or(|at| at <= now);
            if is_served {
                client.end();
                events.push(Event::AttachEnded {
                    id: client.id.clone(),
                });
            }
            !is_served
        });
        self.clients.is_empty()
    }

    fn read_output(&mut self, slot: u64, n_chunks: usize, pump: &mut Pump<'_>) {
        for _ in 0..n_chunks {
            if self.is_held(slot) || !self.read_chunk(slot, pump) {
                return;
            }
        }
    }

    /// Reads one chunk and passes it on; `false` when nothing is there.
    fn read_chunk(&mut self, slot: u64, pump: &mut Pump<'_>) -> bool {
        let Some(at) = self.outputs.iter().position(|output| output.slot == slot) else {
            return false;
        };
        let read = fd::read_some(&self.outputs[at].fd, &mut pump.buffer[HEADER_BYTES..]);
        let n_bytes = match read {
            Ok(Some(0)) | Err(_) => {
                pump.poller.remove(&self.outputs[at].fd);
                self.outputs.remove(at);
                return false;
            }
            Ok(None) => return false,
            Ok(Some(n_bytes)) => n_bytes,
        };
        let payload = &pump.buffer[HEADER_BYTES..HEADER_BYTES + n_bytes];
        if let Some(log) = &mut pump.log {
            let stream = if slot == STDERR {
                Stream::Stderr
            } else {
                Stream::Stdout
            };
            log.write(stream, clock::unix_ns(), payload);
        }
        if !self.clients.is_empty() {
            self.show(slot, n_bytes, pump);
        }
        true
    }

    /// Passes a chunk on to the viewers of its stream.
    fn show(&mut self, slot: u64, n_bytes: usize, pump: &mut Pump<'_>) {
        let number = u8::try_from(slot).unwrap_or(1);
        let length = u32::try_from(n_bytes).unwrap_or(0).to_be_bytes();
        pump.buffer[..4].copy_from_slice(&[number, 0, 0, 0]);
        pump.buffer[4..HEADER_BYTES].copy_from_slice(&length);
        let first = if self.has_terminal { HEADER_BYTES } else { 0 };
        let bytes = &pump.buffer[first..HEADER_BYTES + n_bytes];
        let events = &mut *pump.events;
        self.clients.retain_mut(|client| {
            let stays = !sees(client.streams, slot) || client.offer(bytes);
            if !stays {
                events.push(Event::AttachEnded {
                    id: client.id.clone(),
                });
            }
            stays
        });
    }

    /// Says whether a viewer of this stream is behind.
    fn is_held(&self, slot: u64) -> bool {
        self.clients
            .iter()
            .any(|client| sees(client.streams, slot) && client.is_behind())
    }

    /// Serves one viewer: sends what waits, takes what was typed.
    fn serve(&mut self, slot: u64, hung_up: bool, pump: &mut Pump<'_>) {
        let token = pump.key << 32 | slot;
        let Some(at) = self.clients.iter().position(|client| client.token == token) else {
            return;
        };
        let mut stays = self.clients[at].flush();
        if self.takes_input() {
            let typed = self.clients[at].read(&mut pump.buffer[..16 << 10]);
            match typed {
                Some(0) if self.stdin_once => self.close_input(),
                Some(n_bytes) => self.type_in(&pump.buffer[..n_bytes]),
                None => {}
            }
        }
        stays &= !hung_up;
        if !stays {
            let client = self.clients.remove(at);
            if client.streams.stdin && self.stdin_once {
                self.close_input();
            }
            pump.events.push(Event::AttachEnded { id: client.id });
        }
    }

    fn takes_input(&self) -> bool {
        match &self.input {
            Some(input) => input.takes_more(),
            // Read and thrown away, so that the end is seen.
            None => !self.awaits_terminal,
        }
    }

    fn type_in(&mut self, bytes: &[u8]) {
        if let Some(input) = &mut self.input {
            input.push(bytes);
        }
        self.flush_input();
    }

    fn flush_input(&mut self) {
        if self.input.as_mut().is_some_and(|input| !input.flush()) {
            // The process does not read any more.
            self.input = None;
        }
    }

    /// Waits for what makes sense now; called after every change.
    pub(super) fn poll(&mut self, pump: &Pump<'_>) {
        let Pump { poller, key, .. } = pump;
        let held = [STDOUT, STDERR].map(|slot| self.is_held(slot));
        for output in &mut self.outputs {
            let wanted = !held[usize::from(output.slot == STDERR)];
            let interest = Interest {
                readable: true,
                writable: false,
            };
            // Taken out instead of silenced: the end of a pipe would be told again and again.
            match (output.is_polled, wanted) {
                (false, true) => {
                    let added = poller.add(&output.fd, key << 32 | output.slot, interest);
                    output.is_polled = added.is_ok();
                }
                (true, false) => {
                    poller.remove(&output.fd);
                    output.is_polled = false;
                }
                _ => {}
            }
        }
        if self.input.as_ref().is_some_and(Input::has_ended) {
            self.input = None;
        }
        if let Some(input) = &mut self.input {
            input.poll(poller, key << 32 | STDIN);
        }
        let takes_input = self.takes_input();
        for client in &mut self.clients {
            client.poll(poller, takes_input);
        }
    }
}

fn sees(streams: AttachStreams, slot: u64) -> bool {
    if slot == STDERR {
        streams.stderr
    } else {
        streams.stdout
    }
}
