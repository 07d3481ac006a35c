//! The words between an engine and a monitor.
//!
//! One message is one packet of a `SOCK_SEQPACKET` socket: JSON, with descriptors beside it. Each
//! request carries a number and gets exactly one answer with that number, [`Event::Done`] or
//! [`Event::Refused`]; what then happens comes as events of its own, in the order it happened.
//!
//! A monitor may be years older than the engine that connects to it, so words are only ever added:
//! a monitor refuses a request it does not know, and an engine skips an event it does not know.
//! The first event on every connection is [`Event::Ready`], which tells where things stand.

use serde::{Deserialize, Serialize};

use crate::exit::ExitRecord;
use crate::log::Position;
use crate::spec::Process;

/// The version of this protocol.
pub const PROTOCOL_VERSION: u32 = 1;

/// The oldest version that an engine still speaks.
pub(crate) const OLDEST_PROTOCOL: u32 = 1;

/// What an engine may ask of a monitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Lets the container's first process run. Then [`Event::Started`] or [`Event::StartFailed`].
    Start,
    /// Joins a client to the container's streams; one stream socket comes with it.
    ///
    /// With a terminal the socket carries raw bytes both ways; without one, what the container
    /// writes arrives in Docker's frames of eight bytes and a payload. Shutting down the client's
    /// writing side ends its input. [`Event::AttachEnded`] follows when the client has gone.
    Attach { id: String, streams: AttachStreams },
    /// Closes the container's standard input.
    CloseStdin,
    /// Runs another process; with a stream socket as for `Attach`, or without one (detached).
    ///
    /// Then [`Event::ExecStarted`] and later [`Event::ExecExited`], or [`Event::ExecFailed`].
    Exec {
        id: String,
        process: Process,
        streams: AttachStreams,
    },
    /// Sets the size of a terminal.
    Resize { target: Target, size: TerminalSize },
    /// Sends a signal.
    Signal { target: Target, signal: i32 },
}

/// Which streams a client takes part in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttachStreams {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
}

/// Whom a request is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The container's first process.
    Init,
    /// Every process of the container.
    All,
    /// The process of an exec.
    Exec(String),
}

/// Rows and columns of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSize {
    pub rows: u16,
    pub columns: u16,
}

/// What a monitor tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The first event of each connection: init is set up, and this is how things stand.
    Ready { protocol: u32, state: MonitorState },
    /// Instead of `Ready`: a step of the set-up failed and the monitor has undone everything.
    SetupFailed { message: String },
    /// The request with this number was carried out (or begun, where more events follow).
    Done {
        seq: u64,
        /// After [`Request::Attach`]: what lies before this place of the log was said before, what
        /// comes after it goes to the client. Monitors of the first version do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        log_end: Option<Position>,
    },
    /// The request with this number was not carried out.
    Refused { seq: u64, message: String },
    /// The container's first process runs.
    Started { pid: i32, started_at_unix_ns: u64 },
    /// The program could not be executed: 127 not found, 126 not executable. The monitor ends.
    StartFailed { message: String, exit_code: i32 },
    /// An exec's process runs.
    ExecStarted { id: String, pid: i32 },
    /// An exec's program could not be executed.
    ExecFailed {
        id: String,
        message: String,
        exit_code: i32,
    },
    /// An exec's process ended. What it wrote is still being delivered to its socket.
    ExecExited { id: String, code: i32 },
    /// An attached client has gone, or the streams have ended.
    AttachEnded { id: String },
    /// The container's first process ended; only `AttachEnded` may follow.
    Exited(ExitRecord),
}

/// Where a monitor stands when an engine connects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MonitorState {
    /// The monitor's own process id.
    pub monitor_pid: i32,
    /// The container's first process, as the host counts.
    pub init_pid: i32,
    /// When it began, or nothing before `Start`.
    pub started_at_unix_ns: Option<u64>,
    /// Execs that run, and those that ended while no engine listened.
    pub execs: Vec<ExecState>,
}

/// An exec that a monitor knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecState {
    pub id: String,
    pub pid: i32,
    /// Its exit code when it has ended.
    pub code: Option<i32>,
}

/// A request with its number, as it is sent.
#[derive(Debug, Serialize)]
pub(crate) struct Outgoing<'a> {
    pub(crate) seq: u64,
    pub(crate) request: &'a Request,
}

/// A request with its number, as it arrives.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Numbered {
    pub(crate) seq: u64,
    pub(crate) request: Request,
}
