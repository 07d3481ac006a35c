//! Removing every container that has ended and that nobody wants any more.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use engine_api::filter::Filters;
use engine_storage::Snapshot;

use super::registry::{Containers, Handle};
use crate::services::error::{Result, chain};
use crate::services::events::Kind;
use crate::services::prune::{Selection, reclaimed};
use crate::tasks::blocking;

impl Containers {
    /// Removes the containers that do not run and that the filters choose; returns their ids and
    /// how many bytes they had written.
    ///
    /// # Errors
    /// When a filter's value cannot be.
    pub(crate) async fn prune(self: &Arc<Self>, filters: &Filters) -> Result<(Vec<String>, u64)> {
        let selection = Selection::new(filters, self.site.clock.now_ns())?;
        let (mut removed, mut bytes) = (Vec::new(), 0);
        for view in self.views() {
            let record = &view.record;
            let rests = matches!(view.status(), "created" | "exited" | "dead");
            if !rests || !selection.takes(record.created_ns, &record.config.labels) {
                continue;
            }
            let id = record.id.to_string();
            let is_step = |handle: Arc<Handle>| handle.is_step.load(Ordering::Relaxed);
            if self.find(&id).is_ok_and(is_step) {
                continue;
            }
            let dir = self.site.store.dir_of(&record.id);
            let usage = blocking(move || Snapshot::at(&dir).usage()).await;
            match self.remove(&id, false, false, "").await {
                Ok(()) => {
                    bytes += usage.map_or(0, |usage| usage.size_bytes);
                    removed.push(id);
                }
                // Somebody started or removed it meanwhile; the others still go.
                Err(error) => {
                    tracing::debug!(container.id = id, reason = chain(&error), "not pruned");
                }
            }
        }
        let said = reclaimed(bytes);
        self.site.events.publish(Kind::Container, "prune", "", said);
        Ok((removed, bytes))
    }
}
