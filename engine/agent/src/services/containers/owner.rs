//! The one task that owns a container: it alone writes the container's state.
//!
//! It waits for a command or for a word of the monitor, whichever comes first, and carries each
//! out before it takes the next. Nothing here waits for a person: stopping, for one, is a signal
//! here and a wait at whoever asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_api::id::ContainerName;
use engine_runtime::{Event, ExitRecord, Fact, Phase, Request, Target, TerminalSize};
use tokio::sync::{mpsc, oneshot, watch};

use super::command::{Beginning, Client, Command, ExecOutcome, ExecStart, Reply, answer};
use super::conversation::Conversation;
use super::registry::{Handle, Site};
use super::running::{self, Lost};
use super::start::{self, Launched};
use super::view::View;
use crate::records::ContainerRecord;
use crate::services::error::{Result, ServiceError, chain};
use crate::services::images::LayersHeld;
use crate::tasks::blocking;

/// Commands that may wait for their turn; who comes later waits for room.
const INBOX_COMMANDS: usize = 64;

/// Clients that may be attached to a container that does not run yet.
const WAITING_MAX: usize = 64;

pub(super) struct Exec {
    /// The number of the request that began it.
    seq: u64,
    reply: Option<Reply<ExecOutcome>>,
    ended: Option<oneshot::Sender<i32>>,
}

pub(crate) struct Owner {
    pub(super) site: Arc<Site>,
    pub(super) record: Arc<ContainerRecord>,
    pub(super) phase: Phase,
    pub(super) n_exits: u64,
    pub(super) monitor: Option<Conversation>,
    pub(super) waiting: Vec<Client>,
    pub(super) size: Option<TerminalSize>,
    pub(super) execs: BTreeMap<String, Exec>,
    pub(super) removing: bool,
    pub(super) gone: bool,
    pub(super) view: watch::Sender<Arc<View>>,
    _layers_held: LayersHeld,
}

enum Next {
    Command(Option<Command>),
    Heard(Result<Event, engine_runtime::Error>),
}

/// Begins to own a container; the handle is how everybody else reaches it.
///
/// # Errors
/// When the monitor's socket cannot be watched.
pub(crate) fn spawn(site: &Arc<Site>, beginning: Beginning) -> Result<Arc<Handle>> {
    let Beginning {
        record,
        phase,
        control,
        untold_exit,
        layers_held,
    } = beginning;
    let record = Arc::new(record);
    let id = record.id.clone();
    let monitor = control.map(Conversation::new).transpose()?;
    let (view, seen) = watch::channel(Arc::new(View {
        record: Arc::clone(&record),
        phase: phase.clone(),
        n_exits: 0,
        exec_ids: Vec::new(),
        removing: false,
        gone: false,
    }));
    let (inbox, commands) = mpsc::channel(INBOX_COMMANDS);
    let owner = Owner {
        site: Arc::clone(site),
        record,
        phase,
        n_exits: 0,
        monitor,
        waiting: Vec::new(),
        size: None,
        execs: BTreeMap::new(),
        removing: false,
        gone: false,
        view,
        _layers_held: layers_held,
    };
    site.tasks
        .spawn("container", owner.run(commands, untold_exit));
    Ok(Arc::new(Handle::new(id, inbox, seen)))
}

