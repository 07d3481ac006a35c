//! Manifests, indexes and configurations, in the OCI's and in Docker's shape.

use std::collections::BTreeMap;

use engine_tar::Digest;
use serde::{Deserialize, Serialize};

use crate::document::{CONFIG_BYTES_MAX, DocumentError, MANIFEST_BYTES_MAX, nullable, parse};
use crate::platform::Platform;

pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(crate) const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const LAYER_TYPES: [&str; 4] = [
    OCI_LAYER,
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
];
const LAYERS_MAX: usize = 512;
const INDEX_ENTRIES_MAX: usize = 1024;

/// Points at content: what it is, its digest and its length, which is checked and not believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the content is.
    #[serde(default, deserialize_with = "nullable")]
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its length.
    #[serde(rename = "size")]
    pub size_bytes: u64,
    /// In an index: for which machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Notes.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub annotations: BTreeMap<String, String>,
}

/// What an image consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// Which kind of manifest.
    #[serde(default, deserialize_with = "nullable")]
    pub media_type: String,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, the lowest first.
    #[serde(default, deserialize_with = "nullable")]
    pub layers: Vec<Descriptor>,
}

/// Images for several machines, or several images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// Which kind of index.
    #[serde(default, deserialize_with = "nullable")]
    pub media_type: String,
    /// The manifests, or further indexes.
    #[serde(default, deserialize_with = "nullable")]
    pub manifests: Vec<Descriptor>,
}

/// A manifest or an index: what a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Document {
    /// One image.
    Manifest(Manifest),
    /// Several.
    Index(Index),
}

/// Just enough to tell the kinds apart when nobody says which it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sniff {
    #[serde(default)]
    schema_version: u32,
    #[serde(default, deserialize_with = "nullable")]
    media_type: String,
    manifests: Option<serde::de::IgnoredAny>,
}

impl Document {
    /// What it says it is; where it says nothing, what it looks like.
    pub(crate) fn media_type(&self) -> &str {
        let (said, default) = match self {
            Self::Manifest(manifest) => (&manifest.media_type, OCI_MANIFEST),
            Self::Index(index) => (&index.media_type, OCI_INDEX),
        };
        if said.is_empty() { default } else { said }
    }

    /// Reads a manifest or an index. Its own words count, not what a registry's header says.
    ///
    /// # Errors
    /// When it is neither, is malformed, or describes no container image.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        const WHAT: &str = "manifest";
        let refused = |reason: String| Err(DocumentError::Refused { what: WHAT, reason });
        let sniff: Sniff = parse(bytes, WHAT, MANIFEST_BYTES_MAX)?;
        if sniff.schema_version != 2 {
            let version = sniff.schema_version;
            return refused(format!(
                "schema version {version} is not supported, only 2 is"
            ));
        }
        match sniff.media_type.as_str() {
            OCI_INDEX | DOCKER_INDEX => Self::index(bytes),
            OCI_MANIFEST | DOCKER_MANIFEST => Self::manifest(bytes),
            "" if sniff.manifests.is_some() => Self::index(bytes),
            "" => Self::manifest(bytes),
            other => refused(format!("it is of the type {other:?}")),
        }
    }

    fn index(bytes: &[u8]) -> Result<Self, DocumentError> {
        let index: Index = parse(bytes, "index", MANIFEST_BYTES_MAX)?;
        if index.manifests.len() > INDEX_ENTRIES_MAX {
            let reason = format!("it has more than {INDEX_ENTRIES_MAX} entries");
            return Err(DocumentError::Refused {
                what: "index",
                reason,
            });
        }
        Ok(Self::Index(index))
    }

    fn manifest(bytes: &[u8]) -> Result<Self, DocumentError> {
        let refused = |reason: String| {
            Err(DocumentError::Refused {
                what: "manifest",
                reason,
            })
        };
        let manifest: Manifest = parse(bytes, "manifest", MANIFEST_BYTES_MAX)?;
        if manifest.layers.len() > LAYERS_MAX {
            return refused(format!("it has more than {LAYERS_MAX} layers"));
        }
        if manifest.config.size_bytes > CONFIG_BYTES_MAX {
            return refused("its configuration is too long".to_owned());
        }
        if !matches!(
            manifest.config.media_type.as_str(),
            OCI_CONFIG | DOCKER_CONFIG
        ) {
            let media_type = &manifest.config.media_type;
            return refused(format!(
                "it is no container image, its configuration is {media_type:?}"
            ));
        }
        for layer in &manifest.layers {
            let plain = layer.media_type.split(['+']).next().unwrap_or_default();
            let plain = plain.strip_suffix(".gzip").unwrap_or(plain);
            if !LAYER_TYPES.contains(&plain) {
                return refused(format!("it has a layer of the type {:?}", layer.media_type));
            }
        }
        Ok(Self::Manifest(manifest))
    }
}

