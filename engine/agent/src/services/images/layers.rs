//! What each layer of an image did: counted once by a walk through all of them, and remembered.
//!
//! An image is its layers, and a layer never changes: what was counted stays true for as long as
//! anybody wants to know it. The walk holds the layers as a container does, so an image that is
//! removed meanwhile is told to its end, and its layers go afterwards.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine_api::layers::{ImageLayer, ImageLayers, ImageStep, WastedFile};
use engine_images::{Digest, Image};
use engine_storage::{BrowseError, Stack, Totals};
use tokio::sync::Semaphore;

use super::held::LayersHeld;
use super::service::Images;
use super::show::seconds;
use crate::services::error::{Result, ServiceError};
use crate::services::looking::Waiting;
use crate::tasks::blocking;

/// How long the walk through an image's layers may take, and how long one waits to begin.
const WALK_LIMIT: Duration = Duration::from_secs(120);
/// Walks that go on at a time.
const WALKS_MAX: usize = 2;
/// Directories and files that are looked at at a time.
const SEATS_MAX: usize = 16;
/// Images whose figures are remembered.
const KNOWN_MAX: usize = 64;

/// Who may look through images now, and what was counted.
pub(super) struct Looks {
    walks: Arc<Semaphore>,
    /// One permit for each directory that may be looked at at a time.
    pub(super) seats: Arc<Semaphore>,
    /// One for each file that may be read at a time; its reader sets the pace.
    pub(super) readers: Arc<Semaphore>,
    /// The last used last.
    known: Mutex<VecDeque<Known>>,
}

type Known = (Vec<Digest>, Arc<Totals>);

impl Default for Looks {
    fn default() -> Self {
        Self {
            walks: Arc::new(Semaphore::new(WALKS_MAX)),
            seats: Arc::new(Semaphore::new(SEATS_MAX)),
            readers: Arc::new(Semaphore::new(SEATS_MAX)),
            known: Mutex::default(),
        }
    }
}

impl Looks {
    fn known(&self) -> MutexGuard<'_, VecDeque<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, diff_ids: &[Digest]) -> Option<Arc<Totals>> {
        let mut known = self.known();
        let at = known.iter().position(|(layers, _)| layers == diff_ids)?;
        let found = known.remove(at)?;
        let totals = Arc::clone(&found.1);
        known.push_back(found);
        Some(totals)
    }

    fn keep(&self, diff_ids: &[Digest], totals: &Arc<Totals>) {
        let mut known = self.known();
        known.push_back((diff_ids.to_vec(), Arc::clone(totals)));
        if known.len() > KNOWN_MAX {
            known.pop_front();
        }
    }
}

/// The layers of an image, open, which stay as long as this is there. To be dropped where one may block
/// the runtime's threads: the last to hold them sweeps them.
pub(super) struct Opened {
    pub(super) stack: Stack,
    _held: Held,
}

struct Held {
    layers: Option<LayersHeld>,
    image_id: String,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(layers) = self.layers.take() {
            layers.release(&self.image_id);
        }
    }
}

impl Images {
    /// Tells what each layer of an image did, and what of it is wasted.
    ///
    /// # Errors
    /// When it is not here, cannot be read, or takes too long.
    pub(crate) async fn layers(&self, name: &str) -> Result<ImageLayers> {
        let image = self.find(name)?;
        let totals = self.totals(&image).await?;
        Ok(told(&image, &totals))
    }

    async fn totals(&self, image: &Image) -> Result<Arc<Totals>> {
        if let Some(known) = self.looks.find(image.diff_ids()) {
            return Ok(known);
        }
        let too_long = |_| {
            let message = "the layers of the image take too long to look through";
            ServiceError::Unavailable(message.to_owned())
        };
        let counted = tokio::time::timeout(WALK_LIMIT, self.count_layers(image)).await;
        counted.map_err(too_long)?
    }

