//! Reading every blob again: is its content still what its name says?

use super::service::Images;
use crate::services::error::chain;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    pub(crate) n_blobs: usize,
    pub(crate) repaired: Vec<String>,
    pub(crate) damaged: Vec<String>,
}

impl Images {
    /// Compares every blob with its name. A damaged one goes, so that the next pull or load of its
    /// image brings it anew; containers keep their unpacked layers. Reads everything: blocks.
    pub(crate) fn verify_blobs(&self) -> Verified {
        let blobs = self.store.blobs();
        let mut found = Verified::default();
        for digest in blobs.list() {
            found.n_blobs += 1;
            let Err(error) = blobs.verify(digest) else {
                continue;
            };
            let images = self.store.list();
            let users = images.iter().filter(|image| {
                image.id == digest
                    || image.manifest == digest
                    || image.layers.iter().any(|layer| layer.blob.digest == digest)
            });
            let users: Vec<_> = users.map(|image| image.id.to_string()).collect();
            let of = match users.is_empty() {
                true => String::new(),
                false => format!(" of image {}", users.join(", ")),
            };
            let reason = chain(&error);
            found.damaged.push(match blobs.remove(digest) {
                Ok(()) => format!("{reason}; blob {digest}{of} was removed: pull or load it again"),
                Err(error) => format!("{reason}; blob {digest}{of} stays: {}", chain(&error)),
            });
        }
        for image in self.store.list() {
            let lacking = image
                .layers
                .iter()
                .filter(|layer| blobs.size(layer.blob.digest).is_none());
            found.damaged.extend(lacking.map(|layer| {
                let (id, digest) = (image.id, layer.blob.digest);
                format!("image {id} lacks blob {digest}: pull or load it again")
            }));
        }
        if !self.store.is_whole() {
            let sentence = "an image in the list cannot be read; nothing of it was swept";
            found.damaged.push(sentence.to_owned());
        }
        found
    }

    /// Counts the unpacked layers.
    pub(crate) fn n_layers(&self) -> usize {
        self.layers.list().len()
    }

    /// Sweeps the layers that no image and no container needs, if it is known which.
    pub(crate) async fn sweep_unneeded(&self) {
        if self.store.is_whole() {
            self.sweep_layers().await;
        }
    }
}