impl Owner {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>, untold_exit: bool) {
        if untold_exit && let Phase::Exited(exit) = self.phase.clone() {
            self.tell_exit(&exit);
            self.remove_if_asked().await;
        }
        while !self.gone {
            let next = tokio::select! {
                heard = hear(self.monitor.as_ref()) => Next::Heard(heard),
                command = commands.recv() => Next::Command(command),
            };
            match next {
                Next::Heard(Ok(event)) => self.on_event(event).await,
                Next::Heard(Err(error)) => self.monitor_is_gone(&error).await,
                Next::Command(Some(command)) => self.on_command(command).await,
                Next::Command(None) => return,
            }
        }
    }

    async fn on_command(&mut self, command: Command) {
        match command {
            Command::Start { reply } => {
                let result = self.start().await;
                answer(reply, result);
                self.remove_if_asked().await;
            }
            Command::Signal {
                target,
                signal,
                reply,
            } => {
                let request = Request::Signal { target, signal };
                self.ask_running(request, reply);
            }
            Command::Attach { client, reply } => self.attach(client, reply),
            Command::Resize {
                target,
                size,
                reply,
            } => self.resize(target, size, reply),
            Command::Exec(exec) => self.exec(*exec),
            Command::Rename { name, reply } => {
                let result = self.rename(name).await;
                answer(reply, result);
            }
            Command::Remove { reply } => {
                let result = match self.phase {
                    Phase::Running { .. } | Phase::Starting => Err(self.is_running()),
                    _ => self.remove().await,
                };
                answer(reply, result);
            }
        }
    }

    async fn on_event(&mut self, event: Event) {
        match event {
            Event::Done { seq } => self.answer_request(seq, Ok(())),
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
            Event::Exited(exit) => self.ended(Fact::Exited(exit.clone()), &exit).await,
            Event::AttachEnded { .. }
            | Event::Ready { .. }
            | Event::SetupFailed { .. }
            | Event::Started { .. }
            | Event::StartFailed { .. } => {}
        }
    }

    /// Starts the program; everything that blocks happens in one go on a thread that may.
    async fn start(&mut self) -> Result<()> {
        let Ok(starting) = self.phase.clone().step(Fact::Launched) else {
            return Err(ServiceError::NotModified);
        };
        self.phase = starting;
        let (site, record) = (Arc::clone(&self.site), Arc::clone(&self.record));
        let (clients, size) = (std::mem::take(&mut self.waiting), self.size.take());
        let launched = blocking(move || start::launch(&site, &record, clients, size)).await;
        match launched {
            Ok(launched) => self.started(launched).await,
            Err(failure) => {
                let exit = failure.exit_record(as_u64(self.site.clock.now_ns()));
                let error = failure.into_error();
                self.step(Fact::StartFailed(exit.clone()));
                self.n_exits += 1;
                self.publish_view();
                self.tell_exit(&exit);
                Err(error)
            }
        }
    }

    async fn started(&mut self, launched: Launched) -> Result<()> {
        let Launched {
            control,
            pid,
            started_at_unix_ns,
            events,
        } = launched;
        self.monitor = Some(Conversation::new(control)?);
        self.step(Fact::Started {
            pid,
            started_at_unix_ns,
        });
        self.publish_view();
        self.tell("start", []);
        for event in events {
            self.on_event(event).await;
        }
        Ok(())
    }

    fn attach(&mut self, client: Client, reply: Reply<()>) {
        if let Some(monitor) = &mut self.monitor {
            let Client {
                id,
                streams,
                socket,
            } = client;
            monitor.ask(Request::Attach { id, streams }, Some(&socket), reply);
            return;
        }
        if self.waiting.len() == WAITING_MAX {
            let message = format!("more than {WAITING_MAX} clients wait for this container");
            return answer(reply, Err(ServiceError::Conflict(message)));
        }
        self.waiting.push(client);
        answer(reply, Ok(()));
    }

    fn resize(&mut self, target: Target, size: TerminalSize, reply: Reply<()>) {
        if self.monitor.is_none() && target == Target::Init {
            // Kept for the start, so that a terminal resized too early begins in its size.
            self.size = Some(size);
            return answer(reply, Err(self.is_not_running()));
        }
        self.ask_running(Request::Resize { target, size }, reply);
    }

    fn exec(&mut self, exec: ExecStart) {
        let ExecStart {
            id,
            process,
            streams,
            socket,
            reply,
            ended,
        } = exec;
        let Some(monitor) = &self.monitor else {
            return answer(reply, Err(self.is_not_running()));
        };
        let request = Request::Exec {
            id: id.clone(),
            process,
            streams,
        };
        let seq = match monitor.send(request, socket.as_ref()) {
            Ok(seq) => seq,
            Err(error) => return answer(reply, Err(error)),
        };
        self.execs.insert(
            id,
            Exec {
                seq,
                reply: Some(reply),
                ended: Some(ended),
            },
        );
        self.publish_view();
    }

    fn exec_begun(&mut self, id: &str, outcome: ExecOutcome) {
        if let Some(reply) = self.execs.get_mut(id).and_then(|exec| exec.reply.take()) {
            answer(reply, Ok(outcome));
        }
    }

    fn exec_ended(&mut self, id: &str, code: i32) {
        if let Some(mut exec) = self.execs.remove(id) {
            self.publish_view();
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
        self.record = Arc::new(record);
        self.publish_view();
        self.tell("rename", [("oldName".to_owned(), format!("/{former}"))]);
        Ok(former)
    }

    /// The program has ended: everybody who waits for anything of it is told.
    async fn ended(&mut self, fact: Fact, exit: &ExitRecord) {
        self.monitor = None;
        self.step(fact);
        self.n_exits += 1;
        for id in self.execs.keys().cloned().collect::<Vec<_>>() {
            self.exec_ended(&id, 128 + super::signal::KILL);
        }
        self.publish_view();
        self.tell_exit(exit);
        let (site, id) = (Arc::clone(&self.site), self.record.id.clone());
        blocking(move || running::forget(&site, &id)).await;
        self.remove_if_asked().await;
    }

    /// The monitor went without a word: what it wrote down counts, else the container is lost.
    async fn monitor_is_gone(&mut self, error: &engine_runtime::Error) {
        let (site, record) = (Arc::clone(&self.site), Arc::clone(&self.record));
        let now_ns = as_u64(self.site.clock.now_ns());
        let reason = chain(error);
        let lost = blocking(move || running::after_monitor(&site, &record, now_ns, &reason)).await;
        match lost {
            Lost::Recorded(exit) => self.ended(Fact::Exited(exit.clone()), &exit).await,
            Lost::Unknown(exit) => {
                tracing::error!(
                    container.id = self.record.id.as_str(),
                    reason = chain(error),
                    "a monitor is gone"
                );
                self.ended(Fact::Lost(exit.clone()), &exit).await;
            }
        }
    }

    async fn remove_if_asked(&mut self) {
        let ended = matches!(self.phase, Phase::Exited(_));
        if !ended || !self.record.host_config.auto_remove || self.gone {
            return;
        }
        if let Err(error) = self.remove().await {
            tracing::error!(
                container.id = self.record.id.as_str(),
                reason = chain(&error),
                "failed to remove a container that should go by itself"
            );
        }
    }

    async fn remove(&mut self) -> Result<()> {
        self.removing = true;
        self.waiting.clear();
        self.publish_view();
        let (site, id) = (Arc::clone(&self.site), self.record.id.clone());
        let removed = blocking(move || {
            running::forget(&site, &id);
            site.store.retire(&id)
        });
        if let Err(error) = removed.await {
            self.removing = false;
            self.publish_view();
            return Err(ServiceError::failed("remove the container")(error));
        }
        self.site.sweep_later(&self.record.id).await;
        self.site.unregister(&self.record);
        self.gone = true;
        self.tell("destroy", []);
        self.publish_view();
        Ok(())
    }

    fn ask_running(&mut self, request: Request, reply: Reply<()>) {
        let refusal = self.is_not_running();
        match &mut self.monitor {
            Some(monitor) => monitor.ask(request, None, reply),
            None => answer(reply, Err(refusal)),
        }
    }

    fn answer_request(&mut self, seq: u64, result: Result<()>) {
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

    fn step(&mut self, fact: Fact) {
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

async fn hear(monitor: Option<&Conversation>) -> Result<Event, engine_runtime::Error> {
    match monitor {
        Some(monitor) => monitor.hear().await,
        None => std::future::pending().await,
    }
}

fn as_u64(unix_ns: i64) -> u64 {
    u64::try_from(unix_ns).unwrap_or(0)
}
