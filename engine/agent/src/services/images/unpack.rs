//! From blobs to layers: each unpacked once, and swept when nobody needs it.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine_images::{Image, Layer, Prepared, Reader, Reference, Store};
use engine_storage::{ApplyError, DiffId, Layers};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::progress::Board;
use super::service::Images;
use crate::services::error::{Result, ServiceError};
use crate::tasks::{blocking, blocking_detached};

/// Layers that are unpacked at once.
const LAYERS_MAX: usize = 4;
/// A line of progress for each of these.
const STEP_BYTES: u64 = 1 << 20;

impl Images {
    /// Unpacks what is not unpacked of an image's layers, and returns their diff ids.
    ///
    /// Usually everything is there; a layer that the start found damaged is repaired so.
    pub(super) async fn unpack(&self, image: &Image) -> Result<Vec<DiffId>> {
        let work: Vec<_> = image
            .layers
            .iter()
            .map(|layer| self.unpack_layer(layer, None))
            .collect();
        stream::iter(work)
            .buffer_unordered(LAYERS_MAX)
            .try_collect::<()>()
            .await?;
        let diff_ids = image.layers.iter().map(|layer| layer.diff_id.into());
        Ok(diff_ids.collect())
    }

    /// Unpacks one layer whose blob is here, unless it is unpacked. Dropping this stops the work.
    pub(super) async fn unpack_layer(
        &self,
        layer: &Layer,
        board: Option<&Arc<Board>>,
    ) -> Result<()> {
        let diff_id = DiffId::from(layer.diff_id);
        if self.layers.layer(diff_id).is_some() {
            return Ok(());
        }
        let blob = self
            .store
            .blobs()
            .reader(layer.blob.digest)
            .map_err(ServiceError::failed("unpack a layer"))?;
        let going = Arc::new(AtomicBool::new(true));
        let source = Watched {
            blob,
            going: Arc::clone(&going),
            board: board.cloned(),
            id: layer.blob.digest.short(),
            n_read: 0,
            n_told: 0,
            total: layer.blob.size_bytes,
        };
        let (store, layers) = (self.store.clone(), Arc::clone(&self.layers));
        let stop = StopOnDrop(Arc::clone(&going));
        let applied = blocking(move || apply(&store, &layers, diff_id, source, &going)).await;
        drop(stop);
        match applied {
            Ok(()) => Ok(()),
            Err(error) => Err(self.blame(layer, error).await),
        }
    }

    /// Unpacks a layer that is not unpacked while its blob arrives, until this is dropped.
    ///
    /// Whether that went well says the next [`Self::unpack_layer`], which finds it done or does it
    /// again from the disk: the blob itself is compared by whoever brings it.
    pub(super) fn unpack_along(&self, layer: &Layer) -> Along {
        let diff_id = DiffId::from(layer.diff_id);
        let is_needed = self.layers.layer(diff_id).is_none();
        let going = Arc::new(AtomicBool::new(true));
        let (store, layers) = (self.store.clone(), Arc::clone(&self.layers));
        let is_wanted = Arc::clone(&going);
        let reader = move |source: &mut (dyn Read + Send)| {
            // Whatever pace the bytes come at, nobody who wants the same layer waits for them.
            let unpacked = layers.unpack_new(source);
            let kept = unpacked.and_then(|unpacked| unpacked.keep(diff_id));
            sweep_unless(&is_wanted, &store, &layers);
            if let Err(error) = kept {
                let error = crate::services::error::chain(&error);
                tracing::debug!(layer = %diff_id, error, "a layer is unpacked once it is here");
            }
        };
        Along {
            reader: is_needed.then(|| Arc::new(reader) as Arc<Reader>),
            _stop: StopOnDrop(going),
        }
    }

    /// Says why a layer could not be unpacked. What the disk has damaged is forgotten, so that the
    /// next pull brings it again.
    async fn blame(&self, layer: &Layer, error: ApplyError) -> ServiceError {
        if error.is_full() || matches!(error, ApplyError::Write { .. }) {
            return refused(error);
        }
        let (store, digest) = (self.store.clone(), layer.blob.digest);
        match blocking(move || store.blobs().forget_if_damaged(digest)).await {
            Ok(true) => {
                tracing::error!(blob = %digest, "a blob was damaged on the disk, and is removed");
                let message =
                    format!("layer {digest} was damaged on this disk: pull its image again");
                ServiceError::Failed {
                    step: "unpack the image".to_owned(),
                    source: message.into(),
                }
            }
            Ok(false) => refused(error),
            Err(failed) => ServiceError::failed("look after a layer")(failed),
        }
    }

