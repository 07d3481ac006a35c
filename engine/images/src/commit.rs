//! Makes an image of another one and a further layer.

use std::io::{self, Write};

use engine_tar::Digest;

use crate::assemble::{self, to_json};
use crate::blobs::write_failed;
use crate::changes::apply_changes;
use crate::error::LoadError;
use crate::manifest::{History, ImageConfig, RunConfig};
use crate::store::{Image, Prepared, Store};

/// What is said about the new image.
#[derive(Debug, Clone, Default)]
pub struct CommitOptions {
    /// How to run it, before the changes.
    pub run: RunConfig,
    /// Instructions of a Dockerfile that change its configuration.
    pub changes: Vec<String>,
    /// Who made it.
    pub author: String,
    /// A word about it.
    pub comment: String,
    /// The command that made the layer.
    pub created_by: String,
    /// When, RFC 3339.
    pub created: String,
}

/// Keeps what `write` writes as the layer on top of `base`. An archive without members is no
/// layer. Blocks.
///
/// The layer is kept uncompressed: its digest is the diff id, and nobody waits for a compression
/// that a push can do as well.
///
/// # Errors
/// When a change is malformed, `write` fails, or the disk does. Nothing is left then.
pub fn commit(
    store: &Store,
    base: &Image,
    options: CommitOptions,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Prepared, LoadError> {
    let mut run = options.run;
    apply_changes(&mut run, &options.changes)?;
    let mut counted = Counted {
        target: store.blobs().writer()?,
        has_members: false,
    };
    write(&mut counted).map_err(|error| LoadError::Store(write_failed(&error)))?;

    let mut lease = store.lease();
    let mut layers: Vec<_> = base.layers.iter().map(|layer| layer.blob.clone()).collect();
    let mut rootfs = base.config.rootfs.clone();
    // The base may go meanwhile: its content is the new image's too.
    for digest in layers.iter().map(|layer| layer.digest) {
        lease.add_blob(digest);
    }
    if counted.has_members {
        let finished = counted.target.finish();
        let (digest, size_bytes): (Digest, u64) = (finished.digest, finished.size_bytes);
        lease.add_blob(digest);
        if store.blobs().size(digest).is_none() {
            finished.keep()?;
        }
        layers.push(assemble::layer(
            engine_tar::Compression::None,
            digest,
            size_bytes,
        ));
        rootfs.diff_ids.push(digest);
    }
    let created = Some(options.created);
    let mut history = base.config.history.clone();
    history.push(History {
        created: created.clone(),
        created_by: options.created_by,
        author: options.author.clone(),
        comment: options.comment.clone(),
        empty_layer: !counted.has_members,
    });
    let config = ImageConfig {
        created,
        author: options.author,
        comment: options.comment,
        platform: base.config.platform.clone(),
        config: run,
        rootfs,
        history,
    };
    Ok(assemble::assemble(
        store,
        lease,
        &to_json(&config)?,
        layers,
    )?)
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
