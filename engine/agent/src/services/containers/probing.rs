//! Looking after the health of a container that runs: one look at a time, each an exec with a
//! deadline, and never while it stands still.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine_api::containers::{Health, HealthResult};
use engine_api::execs::ExecCreateBody;
use engine_api::frame::Decoder;
use engine_api::id::ContainerId;
use engine_runtime::{AttachStreams, Control, Phase, Request, Target};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::attach::pair;
use super::command::{Command, ExecOutcome, ExecStart};
use super::health::{self, Plan};
use super::owner::Owner;
use super::process::exec_process;
use super::registry::Site;
use super::signal::KILL;
use super::view::{View, as_i64};
use crate::clock::{Clock, rfc3339};
use crate::ids;
use crate::records::ContainerStore;
use crate::services::error::{Result, ServiceError};
use crate::tasks::blocking;

/// Ids of the engine's own looks begin so: the next engine knows them by it.
const PROBE: &str = "health-";

/// What is kept of what a look says.
const OUTPUT_MAX_BYTES: usize = 4096;

/// How long one that was killed may take to be gone, and its output to arrive.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The task that looks; dropping it ends it, and a look that goes on.
pub(super) struct Probing(#[expect(dead_code, reason = "it acts when dropped")] DropGuard);

/// Lists the looks that a monitor still runs for an engine that is gone.
pub(super) fn left(control: &Control) -> Vec<String> {
    let execs = control.state().execs.iter();
    let running = execs.filter(|exec| exec.code.is_none() && exec.id.starts_with(PROBE));
    running.map(|exec| exec.id.clone()).collect()
}

/// Reads how a container that runs fared when the last engine looked.
pub(crate) fn read(site: &Site, id: &ContainerId) -> Option<Health> {
    serde_json::from_slice(&std::fs::read(path(site, id)).ok()?).ok()
}

/// Forgets how a container fared.
pub(super) fn forget(site: &Site, id: &ContainerId) {
    // It lies in memory; absent is as good as taken away.
    let _ = std::fs::remove_file(path(site, id));
}

fn path(site: &Site, id: &ContainerId) -> PathBuf {
    site.run.join("health").join(id.as_str())
}

fn write(site: &Site, id: &ContainerId, health: &Health) {
    let path = path(site, id);
    let written = serde_json::to_vec(health)
        .map_err(std::io::Error::from)
        .and_then(|bytes| {
            std::fs::create_dir_all(site.run.join("health"))?;
            ContainerStore::write_passing(&path, &bytes).map_err(std::io::Error::other)
        });
    if let Err(error) = written {
        tracing::warn!(container.id = id.as_str(), %error, "its health cannot be kept");
    }
}

impl Owner {
    /// A program has begun: nobody knows yet how it fares.
    pub(super) async fn begin_health(&mut self) {
        if health::plan(&self.record.config).is_none() {
            self.health = None;
            return;
        }
        let log = self.health.take().map(|h| h.log.clone());
        let health = Arc::new(Health {
            status: "starting".to_owned(),
            failing_streak: 0,
            log: log.unwrap_or_default(),
        });
        self.keep_health(health).await;
    }

    /// A program has ended: what nobody looks after is not well, as Docker says.
    pub(super) fn end_health(&mut self) {
        self.probing = None;
        if let Some(health) = &mut self.health {
            "unhealthy".clone_into(&mut Arc::make_mut(health).status);
        }
    }

    /// Begins to look, if something shall be looked at and it runs.
    pub(super) fn begin_probing(&mut self) {
        let Phase::Running {
            started_at_unix_ns, ..
        } = self.phase
        else {
            return;
        };
        let can_look = !self.paused && self.apart.is_none();
        let Some(plan) = health::plan(&self.record.config).filter(|_| can_look) else {
            return;
        };
        if self.health.is_none() {
            // The engine that began it could not keep what it knew.
            self.health = Some(Arc::new(Health {
                status: "starting".to_owned(),
                ..Health::default()
            }));
            self.publish_view();
        }
        let stop = CancellationToken::new();
        let prober = Prober {
            clock: self.site.clock.clone(),
            started_ns: as_i64(started_at_unix_ns),
            plan,
            inbox: self.inbox.clone(),
            view: self.view.subscribe(),
            stop: stop.clone(),
        };
        self.site.tasks.spawn("health", prober.run());
        self.probing = Some(Probing(stop.drop_guard()));
    }

    /// Takes what a look has found.
    pub(super) async fn probed(&mut self, result: HealthResult) {
        if self.probing.is_none() {
            // It was told to end while its word was under way.
            return;
        }
        let (Some(health), Some(plan)) = (&self.health, health::plan(&self.record.config)) else {
            return;
        };
        let Phase::Running {
            started_at_unix_ns, ..
        } = self.phase
        else {
            return;
        };
        let began_ns = result
            .start
            .parse::<jiff::Timestamp>()
            .map_or(0, |start| start.as_nanosecond());
        let since_start = u64::try_from(began_ns - i128::from(started_at_unix_ns)).unwrap_or(0);
        let mut health = (**health).clone();
        let is_changed = plan.judge(&mut health, result, Duration::from_nanos(since_start));
        let status = health.status.clone();
        self.keep_health(Arc::new(health)).await;
        self.publish_view();
        if is_changed {
            self.tell(&format!("health_status: {status}"), []);
        }
    }

    /// Ends looks that the last engine began.
    pub(super) async fn end_probes(&mut self, ids: Vec<String>) {
        for id in ids {
            let request = Request::Signal {
                target: Target::Exec(id),
                signal: KILL,
            };
            let (reply, _) = oneshot::channel();
            self.ask_running(request, reply).await;
        }
    }

    async fn keep_health(&mut self, health: Arc<Health>) {
        self.health = Some(Arc::clone(&health));
        let (site, id) = (Arc::clone(&self.site), self.record.id.clone());
        blocking(move || write(&site, &id, &health)).await;
    }
}

struct Prober {
    clock: Clock,
    started_ns: i64,
    plan: Plan,
    inbox: mpsc::WeakSender<Command>,
    view: watch::Receiver<Arc<View>>,
    stop: CancellationToken,
}

impl Prober {
    async fn run(self) {
        loop {
            let status = self.view.borrow().health_status().to_owned();
            let since_ns = self.clock.now_ns() - self.started_ns;
            let since = Duration::from_nanos(u64::try_from(since_ns).unwrap_or(0));
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(self.plan.wait(&status, since)) => {}
            }
            let Some(inbox) = self.inbox.upgrade() else {
                return;
            };
            let Some(result) = self.look(&inbox).await else {
                return;
            };
            if inbox.send(Command::Probed { result }).await.is_err() {
                return;
            }
        }
    }

    /// Looks once; `None` when nobody shall look any more.
    async fn look(&self, inbox: &mpsc::Sender<Command>) -> Option<HealthResult> {
        let start = rfc3339(self.clock.now_ns());
        let id = format!("{PROBE}{}", ids::stream_id());
        let mut said = Said::default();
        let looked = tokio::select! {
            () = self.stop.cancelled() => None,
            looked = tokio::time::timeout(self.plan.timeout, self.execute(inbox, &id, &mut said)) => {
                Some(looked)
            }
        };
        let (exit_code, output) = match looked {
            Some(Ok(Ok(code))) => (code, said.text()),
            Some(Ok(Err(error))) => (-1, crate::services::error::chain(&error)),
            Some(Err(_)) => {
                self.kill(inbox, &id).await;
                let text = said.text();
                let colon = if text.is_empty() { "" } else { ": " };
                let limit = self.plan.timeout;
                (
                    -1,
                    format!("Health check exceeded timeout ({limit:?}){colon}{text}"),
                )
            }
            None => {
                self.kill(inbox, &id).await;
                return None;
            }
        };
        Some(HealthResult {
            start,
            end: rfc3339(self.clock.now_ns()),
            exit_code,
            output,
        })
    }

    async fn execute(
        &self,
        inbox: &mpsc::Sender<Command>,
        id: &str,
        said: &mut Said,
    ) -> Result<i32> {
        let gone = |_| ServiceError::Conflict("the container has ended".to_owned());
        let (mut socket, far) = pair()?;
        let (reply, begun) = oneshot::channel();
        let (ended, end) = oneshot::channel();
        let record = Arc::clone(&self.view.borrow().record);
        let asked = ExecCreateBody {
            cmd: Some(self.plan.command.clone()),
            ..ExecCreateBody::default()
        };
        let exec = ExecStart {
            id: id.to_owned(),
            process: exec_process(&record, &asked, None, &[]),
            streams: AttachStreams {
                stdin: false,
                stdout: true,
                stderr: true,
            },
            socket: Some(far),
            is_probe: true,
            reply,
            ended,
        };
        inbox
            .send(Command::Exec(Box::new(exec)))
            .await
            .map_err(|_| ServiceError::Conflict("the container has ended".to_owned()))?;
        match begun.await.map_err(gone)?? {
            ExecOutcome::Failed { message, .. } => {
                return Err(ServiceError::Conflict(message));
            }
            ExecOutcome::Running { .. } => {}
        }
        let mut end = end;
        let code = loop {
            tokio::select! {
                code = &mut end => break code.map_err(gone)?,
                more = said.hear(&mut socket) => if !more {
                    break (&mut end).await.map_err(gone)?;
                },
            }
        };
        // What it wrote last may still be under way; what it left running may hold the stream.
        let rest = async { while said.hear(&mut socket).await {} };
        let _ = tokio::time::timeout(LAST_WORDS, rest).await;
        Ok(code)
    }

    async fn kill(&self, inbox: &mpsc::Sender<Command>, id: &str) {
        let (reply, killed) = oneshot::channel();
        let command = Command::Signal {
            target: Target::Exec(id.to_owned()),
            signal: KILL,
            ask: None,
            reply,
        };
        if inbox.send(command).await.is_ok() {
            // Gone already is as good; a container that ends takes it along.
            let _ = tokio::time::timeout(LAST_WORDS, killed).await;
        }
    }
}

/// What a look says, as far as it is kept.
#[derive(Default)]
struct Said {
    bytes: Vec<u8>,
    is_cut: bool,
    decoder: Decoder,
}

impl Said {
    /// Hears the next piece; `false` at the end. Cancel-safe.
    async fn hear(&mut self, socket: &mut UnixStream) -> bool {
        let mut buffer = [0; 4096];
        let Ok(n_bytes @ 1..) = socket.read(&mut buffer).await else {
            return false;
        };
        let mut input = &buffer[..n_bytes];
        while let Ok(Some((_, piece))) = self.decoder.next(&mut input) {
            let room = OUTPUT_MAX_BYTES - self.bytes.len();
            self.is_cut |= piece.len() > room;
            self.bytes
                .extend_from_slice(&piece[..piece.len().min(room)]);
        }
        true
    }

    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        if self.is_cut {
            return format!("{text}...");
        }
        text
    }
}
