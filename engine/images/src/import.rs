//! Makes an image of one layer from a root file system's tarball.

use std::io::{self, Read, Write};

use engine_tar::{Compression, Decompressed, Digest, Hasher, TarError};

use crate::archive::BOUNDS;
use crate::assemble::{self, to_json};
use crate::blobs::{Finished, write_failed};
use crate::changes::apply_changes;
use crate::error::LoadError;
use crate::manifest::{History, ImageConfig, RootFs, RunConfig};
use crate::platform::Platform;
use crate::store::{Prepared, Store};

const BUFFER_BYTES: usize = 256 * 1024;

/// What is said about an image beside its files.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Instructions of a Dockerfile that change its configuration.
    pub changes: Vec<String>,
    /// A word for its history.
    pub message: String,
    /// For which machine.
    pub platform: Platform,
    /// When, RFC 3339.
    pub created: String,
}

/// Keeps the tarball as a layer, as it comes. Whether its entries are acceptable shows when it is
/// unpacked. Blocks.
///
/// # Errors
/// When it cannot be read, or a change is malformed.
pub fn import(
    store: &Store,
    source: impl Read + Send,
    options: &ImportOptions,
) -> Result<Prepared, LoadError> {
    let mut run = RunConfig::default();
    apply_changes(&mut run, &options.changes)?;
    let finished = spool(store, source)?;
    let (compression, diff_id) = uncompressed(&finished)?;
    let layer = assemble::layer(compression, finished.digest, finished.size_bytes);
    let mut lease = store.lease();
    lease.add_blob(finished.digest);
    if store.blobs().size(finished.digest).is_none() {
        finished.keep()?;
    }
    let created = Some(options.created.clone());
    let config = ImageConfig {
        created: created.clone(),
        comment: options.message.clone(),
        platform: options.platform.clone(),
        config: run,
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids: vec![diff_id],
        },
        history: vec![History {
            created,
            comment: options.message.clone(),
            ..History::default()
        }],
        ..ImageConfig::default()
    };
    Ok(assemble::assemble(
        store,
        lease,
        &to_json(&config)?,
        vec![layer],
    )?)
}

fn spool(store: &Store, mut source: impl Read) -> Result<Finished, LoadError> {
    let mut writer = store.blobs().writer()?;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(n_read) => writer
                .write_all(&buffer[..n_read])
                .map_err(|error| LoadError::Store(write_failed(&error)))?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(LoadError::Archive(TarError::from_read(error))),
        }
    }
    if writer.n_bytes() == 0 {
        return Err(LoadError::NoImages {
            reason: "it is empty".to_owned(),
        });
    }
    Ok(writer.finish())
}

fn uncompressed(finished: &Finished) -> Result<(Compression, Digest), LoadError> {
    let mut plain = Decompressed::new(finished.reader()?, BOUNDS).map_err(LoadError::Archive)?;
    let compression = plain.compression();
    let mut hash = Hasher::default();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let n_read = plain
            .read(&mut buffer)
            .map_err(|error| LoadError::Archive(TarError::from_read(error)))?;
        if n_read == 0 {
            return Ok((compression, hash.digest()));
        }
        hash.update(&buffer[..n_read]);
    }
}