    async fn count_layers(&self, image: &Image) -> Result<Arc<Totals>> {
        let turn = Arc::clone(&self.looks.walks).acquire_owned().await;
        let turn = turn.map_err(ServiceError::failed("wait for a turn"))?;
        // Somebody else may have counted it meanwhile.
        if let Some(known) = self.looks.find(image.diff_ids()) {
            return Ok(known);
        }
        let opened = self.opened(image).await?;
        let waiting = Waiting::default();
        let is_given_up = waiting.is_given_up();
        let counted = blocking(move || {
            // A walk that nobody waits for goes on to its next question, and is one until then.
            let _turn = turn;
            opened.stack.totals(is_given_up)
        })
        .await;
        drop(waiting);
        let totals = Arc::new(counted.map_err(|error| not_shown(error, "", 0))?);
        self.looks.keep(image.diff_ids(), &totals);
        Ok(totals)
    }

    /// Opens an image's layers, bottom first, and holds them.
    pub(super) async fn opened(&self, image: &Image) -> Result<Opened> {
        // First held, then found: see `Layers::remove_unless`.
        let held = Held {
            layers: Some(self.held(image.diff_ids())),
            image_id: image.id.to_string(),
        };
        let diff_ids = self.unpack(image).await?;
        let stack = self.layers.stack(&diff_ids);
        let stack = stack.map_err(ServiceError::failed("open the layers of the image"))?;
        Ok(Opened { stack, _held: held })
    }
}

/// Why something of an image is not shown.
pub(super) fn not_shown(error: BrowseError, name: &str, layer: usize) -> ServiceError {
    match error {
        BrowseError::NotFound(path) => ServiceError::NotFound(format!(
            "Could not find the file {} in layer {layer} of image {name}",
            path.display()
        )),
        BrowseError::NotAFile(_) | BrowseError::Links(_) | BrowseError::TooMany(_) => {
            ServiceError::BadRequest(error.to_string())
        }
        BrowseError::GivenUp => ServiceError::Unavailable(error.to_string()),
        BrowseError::Failed(source) => {
            ServiceError::failed("look at the layers of the image")(source)
        }
    }
}

fn told(image: &Image, totals: &Totals) -> ImageLayers {
    let layers: Vec<_> = image
        .diff_ids()
        .iter()
        .zip(&totals.layers)
        .map(|(diff_id, layer)| ImageLayer {
            diff_id: diff_id.to_string(),
            size: layer.held_bytes,
            wasted: layer.wasted_bytes,
            added: layer.n_added,
            changed: layer.n_changed,
            removed: layer.n_removed,
        })
        .collect();
    ImageLayers {
        id: image.id.to_string(),
        size: layers.iter().map(|layer| layer.size).sum(),
        wasted: layers.iter().map(|layer| layer.wasted).sum(),
        efficiency: totals.efficiency,
        files: totals.n_files,
        steps: steps(image),
        layers,
        wasted_files: totals
            .wasted
            .iter()
            .map(|wasted| WastedFile {
                path: wasted.path.to_string_lossy().into_owned(),
                is_path_lossy: wasted.path.to_str().is_none(),
                wasted: wasted.wasted_bytes,
                layers: wasted.layers.clone(),
                is_there: wasted.is_there,
            })
            .collect(),
    }
}

/// How the image says that it was made. What it says is foreign: a step more than there are layers
/// made none, and a layer that no step made has a step without words.
pub(super) fn steps(image: &Image) -> Vec<ImageStep> {
    let mut layers = 0..image.diff_ids().len();
    let told = image.config.history.iter();
    let mut steps: Vec<_> = told
        .map(|step| ImageStep {
            created_by: step.created_by.clone(),
            comment: step.comment.clone(),
            created: step.created.as_deref().map_or(0, seconds),
            layer: match step.empty_layer {
                true => None,
                false => layers.next(),
            },
        })
        .collect();
    steps.extend(layers.map(|layer| ImageStep {
        layer: Some(layer),
        ..ImageStep::default()
    }));
    steps
}
