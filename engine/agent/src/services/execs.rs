//! Commands run inside a container beside its program.
//!
//! ```text
//!   create ──> Created ── start ──> Running ── its end ──> Ended { code }
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine_api::body;
use engine_api::execs::{ExecCreateBody, ExecInspect, ExecProcess, ExecStartBody};
use engine_api::id::ExecId;
use engine_runtime::{AttachStreams, Process, Target, TerminalSize};
use tokio::net::UnixStream;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::ids;
use crate::services::containers::{self, Containers, ExecOutcome, ExecStart, Handle};
use crate::services::error::{Result, ServiceError};

/// How long the code of one that ended can be asked for.
const KEPT: Duration = Duration::from_secs(300);

/// Most that are remembered; beyond it those go first that nobody started, then those that ended
/// first. When all run, nothing new is created.
const EXECS_MAX: usize = 10_000;

/// How long a resize waits for a command that is just starting.
const START_DEADLINE: Duration = Duration::from_secs(10);

/// The exit code of a command that could not begin, unless its program is missing.
const NOT_BEGUN: i32 = 126;

/// All commands that can be asked for.
pub(crate) struct Execs {
    containers: Arc<Containers>,
    by_id: Mutex<BTreeMap<ExecId, Arc<Exec>>>,
}

/// One command.
pub(crate) struct Exec {
    id: ExecId,
    container: Arc<Handle>,
    body: ExecCreateBody,
    /// What a privileged one gets.
    grantable: Vec<String>,
    state: watch::Sender<State>,
    size: Mutex<Option<TerminalSize>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Created { at: Instant },
    Starting,
    Running { pid: i32 },
    Ended { code: i32, at: Instant },
}

/// A command that is about to start; nobody else may start it meanwhile.
pub(crate) struct Ready {
    exec: Arc<Exec>,
    is_gone: bool,
}

impl Ready {
    /// Returns its end, to be waited for.
    pub(crate) fn ended(&self) -> Ended {
        Ended(self.exec.state.subscribe())
    }

    fn go(mut self) -> Arc<Exec> {
        self.is_gone = true;
        Arc::clone(&self.exec)
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        if !self.is_gone {
            // Whoever asked left before it began; it may be tried again.
            self.exec.state.send_replace(State::created());
        }
    }
}

/// A command that was started with somebody at its streams.
pub(crate) struct Session {
    pub(crate) socket: UnixStream,
    pub(crate) stdin: bool,
    /// It did not come to run; told in the stream, as Docker does.
    pub(crate) failure: Option<String>,
}

/// The end of a command.
pub(crate) struct Ended(watch::Receiver<State>);

impl Ended {
    /// Waits until the exit code can be asked for.
    pub(crate) async fn wait(&mut self) {
        // An error means that nobody can ask any more.
        let _ = self
            .0
            .wait_for(|state| matches!(state, State::Ended { .. }))
            .await;
    }
}

impl Execs {
    pub(crate) fn new(containers: Arc<Containers>) -> Self {
        Self {
            containers,
            by_id: Mutex::default(),
        }
    }

    /// Prepares a command.
    ///
    /// # Errors
    /// When the container is not there or does not run, or an option is refused.
    pub(crate) fn create(&self, container: &str, bytes: &[u8]) -> Result<ExecId> {
        let bad = |e: body::BodyError| ServiceError::BadRequest(e.to_string());
        let known = ExecCreateBody::all_members();
        let asked: ExecCreateBody = body::parse_known(bytes, &known).map_err(bad)?;
        if asked.cmd.as_ref().is_none_or(Vec::is_empty) {
            return Err(ServiceError::BadRequest(
                "No exec command specified".to_owned(),
            ));
        }
        containers::check_process(asked.cmd.as_deref().unwrap_or_default(), &asked.env)?;
        if !asked.working_dir.is_empty() && !asked.working_dir.starts_with('/') {
            return Err(ServiceError::BadRequest(format!(
                "WorkingDir: {:?} is not an absolute path",
                asked.working_dir
            )));
        }
        let container = self.containers.find(container)?;
        container.view().require_running("exec")?;
        let exec = Arc::new(Exec {
            id: ids::exec_id(),
            container,
            grantable: self.containers.site.powers.grantable.clone(),
            size: Mutex::new(asked.console_size.and_then(containers::size)),
            body: asked,
            state: watch::Sender::new(State::created()),
        });
        self.remember(&exec)?;
        let command = exec.command_line();
        self.containers.tell(
            &exec.container,
            format!("exec_create: {command}"),
            [("execID", exec.id.to_string())],
        );
        Ok(exec.id.clone())
    }

