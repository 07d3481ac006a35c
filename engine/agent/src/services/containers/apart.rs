//! A monitor that lives and cannot be spoken with: its container goes on, and it is looked for.
//!
//! ```text
//!   the connection breaks ──┬─> apart ── it answers again ──> as before
//!   no answer in time ──────┤     │ ───── it is gone ───────> its record counts, or lost
//!   silent at boot ─────────┘     └────── KILL ─────────────> ended by force, with its monitor
//! ```
//!
//! Only a monitor that is gone says anything about the container: one may be stopped, wait for a
//! disk that hangs, or have ended the connection because it wants to be called again.

use std::sync::Arc;
use std::time::Duration;

use engine_api::id::ContainerId;
use engine_runtime::{Control, ExitRecord, Fact, MonitorState, Phase};
use tokio::sync::oneshot;

use super::command::{ExecOutcome, answer};
use super::conversation::Conversation;
use super::owner::Owner;
use super::registry::Site;
use super::signal::KILL;
use super::{probing, running};
use crate::services::error::{Result, ServiceError, chain};
use crate::tasks::blocking;

/// How long one look for a monitor may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks; longer each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The exit code of a command of whose end nothing is known.
const UNKNOWN_EXIT: i32 = 255;

/// What became of a monitor that was looked for.
pub(super) enum Found {
    /// It answers again.
    Again(Control),
    /// It is gone.
    Gone,
}

/// A look for a monitor that goes on until it has an answer; dropping it ends it.
pub(super) struct Search(oneshot::Receiver<Found>);

impl Search {
    /// Begins to look.
    pub(super) fn begin(site: &Arc<Site>, id: &ContainerId) -> Self {
        let (mut tell, found) = oneshot::channel();
        let (searching, id) = (Arc::clone(site), id.clone());
        site.tasks.spawn("search", async move {
            tokio::select! {
                () = tell.closed() => {}
                found = search(&searching, &id) => {
                    // Whoever began it may have gone.
                    let _ = tell.send(found);
                }
            }
        });
        Self(found)
    }

    /// Waits for the answer. Cancel-safe.
    pub(super) async fn found(&mut self) -> Found {
        match (&mut self.0).await {
            Ok(found) => found,
            // The engine stops.
            Err(_) => std::future::pending().await,
        }
    }
}

