//! The one task that owns a container: it alone writes the container's state.
//!
//! It waits for a command, for a word of the monitor or for the moment to start it again, whichever
//! comes first, and carries each out before it takes the next. Nothing here waits for a person:
//! stopping, for one, is a signal here and a wait at whoever asked.
//!
//! This file holds the state and hands out the work; the work is in `starting.rs`, `ending.rs`,
//! `pausing.rs`, `probing.rs` and `update.rs`, each an `impl Owner`.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_api::containers::Health;
use engine_api::id::ContainerName;
use engine_runtime::log::Position;
use engine_runtime::{Event, Fact, Phase, Request, Target, TerminalSize};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::apart::{Found, Search};
use super::command::{Beginning, Client, Command, ExecOutcome, ExecStart, Reply, answer};
use super::conversation::Conversation;
use super::probing::Probing;
use super::registry::{Handle, Site};
use super::restarts::Backoff;
use super::start;
use super::view::View;
use crate::faults;
use crate::records::{ContainerRecord, LifeRecord};
use crate::services::error::{Result, ServiceError};
use crate::services::images::LayersHeld;
use crate::tasks::blocking;

/// Commands that may wait for their turn; who comes later waits for room.
const INBOX_COMMANDS: usize = 64;

/// Clients that may be attached to a container that does not run yet.
const WAITING_MAX: usize = 64;

pub(super) struct Exec {
    /// The number of the request that began it.
    seq: u64,
    pub(super) reply: Option<Reply<ExecOutcome>>,
    ended: Option<oneshot::Sender<i32>>,
    pub(super) is_probe: bool,
}

pub(crate) struct Owner {
    pub(super) site: Arc<Site>,
    pub(super) record: Arc<ContainerRecord>,
    pub(super) life: Arc<LifeRecord>,
    pub(super) phase: Phase,
    pub(super) paused: bool,
    pub(super) n_exits: u64,
    pub(super) last_code: i32,
    /// When its policy starts it again.
    pub(super) restart_at: Option<Instant>,
    pub(super) backoff: Backoff,
    pub(super) health: Option<Arc<Health>>,
    pub(super) probing: Option<Probing>,
    /// Its own inbox, for those that look after its health.
    pub(super) inbox: mpsc::WeakSender<Command>,
    pub(super) monitor: Option<Conversation>,
    /// The monitor of a container that runs, when it cannot be spoken with.
    pub(super) apart: Option<Search>,
    /// Somebody wants its program killed.
    pub(super) kill_asked: bool,
    pub(super) waiting: Vec<Client>,
    pub(super) size: Option<TerminalSize>,
    pub(super) execs: BTreeMap<String, Exec>,
    pub(super) removing: bool,
    pub(super) gone: bool,
    pub(super) view: watch::Sender<Arc<View>>,
    pub(super) layers_held: Option<LayersHeld>,
    pub(super) files: Arc<Semaphore>,
}

enum Next {
    Command(Option<Command>),
    Heard(Result<Event, engine_runtime::Error>),
    /// The monitor does not answer what it was asked.
    Silent,
    Found(Found),
    /// The moment to start it again has come.
    Again,
}

/// Begins to own a container; the handle is how everybody else reaches it.
///
/// # Errors
/// When the monitor's socket cannot be watched.
pub(crate) fn spawn(site: &Arc<Site>, beginning: Beginning) -> Result<Arc<Handle>> {
    let Beginning {
        record,
        life,
        phase,
        paused,
        health,
        control,
        untold_exit,
        layers_held,
    } = beginning;
    let record = Arc::new(record);
    let id = record.id.clone();
    let left_probes = control.as_ref().map(super::probing::left);
    let monitor = control.map(Conversation::new).transpose()?;
    let is_apart = monitor.is_none() && matches!(phase, Phase::Running { .. });
    let (inbox, commands) = mpsc::channel(INBOX_COMMANDS);
    let view = watch::Sender::new(Arc::new(View {
        record: Arc::clone(&record),
        life: Arc::default(),
        phase: Phase::Created,
        paused: false,
        restarting: false,
        health: None,
        last_code: 0,
        n_exits: 0,
        exec_ids: Vec::new(),
        removing: false,
        gone: false,
    }));
    let files = Arc::new(Semaphore::new(1));
    let owner = Owner {
        site: Arc::clone(site),
        record,
        life: Arc::new(life),
        last_code: match &phase {
            Phase::Exited(exit) => exit.code,
            _ => 0,
        },
        phase,
        paused,
        n_exits: 0,
        restart_at: None,
        backoff: Backoff::default(),
        health: health.map(Arc::new),
        probing: None,
        inbox: inbox.downgrade(),
        monitor,
        apart: is_apart.then(|| Search::begin(site, &id)),
        kill_asked: false,
        waiting: Vec::new(),
        size: None,
        execs: BTreeMap::new(),
        removing: false,
        gone: false,
        view,
        layers_held: Some(layers_held),
        files: Arc::clone(&files),
    };
    owner.publish_view();
    let seen = owner.view.subscribe();
    let left = left_probes.unwrap_or_default();
    site.tasks
        .spawn("container", owner.run(commands, untold_exit, left));
    Ok(Arc::new(Handle::new(id, inbox, seen, files)))
}

