//! Layers that are kept one by one, and an image that is put together of them: what a build makes.

use std::io::{self, Write};

use engine_tar::{Compression, Digest};

use crate::assemble::{self, to_json};
use crate::blobs::write_failed;
use crate::error::{LoadError, StoreError};
use crate::manifest::{Descriptor, ImageConfig};
use crate::store::{Prepared, Store};
use crate::sweep::Lease;

/// A layer that is kept as long as this lives, whether an image has it or not.
#[derive(Debug)]
pub struct NewLayer {
    /// Its archive.
    pub blob: Descriptor,
    /// The digest of the archive when uncompressed.
    pub diff_id: Digest,
    lease: Lease,
}

impl NewLayer {
    /// Takes what keeps it.
    pub fn into_lease(self) -> Lease {
        self.lease
    }
}

/// Keeps what `write` writes as a layer; an archive without members is none. Blocks.
///
/// The layer is kept uncompressed: its digest is the diff id, and nobody waits for a compression
/// that a push can do as well.
///
/// # Errors
/// When `write` fails, or the disk does. Nothing is left then.
pub fn keep_layer(
    store: &Store,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Option<NewLayer>, LoadError> {
    let mut counted = Counted {
        target: store.blobs().writer()?,
        has_members: false,
    };
    write(&mut counted).map_err(|error| LoadError::Store(write_failed(&error)))?;
    if !counted.has_members {
        return Ok(None);
    }
    let finished = counted.target.finish();
    let (digest, size_bytes) = (finished.digest, finished.size_bytes);
    let lease = store.hold_content(&[digest], &[digest]);
    if store.blobs().size(digest).is_none() {
        finished.keep()?;
    }
    Ok(Some(NewLayer {
        blob: assemble::layer(Compression::None, digest, size_bytes),
        diff_id: digest,
        lease,
    }))
}

/// Prepares an image of a configuration and the archives of its layers, which are all here and
/// which somebody holds. Blocks.
///
/// # Errors
/// When the disk fails, or an archive is gone.
pub fn compose(
    store: &Store,
    config: &ImageConfig,
    layers: Vec<Descriptor>,
) -> Result<Prepared, StoreError> {
    let blobs: Vec<Digest> = layers.iter().map(|layer| layer.digest).collect();
    let lease = store.hold_content(&blobs, &config.rootfs.diff_ids);
    assemble::assemble(store, lease, &to_json(config)?, layers)
}

/// The id that an image of this configuration has, or would have.
///
/// # Errors
/// Practically never.
pub fn id_of(config: &ImageConfig) -> Result<Digest, StoreError> {
    to_json(config).map(|bytes| Digest::of(&bytes))
}

/// Tells whether anything but the end of an archive was written.
struct Counted<W> {
    target: W,
    has_members: bool,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_written = self.target.write(bytes)?;
        self.has_members = self.has_members || bytes[..n_written].iter().any(|byte| *byte != 0);
        Ok(n_written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.flush()
    }
}
