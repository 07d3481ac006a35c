//! Finds the images in an archive and prepares all of them, or none.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;

use engine_tar::Digest;
use serde::Deserialize;

use super::parts::{File, Parts};
use crate::assemble;
use crate::document::{self, MANIFEST_BYTES_MAX, nullable};
use crate::error::LoadError;
use crate::manifest::{Descriptor, Document, ImageConfig, Index};
use crate::platform::Platform;
use crate::reference::Reference;
use crate::store::{Prepared, Store};

const IMAGES_MAX: usize = 1024;
const INDEX_DEPTH_MAX: usize = 3;
const CONTAINERD_NAME: &str = "io.containerd.image.name";
const OCI_NAME: &str = "org.opencontainers.image.ref.name";
const ATTESTATION: &str = "vnd.docker.reference.type";

/// An image of an archive, with what it is called there.
#[derive(Debug)]
pub struct Loaded {
    /// The image; its layers are to be unpacked before it is added.
    pub prepared: Prepared,
    /// Its names; none if the archive has none for it.
    pub names: Vec<Reference>,
}

/// One row of Docker's `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    config: String,
    #[serde(default, deserialize_with = "nullable")]
    repo_tags: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    layers: Vec<String>,
}

/// Reads a docker-archive or an OCI layout, plain or compressed. Blocks.
///
/// Without `platform`, images for this machine are taken where there is a choice.
///
/// # Errors
/// When it is not an archive of images, or one of them is not acceptable.
pub fn load(
    store: &Store,
    source: impl Read + Send,
    platform: Option<&Platform>,
) -> Result<Vec<Loaded>, LoadError> {
    let mut parts = Parts::read(store, source)?;
    let rows = match parts.find("manifest.json") {
        Some(file) => rows(&parts.bytes(store, file)?)?,
        None => Vec::new(),
    };
    let loaded = match (parts.find("oci-layout"), parts.find("index.json")) {
        (Some(_), Some(index)) => load_layout(store, &mut parts, index, &rows, platform)?,
        _ => rows
            .iter()
            .map(|row| load_row(store, &mut parts, row))
            .collect::<Result<_, _>>()?,
    };
    if loaded.is_empty() {
        let reason = "it has neither a manifest.json nor an index.json with an image".to_owned();
        return Err(LoadError::NoImages { reason });
    }
    Ok(loaded)
}

fn rows(bytes: &[u8]) -> Result<Vec<Row>, LoadError> {
    let rows: Vec<Row> = document::parse(bytes, "manifest.json", MANIFEST_BYTES_MAX)?;
    if rows.len() > IMAGES_MAX {
        let reason = format!("it has more than {IMAGES_MAX} images");
        return Err(LoadError::NoImages { reason });
    }
    Ok(rows)
}

fn load_row(store: &Store, parts: &mut Parts, row: &Row) -> Result<Loaded, LoadError> {
    const WANTED_BY: &str = "manifest.json";
    let names = row
        .repo_tags
        .iter()
        .map(|name| parse_name(name))
        .collect::<Result<_, _>>()?;
    let config = parts.need(&row.config, WANTED_BY)?;
    let config = parts.bytes(store, config)?;
    let mut lease = store.lease();
    let mut layers = Vec::with_capacity(row.layers.len());
    for name in &row.layers {
        let file = parts.need(name, WANTED_BY)?;
        parts.keep(store, &mut lease, file)?;
        layers.push(assemble::layer(
            file.compression,
            file.digest,
            file.size_bytes,
        ));
    }
    // Two layers of one digest are one blob; the configuration's count is compared there.
    let prepared = assemble::assemble(store, lease, &config, layers)?;
    Ok(Loaded { prepared, names })
}

