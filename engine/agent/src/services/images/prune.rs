//! Removing images that nothing needs, and how much room they all take.

use std::collections::HashMap;
use std::path::PathBuf;

use engine_api::filter::Filters;
use engine_api::images::{ImageSummary, RemovedItem};

use super::remove::ImageUse;
use super::service::Images;
use super::show::created_s;
use crate::services::error::{Result, chain};
use crate::services::events::Kind;
use crate::services::prune::{Selection, reclaimed};

impl Images {
    /// Removes images that no container is made of: those without a name, or with
    /// `dangling=false` all of them. Returns what went and how many bytes. `uses` is asked before
    /// each removal: a container may be made meanwhile.
    ///
    /// # Errors
    /// When a filter's value cannot be.
    pub(crate) async fn prune(
        &self,
        filters: &Filters,
        uses: impl Fn() -> Vec<ImageUse>,
    ) -> Result<(Vec<RemovedItem>, u64)> {
        let selection = Selection::new(filters, self.clock.now_ns())?;
        let only_dangling = filters.truth("dangling")?.unwrap_or(true);
        let before = self.layers_bytes();
        let mut gone = Vec::new();
        for image in self.store.list() {
            let (id, names) = (image.id.to_string(), self.store.names_of(image.id));
            let created_ns = created_s(&image).saturating_mul(1_000_000_000);
            let is_named = !names.tags.is_empty() || (!only_dangling && !names.digests.is_empty());
            if (only_dangling && is_named)
                || !selection.takes(created_ns, &image.config.config.labels)
            {
                continue;
            }
            let uses = uses();
            if uses.iter().any(|used| used.image_id == id) {
                continue;
            }
            match self.remove(&id, true, &uses).await {
                Ok(items) => gone.extend(items),
                // Somebody uses it by now; the others still go.
                Err(error) => tracing::debug!(image.id = id, reason = chain(&error), "not pruned"),
            }
        }
        let bytes = before.saturating_sub(self.layers_bytes());
        self.events
            .publish(Kind::Image, "prune", "", reclaimed(bytes));
        Ok((gone, bytes))
    }

    /// Bytes in all unpacked layers, each once.
    pub(crate) fn layers_bytes(&self) -> u64 {
        let layers = self.layers.list();
        layers.iter().map(|(_, layer)| layer.size_bytes).sum()
    }

    /// Bytes in a container's layers, given as its record names them.
    pub(crate) fn bytes_of(&self, layers: &[PathBuf]) -> u64 {
        let sizes: HashMap<String, u64> = self
            .layers
            .list()
            .into_iter()
            .map(|(diff_id, layer)| (diff_id.hex(), layer.size_bytes))
            .collect();
        let size = |path: &PathBuf| sizes.get(path.parent()?.file_name()?.to_str()?).copied();
        layers.iter().filter_map(size).sum()
    }

    /// Lists every image as `system df` shows it: what it shares and how many containers it has.
    ///
    /// # Errors
    /// Practically never.
    pub(crate) fn list_for_usage(&self, uses: &[ImageUse]) -> Result<Vec<ImageSummary>> {
        let mut images = self.list(&Filters::default(), true)?;
        for image in &mut images {
            let n_uses = uses.iter().filter(|used| used.image_id == image.id).count();
            image.containers = i64::try_from(n_uses).unwrap_or(i64::MAX);
        }
        Ok(images)
    }
}
