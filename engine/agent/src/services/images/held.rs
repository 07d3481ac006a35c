//! Layers that a container stands on: they stay although their image is removed.

use std::sync::Arc;

use engine_images::{Lease, Store};
use engine_storage::Layers;

use super::unpack::sweep;
use crate::tasks::blocking_detached;

/// Keeps the layers of a container from being swept. Dropped, it lets them go.
pub(crate) struct LayersHeld {
    lease: Lease,
    store: Store,
    layers: Arc<Layers>,
}

impl LayersHeld {
    pub(super) fn new(lease: Lease, store: &Store, layers: &Arc<Layers>) -> Self {
        Self {
            lease,
            store: store.clone(),
            layers: Arc::clone(layers),
        }
    }

    /// Lets the layers go with their container, made of the image `image_id`. What stayed for it
    /// alone goes too.
    pub(crate) fn release(self, image_id: &str) {
        let Self {
            lease,
            store,
            layers,
        } = self;
        drop(lease);
        let id = image_id.parse().ok();
        if id.is_none_or(|id| store.get(id).is_none()) {
            blocking_detached(move || sweep(&store, &layers));
        }
    }

    /// Keeps the layers as long as this process lives: an engine that stops forgets containers that
    /// still stand on theirs, and something else may sweep until it is gone.
    pub(crate) fn keep(self) {
        std::mem::forget(self.lease);
    }
}