impl Owner {
    async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        untold_exit: bool,
        left_probes: Vec<String>,
    ) {
        self.end_probes(left_probes).await;
        self.resume(untold_exit).await;
        while !self.gone {
            let next = tokio::select! {
                heard = hear(self.monitor.as_ref()) => Next::Heard(heard),
                command = commands.recv() => Next::Command(command),
                found = found(self.apart.as_mut()) => Next::Found(found),
                () = moment(self.monitor.as_ref().and_then(Conversation::deadline)) => Next::Silent,
                () = moment(self.restart_at) => Next::Again,
            };
            match next {
                Next::Heard(Ok(event)) => self.on_event(event).await,
                Next::Heard(Err(error)) => self.lost_touch(error).await,
                Next::Silent => {
                    let error = engine_runtime::Error::TimedOut("answer");
                    self.lost_touch(error).await;
                }
                Next::Found(found) => self.found(found).await,
                Next::Command(Some(command)) => self.on_command(command).await,
                Next::Command(None) => return,
                Next::Again => self.start_again().await,
            }
        }
    }

    async fn on_command(&mut self, command: Command) {
        match command {
            Command::Start { reply } => {
                let result = self.start_by_hand().await;
                answer(reply, result);
                self.remove_if_asked().await;
            }
            Command::Signal {
                target,
                signal,
                ask,
                reply,
            } => self.signal(target, signal, ask, reply).await,
            Command::Pause { reply } => {
                let result = self.pause().await;
                answer(reply, result);
            }
            Command::Unpause { reply } => {
                let result = self.unpause().await;
                answer(reply, result);
            }
            Command::Update { body, reply } => {
                let result = self.update(&body).await;
                answer(reply, result);
            }
            Command::Probed { result } => self.probed(result).await,
            Command::Attach { client, reply } => self.attach(client, reply).await,
            Command::Resize {
                target,
                size,
                reply,
            } => self.resize(target, size, reply).await,
            Command::Exec(exec) => self.exec(*exec).await,
            Command::Rename { name, reply } => {
                let result = self.rename(name).await;
                answer(reply, result);
            }
            Command::Connect { membership, reply } => {
                let result = self.connect(*membership).await;
                answer(reply, result);
            }
            Command::Disconnect { network, reply } => {
                let result = self.disconnect(&network).await;
                answer(reply, result);
            }
            Command::Remove {
                takes_volumes,
                reply,
            } => {
                let result = match self.phase {
                    Phase::Running { .. } | Phase::Starting => Err(self.is_running()),
                    _ if self.restart_at.is_some() => Err(self.is_running()),
                    _ => self.remove(takes_volumes).await,
                };
                answer(reply, result);
            }
        }
    }

    pub(super) async fn on_event(&mut self, event: Event) {
        match event {
            Event::Done { seq, log_end } => self.answer_request(seq, Ok(log_end)),
            Event::Refused { seq, message } => {
                self.answer_request(seq, Err(ServiceError::Conflict(message)));
            }
            Event::ExecStarted { id, pid } => {
                self.exec_begun(&id, ExecOutcome::Running { pid });
            }
            Event::ExecFailed {
                id,
                message,
                exit_code,
            } => {
                // Docker has 126 for every exec that could not begin, but for a missing program.
                let exit_code = if exit_code == start::NOT_STARTED {
                    126
                } else {
                    exit_code
                };
                self.exec_begun(&id, ExecOutcome::Failed { message, exit_code });
                self.exec_ended(&id, exit_code);
            }
            Event::ExecExited { id, code } => self.exec_ended(&id, code),
            Event::Exited(exit) => self.ended(Fact::Exited(exit)).await,
            Event::AttachEnded { .. }
            | Event::Ready { .. }
            | Event::SetupFailed { .. }
            | Event::Started { .. }
            | Event::StartFailed { .. } => {}
        }
    }

    async fn attach(&mut self, client: Client, reply: Reply<Option<Position>>) {
        if (self.paused || self.restart_at.is_some())
            && let Err(error) = self.view.borrow().require_running("attach")
        {
            return answer(reply, Err(error));
        }
        if self.apart.is_some() {
            return answer(reply, Err(self.is_apart()));
        }
        if let Some(monitor) = &mut self.monitor {
            let Client {
                id,
                streams,
                socket,
            } = client;
            let request = Request::Attach { id, streams };
            return monitor.join(request, &socket, reply).await;
        }
        if self.waiting.len() == WAITING_MAX {
            let message = format!("more than {WAITING_MAX} clients wait for this container");
            return answer(reply, Err(ServiceError::Conflict(message)));
        }
        // Nothing is written until the start, and the start is one of our own commands.
        let dir = self.site.bundle(&self.record.id).log();
        let log_end = blocking(move || Position::end_of(&dir)).await;
        if log_end.is_ok() {
            self.waiting.push(client);
        }
        let log_end = log_end.map_err(ServiceError::failed("read the container's log"));
        answer(reply, log_end.map(Some));
    }

    async fn resize(&mut self, target: Target, size: TerminalSize, reply: Reply<()>) {
        if self.monitor.is_none() && self.apart.is_none() && target == Target::Init {
            // Kept for the start, so that a terminal resized too early begins in its size.
            self.size = Some(size);
            return answer(reply, Err(self.is_not_running()));
        }
        self.ask_running(Request::Resize { target, size }, reply)
            .await;
    }

    async fn exec(&mut self, exec: ExecStart) {
        let ExecStart {
            id,
            process,
            streams,
            socket,
            is_probe,
            reply,
            ended,
        } = exec;
        if let Err(error) = self.view.borrow().require_running("exec") {
            return answer(reply, Err(error));
        }
        if self.monitor.is_none() {
            return answer(reply, Err(self.cannot_ask()));
        }
        let Some(monitor) = &mut self.monitor else {
            return;
        };
        let request = Request::Exec {
            id: id.clone(),
            process,
            streams,
        };
        let seq = match monitor.exec(request, socket.as_ref()).await {
            Ok(seq) => seq,
            Err(error) => return answer(reply, Err(error)),
        };
        faults::point("exec.sent");
        self.execs.insert(
            id,
            Exec {
                seq,
                reply: Some(reply),
                ended: Some(ended),
                is_probe,
            },
        );
        if !is_probe {
            self.publish_view();
        }
    }

    pub(super) fn exec_begun(&mut self, id: &str, outcome: ExecOutcome) {
        faults::point("exec.begun");
        if let Some(reply) = self.execs.get_mut(id).and_then(|exec| exec.reply.take()) {
            answer(reply, Ok(outcome));
        }
    }

    pub(super) fn exec_ended(&mut self, id: &str, code: i32) {
        if let Some(mut exec) = self.execs.remove(id) {
            if !exec.is_probe {
                self.publish_view();
            }
            if let Some(ended) = exec.ended.take() {
                // Whoever waited may have gone.
                let _ = ended.send(code);
            }
        }
    }

    async fn rename(&mut self, name: ContainerName) -> Result<ContainerName> {
        let mut record = (*self.record).clone();
        let former = std::mem::replace(&mut record.name, name);
        let (site, saved) = (Arc::clone(&self.site), record.clone());
        blocking(move || site.store.save(&saved))
            .await
            .map_err(ServiceError::failed("keep the new name"))?;
        self.site.networks.renamed(&record, former.as_str());
        self.record = Arc::new(record);
        self.publish_view();
        self.tell("rename", [("oldName".to_owned(), format!("/{former}"))]);
        Ok(former)
    }

    pub(super) async fn ask_running(&mut self, request: Request, reply: Reply<()>) {
        match &mut self.monitor {
            Some(monitor) => monitor.ask(request, reply).await,
            None => answer(reply, Err(self.cannot_ask())),
        }
    }

    /// Says why there is no monitor to ask.
    fn cannot_ask(&self) -> ServiceError {
        match &self.apart {
            Some(_) => self.is_apart(),
            None => self.is_not_running(),
        }
    }

    fn answer_request(&mut self, seq: u64, result: Result<Option<Position>>) {
        let refused = self.execs.iter().find(|(_, exec)| exec.seq == seq);
        if let (Some(id), Err(_)) = (refused.map(|(id, _)| id.clone()), &result) {
            let reply = self.execs.remove(&id).and_then(|exec| exec.reply);
            self.publish_view();
            if let (Some(reply), Err(error)) = (reply, result) {
                answer(reply, Err(error));
            }
            return;
        }
        if let Some(monitor) = &mut self.monitor {
            monitor.answered(seq, result);
        }
    }

    pub(super) fn step(&mut self, fact: Fact) {
        match self.phase.clone().step(fact) {
            Ok(phase) => self.phase = phase,
            Err(refused) => tracing::error!(
                container.id = self.record.id.as_str(),
                %refused,
                "a fact does not fit the container's state"
            ),
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // It is only forgotten: the engine stops.
        if let Some(held) = self.layers_held.take() {
            held.keep();
        }
    }
}

async fn hear(monitor: Option<&Conversation>) -> Result<Event, engine_runtime::Error> {
    match monitor {
        Some(monitor) => monitor.hear().await,
        None => std::future::pending().await,
    }
}

async fn found(search: Option<&mut Search>) -> Found {
    match search {
        Some(search) => search.found().await,
        None => std::future::pending().await,
    }
}

async fn moment(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
