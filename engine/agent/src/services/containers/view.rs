//! What everybody may see of a container at any moment, without asking its owner.

use std::sync::Arc;

use engine_runtime::{ExitRecord, Phase};

use crate::records::ContainerRecord;
use crate::services::time::in_words;

/// A container as it stands. The owner publishes a new one at each change.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) record: Arc<ContainerRecord>,
    pub(crate) phase: Phase,
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

    /// Returns its state in Docker's one word.
    pub(crate) fn status(&self) -> &'static str {
        match &self.phase {
            _ if self.removing => "removing",
            Phase::Created | Phase::Starting => "created",
            Phase::Running { .. } => "running",
            // A start that failed leaves it as it was, as dockerd does.
            Phase::Exited(exit) if exit.started_at_unix_ns == 0 => "created",
            Phase::Exited(_) => "exited",
        }
    }

    /// Returns its state in words, as lists show it: `Up 3 minutes`, `Exited (0) 2 hours ago`.
    pub(crate) fn status_words(&self, now_ns: i64) -> String {
        let since = |unix_ns: u64| in_words(now_ns - as_i64(unix_ns));
        match (self.status(), &self.phase) {
            ("removing", _) => "Removal In Progress".to_owned(),
            (
                "running",
                Phase::Running {
                    started_at_unix_ns, ..
                },
            ) => {
                format!("Up {}", since(*started_at_unix_ns))
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