fn load_layout(
    store: &Store,
    parts: &mut Parts,
    index: File,
    rows: &[Row],
    platform: Option<&Platform>,
) -> Result<Vec<Loaded>, LoadError> {
    let bytes = parts.bytes(store, index)?;
    let index: Index = document::parse(&bytes, "index.json", MANIFEST_BYTES_MAX)?;
    if index.manifests.len() > IMAGES_MAX {
        let reason = format!("it has more than {IMAGES_MAX} images");
        return Err(LoadError::NoImages { reason });
    }
    let tags = tags_by_config(parts, rows)?;
    let mut loaded = Vec::new();
    let mut seen = HashSet::new();
    for entry in index.manifests.iter().filter(|entry| is_image(entry)) {
        let manifest = descend(store, parts, entry, platform)?;
        let mut one = load_manifest(store, parts, manifest)?;
        one.names.extend(annotated_name(entry)?);
        one.names.extend(
            tags.get(&one.prepared.image.id)
                .into_iter()
                .flatten()
                .cloned(),
        );
        one.names.sort();
        one.names.dedup();
        let key = (one.prepared.image.id, one.names.clone());
        if seen.insert(key) {
            loaded.push(one);
        }
    }
    Ok(loaded)
}

/// From an index to the manifest that fits.
fn descend(
    store: &Store,
    parts: &Parts,
    entry: &Descriptor,
    platform: Option<&Platform>,
) -> Result<File, LoadError> {
    let mut file = parts.blob(entry.digest, "index.json")?;
    for _ in 0..=INDEX_DEPTH_MAX {
        let Document::Index(index) = Document::parse(&parts.bytes(store, file)?)? else {
            return Ok(file);
        };
        let host = Platform::host();
        let wanted = platform.unwrap_or(&host);
        let chosen = index.choose(wanted).ok_or_else(|| LoadError::NoPlatform {
            wanted: wanted.to_string(),
            offered: index.platforms(),
        })?;
        file = parts.blob(chosen.digest, "an index")?;
    }
    Err(LoadError::NoImages {
        reason: "its indexes lead to ever further indexes".to_owned(),
    })
}

fn load_manifest(store: &Store, parts: &mut Parts, file: File) -> Result<Loaded, LoadError> {
    const WANTED_BY: &str = "an image's manifest";
    let Document::Manifest(manifest) = Document::parse(&parts.bytes(store, file)?)? else {
        return Err(LoadError::NoImages {
            reason: "an index is where a manifest was".to_owned(),
        });
    };
    let mut lease = store.lease();
    let config = parts.blob(manifest.config.digest, WANTED_BY)?;
    ImageConfig::parse(&parts.bytes(store, config)?, manifest.layers.len())?;
    parts.keep(store, &mut lease, file)?;
    parts.keep(store, &mut lease, config)?;
    for layer in &manifest.layers {
        let file = parts.blob(layer.digest, WANTED_BY)?;
        parts.keep(store, &mut lease, file)?;
    }
    let prepared = store.prepare(lease, file.digest)?;
    Ok(Loaded {
        prepared,
        names: Vec::new(),
    })
}

/// `docker save` says in its own list what the images of the layout are called.
fn tags_by_config(
    parts: &Parts,
    rows: &[Row],
) -> Result<BTreeMap<Digest, Vec<Reference>>, LoadError> {
    let mut tags: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows {
        if let Some(config) = parts.find(&row.config) {
            for name in &row.repo_tags {
                tags.entry(config.digest)
                    .or_default()
                    .push(parse_name(name)?);
            }
        }
    }
    Ok(tags)
}

fn annotated_name(entry: &Descriptor) -> Result<Option<Reference>, LoadError> {
    if let Some(name) = entry.annotations.get(CONTAINERD_NAME) {
        return parse_name(name).map(Some);
    }
    // A bare word is a tag of a repository that nobody names.
    match entry.annotations.get(OCI_NAME) {
        Some(name) if name.contains([':', '/']) => parse_name(name).map(Some),
        _ => Ok(None),
    }
}

fn is_image(entry: &Descriptor) -> bool {
    !entry.annotations.contains_key(ATTESTATION)
        && entry
            .platform
            .as_ref()
            .is_none_or(|platform| platform.os != "unknown")
}

fn parse_name(name: &str) -> Result<Reference, LoadError> {
    let malformed = || LoadError::Name {
        name: name.chars().take(300).collect(),
    };
    let reference: Reference = name.parse().map_err(|_| malformed())?;
    if reference.digest().is_some() {
        return Err(malformed());
    }
    Ok(reference.or_latest())
}
