//! Puts a configuration and layers that are here together to an image.

use engine_tar::Compression;

use crate::document::DocumentError;
use crate::error::StoreError;
use crate::manifest::{Descriptor, ImageConfig, Manifest, OCI_CONFIG, OCI_LAYER, OCI_MANIFEST};
use crate::store::{Prepared, Store};
use crate::sweep::Lease;

/// Keeps the configuration as it is given, writes a manifest for it, and prepares the image.
pub(crate) fn assemble(
    store: &Store,
    mut lease: Lease,
    config: &[u8],
    layers: Vec<Descriptor>,
) -> Result<Prepared, StoreError> {
    ImageConfig::parse(config, layers.len())?;
    let digest = store.blobs().put(config)?;
    lease.add_blob(digest);
    let config = descriptor(OCI_CONFIG, digest, config.len() as u64);
    let media_type = OCI_MANIFEST.to_owned();
    let manifest = Manifest {
        schema_version: 2,
        media_type,
        config,
        layers,
    };
    let manifest = to_json(&manifest)?;
    let manifest = store.blobs().put(&manifest)?;
    lease.add_blob(manifest);
    store.prepare(lease, manifest)
}

pub(crate) fn to_json<T: serde::Serialize>(document: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(document).map_err(|source| {
        StoreError::Document(DocumentError::Malformed {
            what: "document",
            source,
        })
    })
}

/// Describes a layer's archive.
pub(crate) fn layer(
    compression: Compression,
    digest: engine_tar::Digest,
    size_bytes: u64,
) -> Descriptor {
    let suffix = match compression {
        Compression::None => "",
        Compression::Gzip => "+gzip",
        Compression::Zstd => "+zstd",
    };
    descriptor(&format!("{OCI_LAYER}{suffix}"), digest, size_bytes)
}

pub(crate) fn descriptor(
    media_type: &str,
    digest: engine_tar::Digest,
    size_bytes: u64,
) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        digest,
        size_bytes,
        platform: None,
        annotations: std::collections::BTreeMap::new(),
    }
}
