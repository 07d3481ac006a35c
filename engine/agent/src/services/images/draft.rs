//! Images that are being built: nowhere listed, their content held.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use engine_images::{
    Descriptor, Digest, History, ImageConfig, Lease, NewLayer, Platform, Reference, RootFs,
};
use engine_storage::{LayerError, PackError};
use serde::{Deserialize, Serialize};

use super::commit::write_both;
use super::pull::Wanted;
use super::service::{ImageForContainer, Images};
use super::{commit, show, unpack};
use crate::faults;
use crate::services::error::{Result, ServiceError, chain};
use crate::tasks::{blocking, on_own_thread};

/// An image as far as it is built. Cheap to clone; its content stays as long as a clone lives.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// How to run it and how it was made.
    pub(crate) config: ImageConfig,
    layers: Vec<Descriptor>,
    held: Vec<Arc<Lease>>,
}

/// A layer as it is written down: its archive, and what that is when uncompressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LayerNote {
    pub(crate) blob: Descriptor,
    pub(crate) diff_id: Digest,
}

/// A layer and what keeps it.
#[derive(Debug, Clone)]
pub(crate) struct HeldLayer {
    pub(crate) note: LayerNote,
    pub(crate) lease: Arc<Lease>,
}

impl Draft {
    /// An image without a layer.
    pub(crate) fn scratch(platform: Platform) -> Self {
        Self {
            config: ImageConfig {
                created: None,
                author: String::new(),
                comment: String::new(),
                platform,
                config: engine_images::RunConfig::default(),
                rootfs: RootFs {
                    kind: "layers".to_owned(),
                    diff_ids: Vec::new(),
                },
                history: Vec::new(),
            },
            layers: Vec::new(),
            held: Vec::new(),
        }
    }

    /// The id that it would have if it ended here.
    ///
    /// # Errors
    /// Practically never.
    pub(crate) fn id(&self) -> Result<Digest> {
        engine_images::id_of(&self.config).map_err(ServiceError::failed("name the image"))
    }

    /// Adds a step: what it was, and its layer if it has one.
    pub(crate) fn add(&mut self, history: History, layer: Option<HeldLayer>) {
        self.config.created.clone_from(&history.created);
        self.config.history.push(history);
        if let Some(HeldLayer { note, lease }) = layer {
            self.config.rootfs.diff_ids.push(note.diff_id);
            self.layers.push(note.blob);
            self.held.push(lease);
        }
    }

    /// The image with its first layers alone; the steps behind the first `n_steps` are told as
    /// `retold` tells them.
    pub(crate) fn cut(
        &self,
        n_steps: usize,
        n_layers: usize,
        retold: impl Fn(History) -> History,
    ) -> Self {
        let mut draft = self.clone();
        draft.layers.truncate(n_layers);
        draft.config.rootfs.diff_ids.truncate(n_layers);
        let later = draft.config.history.split_off(n_steps);
        draft.config.history.extend(later.into_iter().map(retold));
        draft
    }

    /// Tells how many layers there are.
    pub(crate) fn n_layers(&self) -> usize {
        self.layers.len()
    }

    /// The layers, the lowest first.
    pub(crate) fn diff_ids(&self) -> &[Digest] {
        &self.config.rootfs.diff_ids
    }
}

impl Images {
    /// Begins an image on top of one that is here.
    ///
    /// # Errors
    /// [`ServiceError::NoSuchImage`] when it is not.
    pub(crate) fn draft_of(&self, reference: &str) -> Result<Draft> {
        let id = self.find(reference)?.id;
        // First held, then used.
        let none = || ServiceError::NoSuchImage(reference.to_owned());
        let (image, lease) = self.store.hold(id).ok_or_else(none)?;
        let layers = self.store.hold_layers(image.diff_ids());
        Ok(Draft {
            config: image.config.clone(),
            layers: image
                .layers
                .iter()
                .map(|layer| layer.blob.clone())
                .collect(),
            held: vec![Arc::new(lease), Arc::new(layers)],
        })
    }

    /// Says for which machine an image is; `None` when it is not here.
    pub(crate) fn platform_of(&self, reference: &str) -> Option<Platform> {
        let image = self.find(reference).ok()?;
        Some(image.config.platform.clone())
    }

    /// Says that nobody else is to pull what `wanted` names: it has one tag or digest.
    pub(crate) fn one(wanted: Wanted) -> Wanted {
        Wanted {
            reference: wanted.reference.or_latest(),
            ..wanted
        }
    }

    /// Gives what a container of a draft is made of.
    ///
    /// # Errors
    /// When a layer cannot be unpacked.
    pub(crate) async fn for_draft(
        &self,
        draft: &Draft,
    ) -> Result<(ImageForContainer, super::LayersHeld)> {
        let held = self.held(draft.diff_ids());
        let layers = draft.layers.iter().zip(draft.diff_ids());
        for (blob, diff_id) in layers {
            let layer = engine_images::Layer {
                blob: blob.clone(),
                diff_id: *diff_id,
            };
            self.unpack_layer(&layer, None).await?;
        }
        let diff_ids: Vec<_> = draft.diff_ids().iter().map(|id| (*id).into()).collect();
        let layers = self
            .layers
            .paths(&diff_ids)
            .map_err(ServiceError::failed("use the image so far"))?;
        let image = ImageForContainer {
            id: draft.id()?.to_string(),
            config: show::config(&draft.config.config),
            layers,
        };
        Ok((image, held))
    }

