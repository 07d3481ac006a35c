//! What everybody may see of a container at any moment, without asking its owner.

use std::sync::Arc;

use engine_api::containers::Health;
use engine_runtime::{ExitRecord, Phase};

use crate::records::{ContainerRecord, LifeRecord};
use crate::services::error::{Result, ServiceError};
use crate::services::time::in_words;

/// A container as it stands. The owner publishes a new one at each change.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) record: Arc<ContainerRecord>,
    pub(crate) life: Arc<LifeRecord>,
    pub(crate) phase: Phase,
    /// Every process of it stands still.
    pub(crate) paused: bool,
    /// It has ended and its policy starts it again in a moment.
    pub(crate) restarting: bool,
    /// How it fares, when something looks after that.
    pub(crate) health: Option<Arc<Health>>,
    /// How its last run ended, also while the next one goes on.
    pub(crate) last_code: i32,
    /// How often it has ended since this engine began; tells "the next end" from the last one.
    pub(crate) n_exits: u64,
    /// Commands that run in it beside its program.
    pub(crate) exec_ids: Vec<String>,
    pub(crate) removing: bool,
    /// It is removed; the last view of it.
    pub(crate) gone: bool,
}

impl View {
    /// Tells whether its program runs.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running { .. })
    }

    /// Tells whether it is up: it runs, or will in a moment by its policy.
    pub(crate) fn is_up(&self) -> bool {
        self.is_running() || self.restarting
    }

    /// Returns the process id of its program while there is one.
    pub(crate) fn pid(&self) -> Option<i32> {
        match self.phase {
            Phase::Running { pid, .. } => Some(pid),
            Phase::Created | Phase::Starting | Phase::Exited(_) => None,
        }
    }

    /// Returns its state in Docker's one word.
    pub(crate) fn status(&self) -> &'static str {
        match &self.phase {
            _ if self.removing => "removing",
            _ if self.restarting => "restarting",
            Phase::Running { .. } if self.paused => "paused",
            Phase::Created | Phase::Starting => "created",
            Phase::Running { .. } => "running",
            // A first start that failed leaves it as it was, as dockerd does.
            Phase::Exited(exit) if exit.started_at_unix_ns == 0 && !self.life.has_run => "created",
            Phase::Exited(_) => "exited",
        }
    }

    /// Returns how it fares in one word; `none` when nothing looks after that.
    pub(crate) fn health_status(&self) -> &str {
        self.health
            .as_ref()
            .map_or("none", |health| health.status.as_str())
    }

    /// Refuses what needs a program that runs and does not stand still.
    ///
    /// # Errors
    /// In Docker's words; `verb` is what was asked for, as `exec`.
    pub(crate) fn require_running(&self, verb: &str) -> Result<()> {
        let id = &self.record.id;
        let message = match self.status() {
            "paused" => format!("container {id} is paused, unpause the container before {verb}"),
            "restarting" => self.is_restarting(),
            _ if self.is_running() => return Ok(()),
            _ => format!("container {id} is not running"),
        };
        Err(ServiceError::Conflict(message))
    }

    /// Says that one has to wait for its policy.
    pub(super) fn is_restarting(&self) -> String {
        let id = &self.record.id;
        format!("Container {id} is restarting, wait until the container is running")
    }

    /// Returns its state in words, as lists show it: `Up 3 minutes`, `Exited (0) 2 hours ago`.
    pub(crate) fn status_words(&self, now_ns: i64) -> String {
        let since = |unix_ns: u64| in_words(now_ns - as_i64(unix_ns));
        match (self.status(), &self.phase) {
            ("removing", _) => "Removal In Progress".to_owned(),
            (
                _,
                Phase::Running {
                    started_at_unix_ns, ..
                },
            ) => {
                let more = match (self.paused, self.health_status()) {
                    (true, _) => " (Paused)".to_owned(),
                    (false, "none") => String::new(),
                    (false, "starting") => " (health: starting)".to_owned(),
                    (false, health) => format!(" ({health})"),
                };
                format!("Up {}{more}", since(*started_at_unix_ns))
            }
            ("restarting", Phase::Exited(exit)) => {
                let since = since(exit.finished_at_unix_ns);
                format!("Restarting ({}) {since} ago", exit.code)
            }
            ("exited", Phase::Exited(exit)) => {
                format!(
                    "Exited ({}) {} ago",
                    exit.code,
                    since(exit.finished_at_unix_ns)
                )
            }
            _ => "Created".to_owned(),
        }
    }

    /// Returns how it ended last.
    pub(crate) fn exit(&self) -> Option<&ExitRecord> {
        match &self.phase {
            Phase::Exited(exit) => Some(exit),
            _ => None,
        }
    }

    /// Returns its last exit code; 0 of one that never ran, as Docker says.
    pub(crate) fn exit_code(&self) -> i32 {
        self.exit().map_or(0, |exit| exit.code)
    }
}

/// Times before 2262 fit.
pub(crate) fn as_i64(unix_ns: u64) -> i64 {
    i64::try_from(unix_ns).unwrap_or(i64::MAX)
}
