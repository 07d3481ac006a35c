//! Removing images that nothing needs, and how much room they all take.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use engine_api::filter::Filters;
use engine_api::images::{ImageSummary, RemovedItem};
use engine_api::usage::Prunable;
use engine_images::{Digest, Image};

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
        let chosen = self.to_prune(filters)?;
        let before = self.layers_bytes();
        let mut gone = Vec::new();
        for image in chosen {
            let (id, uses) = (image.id.to_string(), uses());
            if is_used(&image, &uses) {
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

    /// Says what a prune with these filters would remove now, the largest first, and how many bytes
    /// that would free: an image's own may be less than its size.
    ///
    /// # Errors
    /// When a filter's value cannot be.
    pub(crate) fn prunable(&self, filters: &Filters, uses: &[ImageUse]) -> Result<Prunable> {
        let mut chosen = self.to_prune(filters)?;
        chosen.retain(|image| !is_used(image, uses));
        let gone: HashSet<Digest> = chosen.iter().map(|image| image.id).collect();
        let layers: HashSet<Digest> = chosen
            .iter()
            .flat_map(|image| image.diff_ids().iter().copied())
            .filter(|diff_id| !self.store.would_need_layer(*diff_id, &gone))
            .collect();
        let mut images = self.list(&Filters::default(), true)?;
        images.retain(|image| image.id.parse().is_ok_and(|id| gone.contains(&id)));
        images.sort_by_key(|image| std::cmp::Reverse(image.size));
        let freed: i64 = layers.iter().map(|diff_id| self.layer_size(*diff_id)).sum();
        Ok(Prunable {
            images,
            space_reclaimed: u64::try_from(freed).unwrap_or(0),
        })
    }

    /// The images that the filters choose, used or not.
    fn to_prune(&self, filters: &Filters) -> Result<Vec<Arc<Image>>> {
        let selection = Selection::new(filters, self.clock.now_ns())?;
        let only_dangling = filters.truth("dangling")?.unwrap_or(true);
        let mut images = self.store.list();
        images.retain(|image| {
            let is_named = only_dangling && !self.store.names_of(image.id).tags.is_empty();
            let created_ns = created_s(image).saturating_mul(1_000_000_000);
            !is_named && selection.takes(created_ns, &image.config.config.labels)
        });
        Ok(images)
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

fn is_used(image: &Image, uses: &[ImageUse]) -> bool {
    let id = image.id.to_string();
    uses.iter().any(|used| used.image_id == id)
}
