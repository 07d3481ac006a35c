//! Writes images to an archive that both Docker and the OCI's tools read.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::sync::Arc;

use engine_tar::Digest;
use serde::Serialize;

use crate::assemble::descriptor;
use crate::document::MANIFEST_BYTES_MAX;
use crate::manifest::{Index, OCI_INDEX, OCI_MANIFEST};
use crate::reference::Reference;
use crate::store::{Image, Store};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    config: String,
    repo_tags: Vec<String>,
    layers: Vec<String>,
}

/// Writes the images under these names. The content is as it came, so that every digest stays.
/// Blocks.
///
/// # Errors
/// When a blob is damaged, or `target` fails: the archive is then useless.
pub fn save(
    store: &Store,
    images: &[(Arc<Image>, Vec<Reference>)],
    target: impl Write,
) -> io::Result<()> {
    let mut archive = tar::Builder::new(target);
    let mut written = BTreeSet::new();
    let (mut rows, mut manifests) = (Vec::new(), Vec::new());
    for (image, names) in images {
        let layers = image.layers.iter().map(|layer| layer.blob.digest);
        for digest in [image.id, image.manifest].into_iter().chain(layers.clone()) {
            if written.insert(digest) {
                append_blob(&mut archive, store, digest)?;
            }
        }
        rows.push(Row {
            config: path(image.id),
            repo_tags: names.iter().map(Reference::familiar).collect(),
            layers: layers.map(path).collect(),
        });
        manifests.extend(entries(store, image, names)?);
    }
    let index = Index {
        schema_version: 2,
        media_type: OCI_INDEX.to_owned(),
        manifests,
    };
    append(&mut archive, "index.json", &serde_json::to_vec(&index)?)?;
    append(&mut archive, "manifest.json", &serde_json::to_vec(&rows)?)?;
    append(
        &mut archive,
        "oci-layout",
        br#"{"imageLayoutVersion":"1.0.0"}"#,
    )?;
    archive.into_inner()?.flush()
}

fn entries(
    store: &Store,
    image: &Image,
    names: &[Reference],
) -> io::Result<Vec<crate::manifest::Descriptor>> {
    let bytes = store
        .blobs()
        .read(image.manifest, MANIFEST_BYTES_MAX)
        .map_err(io::Error::other)?;
    let media_type = serde_json::from_slice::<crate::manifest::Manifest>(&bytes)?.media_type;
    let media_type = if media_type.is_empty() {
        OCI_MANIFEST
    } else {
        media_type.as_str()
    };
    let entry = descriptor(media_type, image.manifest, bytes.len() as u64);
    if names.is_empty() {
        return Ok(vec![entry]);
    }
    let named = |name: &Reference| {
        let tag = name.tag().unwrap_or_default().to_owned();
        let annotations = BTreeMap::from([
            ("io.containerd.image.name".to_owned(), name.to_string()),
            ("org.opencontainers.image.ref.name".to_owned(), tag),
        ]);
        crate::manifest::Descriptor {
            annotations,
            ..entry.clone()
        }
    };
    Ok(names.iter().map(named).collect())
}

fn append_blob(
    archive: &mut tar::Builder<impl Write>,
    store: &Store,
    digest: Digest,
) -> io::Result<()> {
    let source = store.blobs().reader(digest).map_err(io::Error::other)?;
    let size_bytes = source.metadata()?.len();
    archive.append_data(
        &mut header(size_bytes),
        path(digest),
        source.take(size_bytes),
    )
}

fn append(archive: &mut tar::Builder<impl Write>, name: &str, content: &[u8]) -> io::Result<()> {
    archive.append_data(&mut header(content.len() as u64), name, content)
}

fn header(size_bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(size_bytes);
    header
}

fn path(digest: Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}