impl Index {
    /// The entry that fits best; `None` when there is none for this platform.
    pub(crate) fn choose(&self, wanted: &Platform) -> Option<&Descriptor> {
        let fitness = |entry: &&Descriptor| entry.platform.as_ref()?.fitness(wanted);
        let fitting = self
            .manifests
            .iter()
            .filter(|entry| fitness(entry).is_some());
        // The first of equals, as other clients choose.
        let best = fitting.rev().max_by_key(|entry| fitness(entry));
        // An index of one image need not say for which machine it is; the image itself does.
        best.or(match &self.manifests[..] {
            [only] if only.platform.is_none() => Some(only),
            _ => None,
        })
    }

    /// The platforms on offer, for a message.
    pub(crate) fn platforms(&self) -> String {
        let names = self
            .manifests
            .iter()
            .filter_map(|entry| entry.platform.as_ref());
        let names: Vec<_> = names
            .filter(|name| name.os != "unknown")
            .take(20)
            .map(Platform::to_string)
            .collect();
        names.join(", ")
    }
}

/// The configuration of an image: how to run it, and what it consists of.
///
/// Image content is foreign: these are wishes. What may steer the host is decided elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// When it was made, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub author: String,
    /// A word about it.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub comment: String,
    /// For which machine.
    #[serde(flatten)]
    pub platform: Platform,
    /// How to run it.
    #[serde(default, deserialize_with = "nullable")]
    pub config: RunConfig,
    /// Its layers.
    pub rootfs: RootFs,
    /// How it was made, the oldest first.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub history: Vec<History>,
}

/// How to run an image, unless the container says otherwise. The names are Docker's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RunConfig {
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub user: String,
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub exposed_ports: BTreeMap<String, Empty>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub volumes: BTreeMap<String, Empty>,
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub working_dir: String,
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub labels: BTreeMap<String, String>,
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub stop_signal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<serde_json::Value>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub on_build: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<Vec<String>>,
}

/// `{}`, the value in Go's sets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// The digests of the uncompressed layers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The lowest first.
    #[serde(default, deserialize_with = "nullable")]
    pub diff_ids: Vec<Digest>,
}

/// One step of an image's making.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub created_by: String,
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub author: String,
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub comment: String,
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub empty_layer: bool,
}

