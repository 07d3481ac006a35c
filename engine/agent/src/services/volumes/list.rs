//! The list of volumes, how much they hold, and which of them a prune takes.

use std::sync::Arc;

use engine_api::filter::{FilterError, Filters};
use engine_api::volumes::{DRIVER, Volume, VolumeList, VolumeUsage};
use engine_storage::VolumeRecord;
use regex_lite::Regex;

use super::service::Volumes;
use crate::clock::rfc3339_seconds;
use crate::services::error::{Result, ServiceError, chain};
use crate::services::events::Kind;
use crate::services::looking::Waiting;
use crate::services::prune::{Selection, reclaimed};
use crate::tasks::blocking;

impl Volumes {
    /// Lists the volumes that the filters choose, by name.
    ///
    /// # Errors
    /// When a filter's value cannot be.
    pub(crate) fn list(&self, filters: &Filters) -> Result<VolumeList> {
        let mut names = Vec::new();
        for name in filters.values("name") {
            names.push(Regex::new(name).map_err(|_| invalid("name", name))?);
        }
        let dangling = filters.truth("dangling")?;
        let mut volumes = Vec::new();
        for (name, entry) in self.entries() {
            let state = entry.state().clone();
            let Some(record) = state.record else { continue };
            let is_dangling = state.users.is_empty();
            if (names.is_empty() || names.iter().any(|regex| regex.is_match(&name)))
                && dangling.is_none_or(|wanted| wanted == is_dangling)
                && filters.any("driver", |wanted| wanted == DRIVER)
                && filters.labels_match(&record.labels)
            {
                volumes.push(self.wire(&record));
            }
        }
        Ok(VolumeList {
            volumes,
            warnings: Vec::new(),
        })
    }

    /// Lists every volume with how much it holds, counted in a worker that stops with its caller.
    pub(crate) async fn list_for_usage(self: &Arc<Self>) -> Vec<Volume> {
        let waiting = Waiting::default();
        let is_given_up = waiting.is_given_up();
        let volumes = Arc::clone(self);
        let counted = blocking(move || volumes.measured(&is_given_up)).await;
        drop(waiting);
        counted
    }

    fn measured(&self, is_given_up: &dyn Fn() -> bool) -> Vec<Volume> {
        let mut all = Vec::new();
        for (name, entry) in self.entries() {
            let state = entry.state().clone();
            let Some(record) = state.record else { continue };
            let usage = self.store.usage(&name, is_given_up);
            let size = usage.map_or(-1, |usage| i64::try_from(usage.size_bytes).unwrap_or(-1));
            all.push(Volume {
                usage_data: Some(VolumeUsage {
                    size,
                    ref_count: i64::try_from(state.users.len()).unwrap_or(i64::MAX),
                }),
                ..self.wire(&record)
            });
        }
        all
    }

    /// Removes the volumes that nobody has and that the filters choose: those without a name, with
    /// `all` every one. Returns their names and how much they held.
    ///
    /// # Errors
    /// When a filter's value cannot be.
    pub(crate) async fn prune(
        self: &Arc<Self>,
        filters: &Filters,
        takes_all: bool,
    ) -> Result<(Vec<String>, u64)> {
        let chosen = self.prunable(filters, takes_all)?;
        let (mut removed, mut bytes) = (Vec::new(), 0);
        for name in chosen {
            let waiting = Waiting::default();
            let is_given_up = waiting.is_given_up();
            let (volumes, wanted) = (Arc::clone(self), name.clone());
            let usage = blocking(move || volumes.store.usage(&wanted, &is_given_up)).await;
            drop(waiting);
            match self.remove(&name, false).await {
                Ok(()) => {
                    bytes += usage.map_or(0, |usage| usage.size_bytes);
                    removed.push(name);
                }
                // Somebody took or removed it meanwhile; the others still go.
                Err(error) => {
                    tracing::debug!(volume = name, reason = chain(&error), "not pruned");
                }
            }
        }
        self.events
            .publish(Kind::Volume, "prune", "", reclaimed(bytes));
        Ok((removed, bytes))
    }

    /// Names what a prune would take.
    ///
    /// # Errors
    /// When a filter's value cannot be.
    pub(crate) fn prunable(&self, filters: &Filters, takes_all: bool) -> Result<Vec<String>> {
        let selection = Selection::new(filters, self.clock.now_ns())?;
        let all = takes_all || filters.truth("all")?.unwrap_or(false);
        let chosen = self.entries().into_iter().filter(|(_, entry)| {
            let state = entry.state();
            let fits = |record: &Arc<VolumeRecord>| {
                (all || record.is_anonymous) && selection.takes(record.created_ns, &record.labels)
            };
            state.users.is_empty() && state.record.as_ref().is_some_and(fits)
        });
        Ok(chosen.map(|(name, _)| name).collect())
    }

    /// A volume as clients read it.
    pub(super) fn wire(&self, record: &VolumeRecord) -> Volume {
        let options = &record.options;
        Volume {
            name: record.name.clone(),
            driver: DRIVER.to_owned(),
            mountpoint: self.mountpoint(&record.name),
            // Docker's has no fraction of a second.
            created_at: rfc3339_seconds(record.created_ns),
            labels: record.labels.clone(),
            scope: "local".to_owned(),
            options: (!options.is_empty()).then(|| options.clone()),
            usage_data: None,
        }
    }
}

fn invalid(key: &str, value: &str) -> ServiceError {
    let (key, value) = (key.to_owned(), value.to_owned());
    FilterError::Value { key, value }.into()
}
