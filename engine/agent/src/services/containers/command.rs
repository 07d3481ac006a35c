//! What the owner of a container may be asked, and what it is given to begin with.

use std::os::fd::OwnedFd;

use engine_api::containers::{Health, HealthResult, UpdateBody};
use engine_api::id::ContainerName;
use engine_runtime::log::Position;
use engine_runtime::{AttachStreams, Control, Phase, Process, Target, TerminalSize};
use tokio::sync::oneshot;

use crate::records::{ContainerRecord, LifeRecord, Membership};
use crate::services::error::Result;
use crate::services::images::LayersHeld;

/// Where the answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T>>;

/// What the owner may be asked.
pub(crate) enum Command {
    Start {
        reply: Reply<()>,
    },
    Signal {
        target: Target,
        signal: i32,
        /// Who wants the program to end by it; without one it is only delivered.
        ask: Option<Ask>,
        reply: Reply<()>,
    },
    Pause {
        reply: Reply<()>,
    },
    Unpause {
        reply: Reply<()>,
    },
    Update {
        body: Box<UpdateBody>,
        reply: Reply<Vec<String>>,
    },
    /// A look at its health has come to an end.
    Probed {
        result: HealthResult,
    },
    Attach {
        client: Client,
        /// Told the place of the log from which on the client sees everything, if it is known.
        reply: Reply<Option<Position>>,
    },
    Resize {
        target: Target,
        size: TerminalSize,
        reply: Reply<()>,
    },
    Exec(Box<ExecStart>),
    Rename {
        name: ContainerName,
        reply: Reply<ContainerName>,
    },
    Connect {
        membership: Box<Membership>,
        reply: Reply<()>,
    },
    Disconnect {
        /// Its id.
        network: String,
        reply: Reply<()>,
    },
    Remove {
        /// The volumes made for it alone go too.
        takes_volumes: bool,
        reply: Reply<()>,
    },
}

/// Somebody who wants the program to end.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// `stop`, `kill`, `restart` or `remove`.
    pub(crate) verb: &'static str,
    pub(crate) who: String,
    /// It had its time: this is the second, harder word of the same request.
    pub(crate) forced: bool,
}

/// A client of the container's streams and the far end of its socket.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) streams: AttachStreams,
    pub(crate) socket: OwnedFd,
}

/// A command to run beside the program.
pub(crate) struct ExecStart {
    pub(crate) id: String,
    pub(crate) process: Process,
    pub(crate) streams: AttachStreams,
    pub(crate) socket: Option<OwnedFd>,
    /// The engine's own look at its health: no list shows it.
    pub(crate) is_probe: bool,
    pub(crate) reply: Reply<ExecOutcome>,
    /// Told its exit code.
    pub(crate) ended: oneshot::Sender<i32>,
}

/// Whether a command came to run.
pub(crate) enum ExecOutcome {
    Running { pid: i32 },
    Failed { message: String, exit_code: i32 },
}

/// What is known of a container when its owner begins.
pub(crate) struct Beginning {
    pub(crate) record: ContainerRecord,
    pub(crate) life: LifeRecord,
    pub(crate) phase: Phase,
    pub(crate) paused: bool,
    /// How the last engine found it to fare.
    pub(crate) health: Option<Health>,
    pub(crate) control: Option<Control>,
    /// It ended while no engine was there, and nobody was told.
    pub(crate) untold_exit: bool,
    /// Keeps its layers.
    pub(crate) layers_held: LayersHeld,
}

/// Answers whoever asked, if they still wait.
pub(super) fn answer<T>(reply: Reply<T>, result: Result<T>) {
    let _ = reply.send(result);
}
