//! Makes an image of another one and a further layer.

use std::io::{self, Write};

use crate::assemble::{self, to_json};
use crate::changes::apply_changes;
use crate::compose::keep_layer;
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
    let layer = keep_layer(store, write)?;

    let mut lease = store.lease();
    let mut layers: Vec<_> = base.layers.iter().map(|layer| layer.blob.clone()).collect();
    let mut rootfs = base.config.rootfs.clone();
    // The base may go meanwhile: its content is the new image's too.
    for digest in layers.iter().map(|layer| layer.digest) {
        lease.add_blob(digest);
    }
    let empty_layer = layer.is_none();
    if let Some(layer) = &layer {
        lease.add_blob(layer.blob.digest);
        layers.push(layer.blob.clone());
        rootfs.diff_ids.push(layer.diff_id);
    }
    let created = Some(options.created);
    let mut history = base.config.history.clone();
    history.push(History {
        created: created.clone(),
        created_by: options.created_by,
        author: options.author.clone(),
        comment: options.comment.clone(),
        empty_layer,
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