    /// Takes a command for a start that follows: what is refused is refused here.
    ///
    /// # Errors
    /// When it is not there or was started before, or its container does not run.
    pub(crate) fn prepare(&self, id: &str) -> Result<Ready> {
        let exec = self.find(id)?;
        exec.container.view().require_running("exec")?;
        let began = exec.state.send_if_modified(|state| {
            let is_new = matches!(state, State::Created { .. });
            if is_new {
                *state = State::Starting;
            }
            is_new
        });
        if !began {
            let message = format!("Error: Exec command {} has already run", exec.id);
            return Err(ServiceError::Conflict(message));
        }
        let is_gone = false;
        Ok(Ready { exec, is_gone })
    }

    /// Starts a command and joins its streams.
    ///
    /// # Errors
    /// When its container has ended meanwhile; it counts as run then.
    pub(crate) async fn start(&self, ready: Ready, start: &ExecStartBody) -> Result<Session> {
        let (socket, far) = containers::pair()?;
        let exec = ready.go();
        let streams = AttachStreams {
            stdin: exec.body.attach_stdin,
            stdout: exec.body.attach_stdout,
            stderr: exec.body.attach_stderr,
        };
        let outcome = self.run(&exec, start, streams, Some(far)).await?;
        let failure = match outcome {
            ExecOutcome::Running { .. } => None,
            ExecOutcome::Failed { message, .. } => Some(message),
        };
        Ok(Session {
            socket,
            stdin: exec.body.attach_stdin,
            failure,
        })
    }

    /// Starts a command that nobody watches.
    ///
    /// # Errors
    /// When it cannot run.
    pub(crate) async fn start_detached(&self, ready: Ready, start: &ExecStartBody) -> Result<()> {
        let exec = ready.go();
        match self
            .run(&exec, start, AttachStreams::default(), None)
            .await?
        {
            ExecOutcome::Running { .. } => Ok(()),
            ExecOutcome::Failed { message, .. } => Err(ServiceError::BadRequest(message)),
        }
    }

    /// Sets the size of a command's terminal; of one not started, the size it will begin with.
    ///
    /// # Errors
    /// When it is not there, has ended, or has no terminal.
    pub(crate) async fn resize(&self, id: &str, size: TerminalSize) -> Result<()> {
        let exec = self.find(id)?;
        let mut state = exec.state.subscribe();
        let settled = state.wait_for(|state| *state != State::Starting);
        let state = match tokio::time::timeout(START_DEADLINE, settled).await {
            Ok(Ok(state)) => *state,
            _ => State::Starting,
        };
        match state {
            State::Created { .. } | State::Starting => {
                *exec.size.lock().unwrap_or_else(PoisonError::into_inner) = Some(size);
                let message = format!("exec {id} is not running");
                Err(ServiceError::Conflict(message))
            }
            State::Running { .. } => {
                exec.container
                    .resize_of(Target::Exec(exec.id.to_string()), size)
                    .await
            }
            State::Ended { .. } => Err(ServiceError::Conflict(format!("exec {id} has ended"))),
        }
    }

    /// Hangs up on a command whose terminal's other end is gone; nothing happens if it has ended.
    pub(crate) async fn hang_up(&self, id: &str) {
        let Ok(exec) = self.find(id) else { return };
        if !matches!(*exec.state.borrow(), State::Running { .. }) {
            return;
        }
        if let Err(error) = exec.container.hang_up(id).await {
            tracing::debug!(exec.id = id, %error, "nobody to hang up on");
        }
    }

