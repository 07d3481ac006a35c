//! What is kept of steps between builds: which layer came of which step on which image.
//!
//! A step is found by its key, which is made of what it does and of the content of what it reads.
//! Its layer is taken only on top of the very layers that it was made on: a base that was built
//! anew under the same key is another one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine_api::builds::BuildCache;
use engine_images::{Digest, History};
use serde::{Deserialize, Serialize};

use super::service::Builds;
use crate::clock::rfc3339;
use crate::records::BuildStore;
use crate::services::error::{Result, ServiceError, chain};
use crate::services::images::{Draft, HeldLayer, Images, LayerNote};
use crate::tasks::blocking;

/// Steps that are kept, and bytes of their layers; the longest unused go first.
const STEPS_MAX: usize = 20_000;
const BYTES_MAX: u64 = 20 << 30;

/// What is written down of a step.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    key: String,
    /// The digest of the layers below.
    below: Digest,
    history: History,
    layer: Option<LayerNote>,
    made_ns: i64,
}

struct Kept {
    note: Note,
    layer: Option<HeldLayer>,
    used_ns: i64,
    n_uses: u64,
}

/// A step that was done before.
#[derive(Clone)]
pub(super) struct Step {
    pub(super) history: History,
    pub(super) layer: Option<HeldLayer>,
}

/// The steps that are kept.
pub(crate) struct Cache {
    store: Arc<BuildStore>,
    images: Arc<Images>,
    kept: Mutex<BTreeMap<String, Kept>>,
}

/// What a prune takes.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    pub(crate) ids: Vec<String>,
    /// Not used since.
    pub(crate) unused_since_ns: Option<i64>,
}

impl Cache {
    /// Reads what is kept, and holds its layers. What cannot be read, or has no layer any more, is
    /// forgotten: it is only a cache.
    pub(super) fn open(store: Arc<BuildStore>, images: Arc<Images>) -> Self {
        let mut kept = BTreeMap::new();
        let log = store.read_log().unwrap_or_else(|error| {
            tracing::warn!(error = %error, "the build cache cannot be read, and is empty now");
            Vec::new()
        });
        for line in log.split(|byte| *byte == b'\n') {
            let Ok(note) = serde_json::from_slice::<Note>(line) else {
                continue;
            };
            let layer = match &note.layer {
                None => None,
                Some(layer) => match images.hold_note(layer.clone()) {
                    None => continue,
                    held => held,
                },
            };
            let (used_ns, n_uses) = (note.made_ns, 0);
            let step = Kept {
                note,
                layer,
                used_ns,
                n_uses,
            };
            kept.insert(step.note.key.clone(), step);
        }
        Self {
            store,
            images,
            kept: Mutex::new(kept),
        }
    }

    /// Finds a step that was done on this image before. Blocks.
    fn find(&self, key: &str, draft: &Draft, now_ns: i64) -> Option<Step> {
        let mut all = self.all();
        let kept = all.get_mut(key)?;
        if kept.note.below != below(draft) {
            return None;
        }
        // The disk may have damaged its archive since.
        if let Some(layer) = &kept.layer
            && self.images.hold_note(layer.note.clone()).is_none()
        {
            all.remove(key);
            return None;
        }
        kept.used_ns = now_ns;
        kept.n_uses += 1;
        Some(Step {
            history: kept.note.history.clone(),
            layer: kept.layer.clone(),
        })
    }

    /// Keeps a step that was done on `draft`. Blocks.
    ///
    /// # Errors
    /// When the disk fails; the step is not kept then.
    pub(super) fn add(&self, key: String, draft: &Draft, step: Step, now_ns: i64) -> Result<()> {
        let Step { history, layer } = step;
        let note = Note {
            key: key.clone(),
            below: below(draft),
            history,
            layer: layer.as_ref().map(|layer| layer.note.clone()),
            made_ns: now_ns,
        };
        let failed = ServiceError::failed("keep a step in the build cache");
        let mut line = serde_json::to_vec(&note).map_err(ServiceError::failed("keep a step"))?;
        line.push(b'\n');
        self.store.append_log(&line).map_err(failed)?;
        let kept = Kept {
            note,
            layer,
            used_ns: now_ns,
            n_uses: 0,
        };
        let mut all = self.all();
        all.insert(key, kept);
        let bytes: u64 = all.values().map(size_of).sum();
        let too_many = all.len() > STEPS_MAX || bytes > BYTES_MAX;
        drop(all);
        if too_many {
            self.trim();
        }
        Ok(())
    }

