//! Makes layers that are kept as plain archives ready for a slow line.
//!
//! A commit, a load or an import may leave a layer uncompressed: nobody waits for a compression that
//! few of them need. The first push compresses it and the image is kept so from then on, by another
//! manifest of the same configuration: its id, its layers and its containers are as before.

use std::io::{self, Read, Write};

use engine_tar::{Compression, Digest, Hasher};
use flate2::write::GzEncoder;

use crate::assemble::{assemble, layer};
use crate::blobs::{read_failed, write_failed};
use crate::document::CONFIG_BYTES_MAX;
use crate::error::StoreError;
use crate::store::{Image, Layer, Prepared, Store};

const PIECE_BYTES: usize = 256 << 10;

/// Compresses the plain layers of an image; `None` when there is none, or when `progress` says that
/// nobody waits any more. Blocks.
///
/// `progress` hears the layer's diff id, how much of it is done and how long it is.
///
/// # Errors
/// When content is damaged, or the disk fails or is full. Nothing is left then.
pub fn compress(
    store: &Store,
    image: &Image,
    progress: &dyn Fn(Digest, u64, u64) -> bool,
) -> Result<Option<Prepared>, StoreError> {
    if !image.layers.iter().any(is_plain) {
        return Ok(None);
    }
    let mut lease = store.lease();
    let mut layers = Vec::with_capacity(image.layers.len());
    for one in &image.layers {
        if !is_plain(one) {
            lease.add_blob(one.blob.digest);
            layers.push(one.blob.clone());
            continue;
        }
        let mut encoder = GzEncoder::new(store.blobs().writer()?, flate2::Compression::default());
        if !copy(store, one, &mut encoder, progress)? {
            return Ok(None);
        }
        let writer = encoder.finish().map_err(|error| write_failed(&error))?;
        let finished = writer.finish();
        let (digest, size_bytes) = (finished.digest, finished.size_bytes);
        lease.add_blob(digest);
        if store.blobs().size(digest).is_none() {
            finished.keep()?;
        }
        layers.push(layer(Compression::Gzip, digest, size_bytes));
    }
    let config = store.blobs().read(image.id, CONFIG_BYTES_MAX)?;
    assemble(store, lease, &config, layers).map(Some)
}

/// Copies a layer and compares its digest on the way; says whether all of it was copied.
fn copy(
    store: &Store,
    layer: &Layer,
    target: &mut impl Write,
    progress: &dyn Fn(Digest, u64, u64) -> bool,
) -> Result<bool, StoreError> {
    let blob = &layer.blob;
    let mut source = store.blobs().reader(blob.digest)?;
    let mut hash = Hasher::default();
    let mut piece = vec![0; PIECE_BYTES];
    let mut n_done = 0;
    loop {
        let n_bytes = match source.read(&mut piece) {
            Ok(0) => break,
            Ok(n_bytes) => n_bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(read_failed(&error)),
        };
        hash.update(&piece[..n_bytes]);
        let written = target.write_all(&piece[..n_bytes]);
        written.map_err(|error| write_failed(&error))?;
        n_done += n_bytes as u64;
        if !progress(layer.diff_id, n_done, blob.size_bytes) {
            return Ok(false);
        }
    }
    if hash.digest() != blob.digest {
        return Err(StoreError::Damaged {
            digest: blob.digest,
        });
    }
    Ok(true)
}

/// Whether a layer is an archive as `tar` writes it, and may be changed. Its digests say so, whatever
/// its type does.
fn is_plain(layer: &Layer) -> bool {
    let kind = layer.blob.media_type.as_str();
    let is_compressed = ["gzip", "zstd"].iter().any(|end| kind.ends_with(end));
    let is_foreign = ["foreign", "nondistributable"]
        .iter()
        .any(|word| kind.contains(word));
    layer.blob.digest == layer.diff_id && !is_compressed && !is_foreign
}