impl ImageConfig {
    /// Reads a configuration that belongs to a manifest with `n_layers` layers.
    ///
    /// # Errors
    /// When it is malformed or tells of another number of layers.
    pub fn parse(bytes: &[u8], n_layers: usize) -> Result<Self, DocumentError> {
        const WHAT: &str = "image configuration";
        let config: Self = parse(bytes, WHAT, CONFIG_BYTES_MAX)?;
        let n_diff_ids = config.rootfs.diff_ids.len();
        if n_diff_ids != n_layers {
            let reason = format!("it tells of {n_diff_ids} layers, the manifest of {n_layers}");
            return Err(DocumentError::Refused { what: WHAT, reason });
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn descriptor(media_type: &str, n: u8) -> serde_json::Value {
        serde_json::json!({"mediaType": media_type, "digest": Digest::of(&[n]), "size": 5})
    }

    fn manifest(config: &str, layer: &str) -> String {
        serde_json::json!({
            "schemaVersion": 2,
            "config": descriptor(config, 0),
            "layers": [descriptor(layer, 1)],
        })
        .to_string()
    }

    #[test]
    fn both_dialects_and_every_compression_are_read() {
        for (config, layer) in [
            (OCI_CONFIG, "application/vnd.oci.image.layer.v1.tar"),
            (OCI_CONFIG, "application/vnd.oci.image.layer.v1.tar+gzip"),
            (OCI_CONFIG, "application/vnd.oci.image.layer.v1.tar+zstd"),
            (
                DOCKER_CONFIG,
                "application/vnd.docker.image.rootfs.diff.tar.gzip",
            ),
            (
                DOCKER_CONFIG,
                "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            ),
        ] {
            let document = Document::parse(manifest(config, layer).as_bytes()).unwrap();
            assert!(matches!(document, Document::Manifest(_)), "{layer}");
        }
    }

    #[test]
    fn what_is_no_image_is_refused_in_words() {
        let chart = "application/vnd.cncf.helm.config.v1+json";
        for (text, word) in [
            (manifest(chart, OCI_LAYER), "no container image"),
            (manifest(OCI_CONFIG, "text/plain"), "layer of the type"),
            (
                "{\"schemaVersion\":1,\"fsLayers\":[]}".to_owned(),
                "schema version 1",
            ),
            (
                "{\"schemaVersion\":2,\"mediaType\":\"x\"}".to_owned(),
                "of the type \"x\"",
            ),
            ("[]".to_owned(), "malformed"),
            (
                "{\"schemaVersion\":2,\"schemaVersion\":2}".to_owned(),
                "malformed",
            ),
            (
                "{\"schemaVersion\":2,\"config\":{\"size\":-1}}".to_owned(),
                "malformed",
            ),
        ] {
            let error = Document::parse(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn the_index_offers_the_fitting_image() {
        let entry = |platform: &str, n: u8| Descriptor {
            media_type: OCI_MANIFEST.to_owned(),
            digest: Digest::of(&[n]),
            size_bytes: 1,
            platform: platform.parse().ok(),
            annotations: BTreeMap::new(),
        };
        let index = Index {
            schema_version: 2,
            media_type: OCI_INDEX.to_owned(),
            manifests: vec![
                entry("linux/arm64", 1),
                entry("linux/amd64", 2),
                entry("linux/amd64", 3),
                entry("unknown/unknown", 4),
            ],
        };
        let choose = |wanted: &str| {
            index
                .choose(&wanted.parse().unwrap())
                .map(|entry| entry.digest)
        };
        assert_eq!(choose("linux/amd64"), Some(Digest::of(&[2])));
        assert_eq!(choose("linux/arm64/v8"), Some(Digest::of(&[1])));
        assert_eq!(choose("linux/s390x"), None);
        assert_eq!(index.platforms(), "linux/arm64, linux/amd64, linux/amd64");
    }

    #[test]
    fn a_configuration_of_nulls_is_fine_and_a_wrong_count_is_not() {
        let text = r#"{"architecture":"amd64","os":"linux","config":{"Env":null,"Cmd":null,
            "Labels":null,"ExposedPorts":{"80/tcp":{}},"Volumes":null,"User":null,"OnBuild":null},
            "rootfs":{"type":"layers","diff_ids":null},"history":null,"author":null}"#;
        let config = ImageConfig::parse(text.as_bytes(), 0).unwrap();
        assert_eq!(config.config.exposed_ports.len(), 1);
        assert_eq!(config.platform.to_string(), "linux/amd64");
        assert!(ImageConfig::parse(text.as_bytes(), 1).is_err());
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Document::parse(&bytes);
            let _ = ImageConfig::parse(&bytes, 0);
        }
    }
}