    /// Lists what is kept. `is_shared` says whether an image has a layer too.
    pub(super) fn list(&self, is_shared: &dyn Fn(Digest) -> bool) -> Vec<BuildCache> {
        let all = self.all();
        let items = all.values().map(|kept| BuildCache {
            id: kept.note.key.clone(),
            kind: "regular".to_owned(),
            description: kept.note.history.created_by.clone(),
            in_use: false,
            shared: kept
                .layer
                .as_ref()
                .is_some_and(|layer| is_shared(layer.note.diff_id)),
            size: size_of(kept),
            created_at: rfc3339(kept.note.made_ns),
            last_used_at: (kept.n_uses > 0).then(|| rfc3339(kept.used_ns)),
            usage_count: kept.n_uses,
        });
        items.collect()
    }

    /// Forgets what is chosen; returns the keys and how many bytes the layers had. Blocks.
    ///
    /// # Errors
    /// When the disk fails; nothing is forgotten then.
    pub(super) fn prune(&self, chosen: &Chosen) -> Result<(Vec<String>, u64)> {
        let takes = |kept: &Kept| {
            let is_named = |id: &String| kept.note.key.starts_with(id.as_str());
            (chosen.ids.is_empty() || chosen.ids.iter().any(is_named))
                && chosen
                    .unused_since_ns
                    .is_none_or(|since| kept.used_ns <= since)
        };
        self.forget(takes)
    }

    /// Forgets the longest unused, a tenth more than must go.
    fn trim(&self) {
        let since = {
            let all = self.all();
            let mut uses: Vec<(i64, u64)> = all.values().map(|k| (k.used_ns, size_of(k))).collect();
            uses.sort_unstable_by(|a, b| b.cmp(a));
            let mut bytes = 0;
            let n_kept = uses
                .iter()
                .take(STEPS_MAX / 10 * 9)
                .take_while(|(_, size)| {
                    bytes += size;
                    bytes < BYTES_MAX / 10 * 9
                });
            let n_kept = n_kept.count();
            uses.get(n_kept).map(|(used_ns, _)| *used_ns)
        };
        let Some(since) = since else { return };
        if let Err(error) = self.forget(|kept| kept.used_ns <= since) {
            let error = chain(&error);
            tracing::warn!(error, "the build cache was not made smaller");
        }
    }

    fn forget(&self, takes: impl Fn(&Kept) -> bool) -> Result<(Vec<String>, u64)> {
        let mut all = self.all();
        let mut lines = Vec::new();
        let (mut keys, mut bytes) = (Vec::new(), 0);
        for (key, kept) in all.iter() {
            if takes(kept) {
                keys.push(key.clone());
                bytes += size_of(kept);
            } else {
                lines.extend(serde_json::to_vec(&kept.note).unwrap_or_default());
                lines.push(b'\n');
            }
        }
        if keys.is_empty() {
            return Ok((keys, bytes));
        }
        self.store
            .replace_log(&lines)
            .map_err(ServiceError::failed("write the build cache"))?;
        for key in &keys {
            all.remove(key);
        }
        Ok((keys, bytes))
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Cache {
    /// An engine that stops forgets what is kept, and does not let it go.
    fn drop(&mut self) {
        for (_, kept) in std::mem::take(&mut *self.all()) {
            std::mem::forget(kept.layer);
        }
    }
}

/// Finds a step that was done on this image before.
pub(super) async fn find(builds: &Arc<Builds>, key: String, draft: &Draft) -> Option<Step> {
    let (builds, draft) = (Arc::clone(builds), draft.clone());
    blocking(move || builds.cache.find(&key, &draft, builds.clock.now_ns())).await
}

fn size_of(kept: &Kept) -> u64 {
    kept.note
        .layer
        .as_ref()
        .map_or(0, |layer| layer.blob.size_bytes)
}

/// The digest of an image's layers.
fn below(draft: &Draft) -> Digest {
    let ids: Vec<String> = draft.diff_ids().iter().map(ToString::to_string).collect();
    Digest::of(ids.join(" ").as_bytes())
}