    /// Keeps what `write` writes as a layer, unpacked too; an archive without members is none.
    ///
    /// # Errors
    /// When `write` fails, or the disk does; nothing is left then.
    pub(crate) async fn layer(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
    ) -> Result<Option<HeldLayer>> {
        let unfinished = self.unfinished();
        let (archive, copy) = io::pipe().map_err(ServiceError::failed("begin a layer"))?;
        let (store, layers) = (self.store.clone(), Arc::clone(&self.layers));
        let writing = on_own_thread("layer", move || {
            engine_images::keep_layer(&store, |target| write_both(target, copy, write))
        });
        let unpacking = on_own_thread("unpack", move || layers.unpack_new(archive));
        let (kept, unpacked) = tokio::join!(writing, unpacking);
        let kept = kept.map_err(ServiceError::failed("keep the layer"))?;
        let unpacked = unpacked.map_err(ServiceError::failed("unpack the layer"))?;
        let layer = blocking(move || -> Result<Option<NewLayer>> {
            let layer = kept.map_err(commit::refused)?;
            faults::point("build.kept");
            let unpacked = unpacked.map_err(unpack::refused)?;
            if let Some(layer) = &layer {
                let kept = unpacked.keep(layer.diff_id.into());
                kept.map_err(unpack::refused)?;
            }
            Ok(layer)
        })
        .await?;
        unfinished.finished();
        Ok(layer.map(|layer| HeldLayer {
            note: LayerNote {
                blob: layer.blob.clone(),
                diff_id: layer.diff_id,
            },
            lease: Arc::new(layer.into_lease()),
        }))
    }

    /// Makes one layer of those that a draft has above the first `n_below`. No time in it is later
    /// than `latest`, in seconds since 1970.
    ///
    /// # Errors
    /// When a layer cannot be read, or the disk fails.
    pub(crate) async fn squash(
        &self,
        draft: &Draft,
        n_below: usize,
        latest: Option<i64>,
    ) -> Result<Option<HeldLayer>> {
        let (_, held) = self.for_draft(draft).await?;
        let diff_ids: Vec<_> = draft.diff_ids().iter().map(|id| (*id).into()).collect();
        let stack = self.layers.stack(&diff_ids);
        let stack = stack.map_err(ServiceError::failed("open the layers of the image"))?;
        self.layer(move |target| {
            let written = stack.write_squashed(n_below, latest, target);
            drop(held);
            written.map(drop).map_err(|error| match error {
                LayerError::Pack(PackError::Write(error)) => error,
                error => io::Error::other(chain(&error)),
            })
        })
        .await
    }

    /// Holds a layer that was written down, if its archive is still here.
    pub(crate) fn hold_note(&self, note: LayerNote) -> Option<HeldLayer> {
        // First held, then looked at.
        let lease = self
            .store
            .hold_content(&[note.blob.digest], &[note.diff_id]);
        self.store.blobs().size(note.blob.digest)?;
        let lease = Arc::new(lease);
        Some(HeldLayer { note, lease })
    }

    /// The layers of an image that is here, with the steps that made it.
    ///
    /// # Errors
    /// [`ServiceError::NoSuchImage`] when it is not.
    pub(crate) fn notes_of(&self, reference: &str) -> Result<(ImageConfig, Vec<LayerNote>)> {
        let image = self.find(reference)?;
        let notes = image.layers.iter().map(|layer| LayerNote {
            blob: layer.blob.clone(),
            diff_id: layer.diff_id,
        });
        Ok((image.config.clone(), notes.collect()))
    }

    /// Lists a draft under its names, all at once; returns its id.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) async fn list_draft(&self, draft: Draft, names: Vec<Reference>) -> Result<Digest> {
        let unfinished = self.unfinished();
        let store = self.store.clone();
        let Draft {
            config,
            layers,
            held,
        } = draft;
        let prepared = blocking(move || engine_images::compose(&store, &config, layers))
            .await
            .map_err(ServiceError::failed("keep the image"))?;
        faults::point("build.prepared");
        let added = self.add(vec![(prepared, names.clone())]).await?;
        unfinished.finished();
        drop(held);
        let Some(image) = added.first() else {
            let message = "the image was not listed".to_owned();
            return Err(ServiceError::Unavailable(message));
        };
        let id = image.id.to_string();
        self.publish("build", id.clone(), &id, image);
        for name in &names {
            self.publish("tag", id.clone(), &name.familiar(), image);
        }
        Ok(image.id)
    }

    /// The layers that images in the list have.
    pub(crate) fn listed_layers(&self) -> BTreeSet<Digest> {
        let images = self.store.list();
        let layers = images.iter().flat_map(|image| image.diff_ids().to_vec());
        layers.collect()
    }

    /// Removes every archive that no image needs and nobody holds.
    pub(crate) async fn sweep_blobs(&self) {
        let store = self.store.clone();
        blocking(move || store.sweep()).await;
    }
}
