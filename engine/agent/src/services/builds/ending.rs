//! What comes behind the last stage: labels that were asked for, and the new layers as one.

use std::sync::Arc;

use engine_build::{Action, cache};
use engine_images::{Digest, History};

use super::cache as kept;
use super::executor::{Stop, Work, n_steps};
use super::output::Output;
use super::stage::{Built, KEY_MARK, Stage, made_at};
use super::told;
use crate::services::images::Draft;
use crate::tasks::blocking;

/// The image that stands below everything that a build does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ground {
    /// None below what begins with nothing.
    pub(super) id: Option<Digest>,
    pub(super) n_steps: usize,
    pub(super) n_layers: usize,
}

/// Adds the labels that were asked for, as a step behind the last.
pub(super) async fn with_labels(
    work: &Arc<Work>,
    built: &Built,
    output: &Output,
) -> Result<Arc<Built>, Stop> {
    let labels: Vec<_> = work.request.labels.clone().into_iter().collect();
    if let Some(told) = told::labels(work) {
        output.begin(&told, n_steps(work)).await?;
    }
    let mut stage = Stage {
        work,
        output,
        draft: built.draft.clone(),
        key: built.key,
        is_cmd_set: true,
    };
    let done = stage.act(Action::Label(labels)).await;
    output.end(&done).await?;
    done?;
    Ok(Arc::new(Built {
        draft: stage.draft,
        key: stage.key,
        scope: built.scope.clone(),
        ground: built.ground,
    }))
}

/// Makes one layer of all that the build added to the image it stands on, as Docker's `--squash`: its
/// steps stay in the history, without layers.
pub(super) async fn squashed(work: &Arc<Work>, built: &Built) -> Result<Draft, Stop> {
    let (all, ground) = (&built.draft, built.ground);
    let id = all.id()?;
    let below = ground.id.map(|below| below.to_string());
    let comment = match &below {
        Some(below) => format!("merge {id} to {below}"),
        None => format!("create new from {id}"),
    };
    let mut draft = all.cut(ground.n_steps, ground.n_layers, |step| History {
        // Nobody may take it for the whole step.
        comment: match step.comment.starts_with(KEY_MARK) {
            true => String::new(),
            false => step.comment,
        },
        empty_layer: true,
        ..step
    });
    let key = cache::squash(&id.to_string(), &below.unwrap_or_default());
    let found = match work.request.no_cache {
        true => None,
        false => kept::find(&work.builds, key.to_string(), &draft).await,
    };
    let step = match found {
        Some(step) => step,
        None => {
            let layer = work.builds.images.squash(all, ground.n_layers, work.epoch);
            let layer = layer.await?;
            let history = History {
                created: Some(made_at(work)),
                comment,
                empty_layer: layer.is_none(),
                ..History::default()
            };
            let step = kept::Step { history, layer };
            let (builds, below, keeping) = (Arc::clone(&work.builds), draft.clone(), step.clone());
            blocking(move || {
                let now_ns = builds.clock.now_ns();
                builds.cache.add(key.to_string(), &below, keeping, now_ns)
            })
            .await?;
            step
        }
    };
    draft.add(step.history, step.layer);
    Ok(draft)
}
