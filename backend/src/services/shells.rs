//! Starting a command in a container: the one that was asked for, or the best shell that starts.

use std::time::Duration;

use engine_api::error::ErrorKind;
use engine_api::execs::{ExecCreateBody, ExecStartBody};

use super::{Error, Obstacle};
use crate::fleet::{Attached, ClientError, EngineClient};

/// Shells, the best first. One whose file is not there is not tried: a try is a process in the
/// container and three events.
const SHELLS: &[&[&str]] = &[
    &["/bin/bash"],
    &["/usr/bin/bash"],
    &["/bin/ash"],
    &["/bin/sh"],
    &["/usr/bin/sh"],
    &["/busybox/sh"],
    &["/bin/busybox", "sh"],
];

/// What a shell has to know of the window it is in.
const ENVIRONMENT: &[&str] = &["TERM=xterm-256color", "COLORTERM=truecolor"];

/// Exit codes that say that a command never ran: it could not be executed, it is not there.
const NEVER_RAN: [i32; 2] = [126, 127];

/// How long an engine may take to start a command whose streams are open.
const START_DEADLINE: Duration = Duration::from_secs(5);
/// How often it is asked meanwhile.
const START_PERIOD: Duration = Duration::from_millis(2);

/// What to open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TerminalRequest {
    /// The command; empty for the best shell that the image has.
    pub command: Vec<String>,
    /// Who runs it; empty for the container's own user.
    pub user: String,
    /// Where; empty for the container's own directory.
    pub directory: String,
    /// The window.
    pub size: Size,
}

/// The size of a window, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Lines.
    pub rows: u16,
    /// Columns.
    pub columns: u16,
}

impl Size {
    /// Returns a size that a terminal can have.
    pub fn new(rows: u16, columns: u16) -> Self {
        let usual = Self::default();
        let pick = |asked: u16, usual| if asked == 0 { usual } else { asked.min(1_000) };
        Self {
            rows: pick(rows, usual.rows),
            columns: pick(columns, usual.columns),
        }
    }
}

impl Default for Size {
    fn default() -> Self {
        Self {
            rows: 24,
            columns: 80,
        }
    }
}

/// Why no terminal opens.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The image has no shell that starts.
    #[error("the image has no shell")]
    NoShell,
    /// The container does not run.
    #[error("the container does not run")]
    NotRunning,
    /// The command does not start.
    #[error("{message}")]
    NotStarted {
        /// Why, in the engine's words.
        message: String,
    },
    /// Anything else.
    #[error(transparent)]
    Service(#[from] Error),
}

impl OpenError {
    /// Returns what it means.
    pub(super) fn meaning(&self) -> Error {
        match self {
            Self::NoShell => Error::InTheWay(Obstacle::NoShell),
            Self::NotRunning => Error::InTheWay(Obstacle::NotRunning),
            Self::NotStarted { message } => Error::Conflict {
                message: message.clone(),
            },
            Self::Service(error) => Error::Conflict {
                message: error.noted(),
            },
        }
    }
}

impl From<ClientError> for OpenError {
    fn from(error: ClientError) -> Self {
        match error.kind() {
            Some(ErrorKind::Conflict) => Self::NotRunning,
            _ => Self::Service(error.into()),
        }
    }
}

/// A command that runs, and its streams.
pub(super) struct Started {
    pub(super) exec: String,
    pub(super) command: Vec<String>,
    pub(super) attached: Attached,
}

/// Starts the command of a request, or the first shell that starts.
pub(super) async fn start(
    client: &EngineClient,
    container: &str,
    request: &TerminalRequest,
) -> Result<Started, OpenError> {
    if !request.command.is_empty() {
        return match attempt(client, container, request, &request.command).await? {
            Attempt::Runs(started) => Ok(started),
            Attempt::NeverRan { message } => Err(OpenError::NotStarted { message }),
        };
    }
    for shell in SHELLS {
        if is_missing(client, container, shell[0]).await {
            continue;
        }
        let command: Vec<String> = shell.iter().map(|&word| word.to_owned()).collect();
        if let Attempt::Runs(started) = attempt(client, container, request, &command).await? {
            return Ok(started);
        }
    }
    // Perhaps nothing was tried: a container that is gone or down is not one without a shell.
    if client.container(container).await?.state.running {
        Err(OpenError::NoShell)
    } else {
        Err(OpenError::NotRunning)
    }
}

/// Whether the container has no such file; what cannot be told is left to the try.
async fn is_missing(client: &EngineClient, container: &str, path: &str) -> bool {
    let stat = client.container_path_stat(container, path).await;
    stat.is_err_and(|error| error.kind() == Some(ErrorKind::NotFound))
}

enum Attempt {
    Runs(Started),
    NeverRan { message: String },
}

async fn attempt(
    client: &EngineClient,
    container: &str,
    request: &TerminalRequest,
    command: &[String],
) -> Result<Attempt, OpenError> {
    let console_size = Some([request.size.rows, request.size.columns]);
    let body = ExecCreateBody {
        user: request.user.clone(),
        tty: true,
        console_size,
        attach_stdin: true,
        attach_stdout: true,
        attach_stderr: true,
        env: ENVIRONMENT
            .iter()
            .map(|&variable| variable.to_owned())
            .collect(),
        working_dir: request.directory.clone(),
        cmd: Some(command.to_vec()),
        ..ExecCreateBody::default()
    };
    let exec = match client.create_exec(container, &body).await {
        Ok(exec) => exec,
        Err(error) => return refused(error),
    };
    let start = ExecStartBody {
        detach: false,
        tty: true,
        console_size,
    };
    let mut attached = match client.start_exec(&exec, &start).await {
        Ok(attached) => attached,
        Err(error) => return refused(error),
    };
    // The streams open even when the command does not start: the engine writes why into them and
    // notes the code.
    let is_dead = |code: Option<i32>| code.is_some_and(|code| NEVER_RAN.contains(&code));
    if !is_dead(code_of_a_quick_end(client, &exec).await?) {
        let command = command.to_vec();
        return Ok(Attempt::Runs(Started {
            exec,
            command,
            attached,
        }));
    }
    let mut message = Vec::new();
    while let Ok(Some(piece)) = attached.output.next().await {
        message.extend_from_slice(&piece.bytes);
        if message.len() > 4_096 {
            break;
        }
    }
    let message = String::from_utf8_lossy(&message).trim().to_owned();
    Ok(Attempt::NeverRan { message })
}

/// Waits until a command runs or has ended; the code if it has ended.
///
/// An engine opens the streams first and starts the command behind them.
async fn code_of_a_quick_end(
    client: &EngineClient,
    exec: &str,
) -> Result<Option<i32>, ClientError> {
    let deadline = tokio::time::Instant::now() + START_DEADLINE;
    loop {
        let seen = client.exec(exec).await?;
        if seen.running || seen.exit_code.is_some() || tokio::time::Instant::now() > deadline {
            return Ok(seen.exit_code);
        }
        tokio::time::sleep(START_PERIOD).await;
    }
}

/// A command, a user or a directory that cannot be is a refusal of this attempt alone.
fn refused(error: ClientError) -> Result<Attempt, OpenError> {
    match error.kind() {
        Some(ErrorKind::BadRequest | ErrorKind::Internal) => Ok(Attempt::NeverRan {
            message: crate::errors::chain(&error),
        }),
        _ => Err(error.into()),
    }
}