async fn search(site: &Arc<Site>, id: &ContainerId) -> Found {
    let mut pause = FIRST_PAUSE;
    let mut is_told = false;
    loop {
        // A few at a time: each holds one of the threads that may block.
        let turn = site.searches.acquire().await;
        let (looking, bundle) = (Arc::clone(site), site.bundle(id));
        let looked = blocking(move || looking.launcher.reconnect(&bundle, PATIENCE)).await;
        drop(turn);
        let error = match looked {
            Ok(Some(control)) => return Found::Again(control),
            Ok(None) => return Found::Gone,
            Err(error) => error,
        };
        if !is_told {
            tracing::warn!(
                container.id = id.as_str(),
                reason = chain(&error),
                "a monitor does not answer; its container goes on, and it is asked again"
            );
            is_told = true;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl Owner {
    /// The connection to the monitor is of no use any more: it is looked for.
    pub(super) async fn lost_touch(&mut self, error: engine_runtime::Error) {
        let words = self.monitor.as_ref().map(Conversation::last_words);
        for word in words.unwrap_or_default() {
            self.on_event(word).await;
        }
        // One of them may have been the last of all.
        let Some(monitor) = self.monitor.take() else {
            return;
        };
        tracing::debug!(
            container.id = self.record.id.as_str(),
            reason = chain(&error),
            "the connection to a monitor broke"
        );
        if self.kill_asked && matches!(error, engine_runtime::Error::TimedOut(_)) {
            return match self.kill_by_force().await {
                Ok(()) => monitor.end_killed(|| self.is_not_running()),
                Err(error) => monitor.end(|| ServiceError::Unavailable(chain(&error))),
            };
        }
        monitor.end(|| self.is_apart());
        self.look_for_monitor();
    }

    /// Begins to look for the monitor of a container that runs.
    pub(super) fn look_for_monitor(&mut self) {
        // A look at its health would only find out that nobody answers.
        self.probing = None;
        self.apart = Some(Search::begin(&self.site, &self.record.id));
    }

    /// Takes up what a search has found.
    pub(super) async fn found(&mut self, found: Found) {
        self.apart = None;
        let control = match found {
            Found::Again(control) => control,
            Found::Gone => return self.monitor_is_gone(&engine_runtime::Error::Closed).await,
        };
        let state = control.state().clone();
        let left = probing::left(&control);
        let Some(started_at_unix_ns) = state.started_at_unix_ns else {
            // Its program was never let go: it gives up when nobody listens.
            drop(control);
            return self.look_for_monitor();
        };
        match Conversation::new(control) {
            Ok(monitor) => self.monitor = Some(monitor),
            Err(error) => {
                tracing::warn!(reason = chain(&error), "a monitor cannot be listened to");
                return self.look_for_monitor();
            }
        }
        tracing::info!(
            container.id = self.record.id.as_str(),
            "a monitor answers again"
        );
        // What was known of a container that a new engine found apart was what the last one noted.
        self.phase = Phase::Running {
            pid: state.init_pid,
            started_at_unix_ns,
        };
        self.compare_execs(&state);
        self.end_probes(left).await;
        self.begin_probing();
        self.publish_view();
    }

    /// Compares the commands that are waited for with what the monitor says of them.
    fn compare_execs(&mut self, state: &MonitorState) {
        let ids: Vec<String> = self.execs.keys().cloned().collect();
        for id in ids {
            match state.execs.iter().find(|exec| exec.id == id) {
                Some(exec) => {
                    self.exec_begun(&id, ExecOutcome::Running { pid: exec.pid });
                    if let Some(code) = exec.code {
                        self.exec_ended(&id, code);
                    }
                }
                None => {
                    let exec = self.execs.get_mut(&id);
                    if let Some(reply) = exec.and_then(|exec| exec.reply.take()) {
                        answer(reply, Err(self.is_apart()));
                    }
                    self.exec_ended(&id, UNKNOWN_EXIT);
                }
            }
        }
    }

    /// Ends the container with its monitor, which cannot be asked to.
    pub(super) async fn kill_by_force(&mut self) -> Result<()> {
        self.apart = None;
        let (site, record) = (Arc::clone(&self.site), Arc::clone(&self.record));
        let (now_ns, phase) = (self.now_ns(), self.phase.clone());
        let killed = blocking(move || {
            let bundle = site.bundle(&record.id);
            site.launcher.kill_leftovers(&bundle)?;
            Ok::<_, engine_runtime::Error>(running::read_exit(&bundle).unwrap_or_else(|| {
                let exit = forced_exit(&phase, now_ns);
                running::write_exit(&bundle, &exit);
                exit
            }))
        });
        match killed.await {
            Ok(exit) => {
                self.ended(Fact::Exited(exit)).await;
                Ok(())
            }
            Err(error) => {
                self.look_for_monitor();
                Err(ServiceError::failed("end the container by force")(error))
            }
        }
    }

    /// Says that its monitor cannot be asked at the moment.
    pub(super) fn is_apart(&self) -> ServiceError {
        ServiceError::Unavailable(format!(
            "the monitor of container {} does not answer; the container goes on",
            self.record.id
        ))
    }
}

fn forced_exit(phase: &Phase, now_ns: u64) -> ExitRecord {
    ExitRecord {
        code: 128 + KILL,
        signal: Some(KILL),
        started_at_unix_ns: match phase {
            Phase::Running {
                started_at_unix_ns, ..
            } => *started_at_unix_ns,
            _ => now_ns,
        },
        finished_at_unix_ns: now_ns,
        error: Some("its monitor did not answer and was ended with it".to_owned()),
        ..ExitRecord::default()
    }
}
