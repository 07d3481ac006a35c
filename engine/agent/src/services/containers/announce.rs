//! What an owner tells: its container as it stands, what happened to it, and why it says no.

use std::sync::Arc;

use engine_runtime::ExitRecord;

use super::owner::Owner;
use super::registry;
use super::view::{View, as_i64};
use crate::services::error::ServiceError;
use crate::services::events::Kind;

impl Owner {
    /// Shows everybody the container as it stands.
    pub(super) fn publish_view(&self) {
        self.view.send_replace(Arc::new(View {
            record: Arc::clone(&self.record),
            life: Arc::clone(&self.life),
            paused: self.paused,
            restarting: self.restart_at.is_some(),
            health: self.health.clone(),
            last_code: self.last_code,
            phase: self.phase.clone(),
            n_exits: self.n_exits,
            exec_ids: self
                .execs
                .iter()
                .filter(|(_, exec)| !exec.is_probe)
                .map(|(id, _)| id.clone())
                .collect(),
            removing: self.removing,
            gone: self.gone,
        }));
    }

    /// Tells that the program has ended, and how.
    pub(super) fn tell_exit(&self, exit: &ExitRecord) {
        if exit.oom_killed {
            self.tell("oom", []);
        }
        let ran_ns = as_i64(
            exit.finished_at_unix_ns
                .saturating_sub(exit.started_at_unix_ns),
        );
        let ran_s = if exit.started_at_unix_ns == 0 {
            0
        } else {
            ran_ns / 1_000_000_000
        };
        let attributes = [
            ("exitCode".to_owned(), exit.code.to_string()),
            ("execDuration".to_owned(), ran_s.to_string()),
        ];
        self.tell("die", attributes);
    }

    /// Tells that something happened.
    pub(super) fn tell(&self, action: &str, more: impl IntoIterator<Item = (String, String)>) {
        let attributes = registry::attributes(&self.record, more);
        self.site
            .events
            .publish(Kind::Container, action, self.record.id.as_str(), attributes);
    }

    pub(super) fn is_not_running(&self) -> ServiceError {
        ServiceError::Conflict(format!("container {} is not running", self.record.id))
    }

    pub(super) fn is_running(&self) -> ServiceError {
        let status = self.view.borrow().status();
        let first = match status {
            "paused" => "unpause and then stop",
            _ => "stop",
        };
        ServiceError::Conflict(format!(
            "cannot remove container \"/{}\": container is {status}: \
             {first} the container before removing or force remove",
            self.record.name
        ))
    }
}