    /// Adds prepared images whose layers are unpacked, with their names: all or none.
    pub(super) async fn add(
        &self,
        prepared: Vec<(Prepared, Vec<Reference>)>,
    ) -> Result<Vec<Arc<Image>>> {
        let (store, now_ns) = (self.store.clone(), self.clock.now_ns());
        blocking(move || store.add(prepared, now_ns))
            .await
            .map_err(ServiceError::failed("list the image"))
    }

    /// Removes the layers that no image needs.
    pub(super) async fn sweep_layers(&self) {
        let (store, layers) = (self.store.clone(), Arc::clone(&self.layers));
        blocking(move || sweep(&store, &layers)).await;
    }

    /// Sweeps when it is dropped, unless the work that it stands for came to its end.
    pub(super) fn unfinished(&self) -> Unfinished {
        Unfinished {
            stores: Some((self.store.clone(), Arc::clone(&self.layers))),
        }
    }
}

/// Unpacks a layer while it arrives.
pub(super) struct Along {
    reader: Option<Arc<Reader>>,
    _stop: StopOnDrop,
}

impl Along {
    pub(super) fn reader(&self) -> Option<Arc<Reader>> {
        self.reader.clone()
    }
}

/// Unpacks a layer for somebody who may go meanwhile. Blocks.
fn apply(
    store: &Store,
    layers: &Layers,
    diff_id: DiffId,
    source: impl Read + Send,
    is_wanted: &AtomicBool,
) -> std::result::Result<(), ApplyError> {
    let applied = layers.apply(diff_id, source);
    sweep_unless(is_wanted, store, layers);
    applied.map(drop)
}

/// Sweeps what was done too late: whoever wanted it has gone, and swept before it was there.
fn sweep_unless(is_wanted: &AtomicBool, store: &Store, layers: &Layers) {
    if !is_wanted.load(Ordering::Relaxed) {
        sweep(store, layers);
    }
}

/// Work that leaves layers behind when it is broken off.
pub(super) struct Unfinished {
    stores: Option<(Store, Arc<Layers>)>,
}

impl Unfinished {
    pub(super) fn finished(mut self) {
        self.stores = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some((store, layers)) = self.stores.take() {
            blocking_detached(move || sweep(&store, &layers));
        }
    }
}

/// Removes each layer that no image and no container needs.
pub(super) fn sweep(store: &Store, layers: &Layers) {
    if !store.is_whole() {
        tracing::warn!("no layer is swept: an image is damaged, and what it needs is not known");
        return;
    }
    for (diff_id, _) in layers.list() {
        let is_needed = || store.needs_layer(diff_id.digest());
        if let Err(error) = layers.remove_unless(diff_id, is_needed) {
            let error = crate::services::error::chain(&error);
            tracing::warn!(layer = %diff_id, error, "a layer was not removed");
        }
    }
}

/// What to say when there is no room: what to do.
pub(super) const FULL: &str =
    "keep the image, the disk is full: remove images or containers that nobody needs, or make room";

/// A layer that is refused is the image's fault, a full disk is ours.
pub(super) fn refused(error: ApplyError) -> ServiceError {
    match &error {
        _ if error.is_full() => ServiceError::failed(FULL)(error),
        ApplyError::Write { .. } => ServiceError::failed("unpack the image")(error),
        _ => ServiceError::BadRequest(crate::services::error::chain(&error)),
    }
}

/// A blob that is read while somebody watches how far it is, and may stop it.
struct Watched {
    blob: File,
    going: Arc<AtomicBool>,
    board: Option<Arc<Board>>,
    id: String,
    n_read: u64,
    n_told: u64,
    total: u64,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.going.load(Ordering::Relaxed) {
            return Err(io::Error::other("nobody waits for it any more"));
        }
        let n_read = self.blob.read(buffer)?;
        self.n_read += n_read as u64;
        if let Some(board) = &self.board
            && (self.n_read - self.n_told >= STEP_BYTES || self.n_told == 0)
        {
            self.n_told = self.n_read;
            board.count(&self.id, "Extracting", self.n_read, self.total);
        }
        Ok(n_read)
    }
}

struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