    /// Returns what is known of a command.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn inspect(&self, id: &str) -> Result<ExecInspect> {
        let exec = self.find(id)?;
        let state = *exec.state.borrow();
        let words = exec.body.cmd.as_deref().unwrap_or_default();
        let (entrypoint, arguments) = words
            .split_first()
            .map_or_else(Default::default, |(e, a)| (e.clone(), a.to_vec()));
        Ok(ExecInspect {
            id: exec.id.to_string(),
            running: matches!(state, State::Running { .. }),
            exit_code: match state {
                State::Ended { code, .. } => Some(code),
                _ => None,
            },
            process_config: ExecProcess {
                tty: exec.body.tty,
                entrypoint,
                arguments,
                privileged: exec.body.privileged,
                user: exec.body.user.clone(),
            },
            open_stdin: exec.body.attach_stdin,
            open_stderr: exec.body.attach_stderr,
            open_stdout: exec.body.attach_stdout,
            can_remove: matches!(state, State::Ended { .. }),
            container_id: exec.container.id.to_string(),
            detach_keys: exec.body.detach_keys.clone(),
            pid: match state {
                State::Running { pid } => pid,
                _ => 0,
            },
        })
    }

    /// Runs a command in a task of its own, which sees it to its end: whoever asked may leave while
    /// it begins.
    async fn run(
        &self,
        exec: &Arc<Exec>,
        start: &ExecStartBody,
        streams: AttachStreams,
        socket: Option<std::os::fd::OwnedFd>,
    ) -> Result<ExecOutcome> {
        let (begun, outcome) = oneshot::channel();
        let (ended, end) = oneshot::channel();
        let (id, process) = (exec.id.to_string(), exec.process(start));
        let (exec, containers) = (Arc::clone(exec), Arc::clone(&self.containers));
        self.containers.site.tasks.spawn("exec", async move {
            let start = |reply| ExecStart {
                id,
                process,
                streams,
                socket,
                is_probe: false,
                reply,
                ended,
            };
            let outcome = exec.container.exec(start).await;
            let runs = exec.begun(&outcome, &containers);
            // Nobody may be there to hear it.
            let _ = begun.send(outcome);
            if runs {
                // Without a word of its own it ended with its container.
                let code = end.await.unwrap_or(137);
                exec.ended(code);
                exec.tell_end(&containers, code);
            }
        });
        let stopping = |_| ServiceError::Unavailable("the engine stops".to_owned());
        outcome.await.map_err(stopping)?
    }

    fn find(&self, id: &str) -> Result<Arc<Exec>> {
        let none = || ServiceError::NoSuchExec(id.to_owned());
        let id: ExecId = id.parse().map_err(|_| none())?;
        self.execs().get(&id).cloned().ok_or_else(none)
    }

    fn remember(&self, exec: &Arc<Exec>) -> Result<()> {
        let now = Instant::now();
        let mut execs = self.execs();
        execs.retain(|_, exec| !exec.is_stale(now));
        make_room(&mut execs);
        if execs.len() >= EXECS_MAX {
            let message = format!("more than {EXECS_MAX} commands are prepared or run");
            return Err(ServiceError::Unavailable(message));
        }
        execs.insert(exec.id.clone(), Arc::clone(exec));
        Ok(())
    }

    fn execs(&self) -> MutexGuard<'_, BTreeMap<ExecId, Arc<Exec>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn created() -> Self {
        Self::Created { at: Instant::now() }
    }

    /// Returns since when nothing happens, and whether it was ever started.
    fn at_rest(self) -> Option<(bool, Instant)> {
        match self {
            Self::Created { at } => Some((false, at)),
            Self::Ended { at, .. } => Some((true, at)),
            Self::Starting | Self::Running { .. } => None,
        }
    }
}

/// Forgets what can be missed most easily of too many commands.
fn make_room(execs: &mut BTreeMap<ExecId, Arc<Exec>>) {
    if execs.len() < EXECS_MAX {
        return;
    }
    let at_rest = |(id, exec): (&ExecId, &Arc<Exec>)| {
        let rest = exec.state.borrow().at_rest()?;
        Some((rest, id.clone()))
    };
    let mut rests: Vec<_> = execs.iter().filter_map(at_rest).collect();
    rests.sort_by_key(|(rest, _)| *rest);
    // Many at once: to look at them all for each new one would be slow.
    for (_, id) in rests.into_iter().take(EXECS_MAX / 10) {
        execs.remove(&id);
    }
}

impl Exec {
    /// Puts down how a start went, and tells everybody; says whether it runs.
    fn begun(&self, outcome: &Result<ExecOutcome>, containers: &Containers) -> bool {
        match outcome {
            Ok(ExecOutcome::Running { pid }) => {
                self.state.send_replace(State::Running { pid: *pid });
                self.tell_start(containers);
                true
            }
            Ok(ExecOutcome::Failed { exit_code, .. }) => {
                self.ended(*exit_code);
                self.tell_start(containers);
                self.tell_end(containers, *exit_code);
                false
            }
            Err(_) => {
                // It never reached the container; Docker has this code for it.
                self.ended(NOT_BEGUN);
                false
            }
        }
    }

    fn ended(&self, code: i32) {
        self.state.send_replace(State::Ended {
            code,
            at: Instant::now(),
        });
    }

    fn tell_start(&self, containers: &Containers) {
        let action = format!("exec_start: {}", self.command_line());
        containers.tell(&self.container, action, [("execID", self.id.to_string())]);
    }

    fn tell_end(&self, containers: &Containers, code: i32) {
        let more = [
            ("execID", self.id.to_string()),
            ("exitCode", code.to_string()),
        ];
        containers.tell(&self.container, "exec_die", more);
    }

    /// Nobody will ask for it any more: it ended long ago, or cannot start without its container.
    fn is_stale(&self, now: Instant) -> bool {
        match *self.state.borrow() {
            State::Ended { at, .. } => now.duration_since(at) > KEPT,
            State::Created { .. } => !self.container.view().is_running(),
            State::Starting | State::Running { .. } => false,
        }
    }

    fn command_line(&self) -> String {
        self.body.cmd.as_deref().unwrap_or_default().join(" ")
    }

    fn process(&self, start: &ExecStartBody) -> Process {
        let view = self.container.view();
        let size = *self.size.lock().unwrap_or_else(PoisonError::into_inner);
        let size = start.console_size.and_then(containers::size).or(size);
        containers::exec_process(&view.record, &self.body, size, &self.grantable)
    }
}
