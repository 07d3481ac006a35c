//! A store in a temporary directory, and images to put into it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use engine_images::{
    Credentials, Digest, Follow, Image, Platform, Reader, Reference, Registry, RegistryConfig,
    RegistryError, Secret, Store,
};
use serde_json::json;
use tempfile::TempDir;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    /// Reads along whatever is fetched.
    pub(crate) reader: Option<Arc<Reader>>,
}

/// The parts of an image, by digest, and the digest of its manifest.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) blobs: BTreeMap<Digest, Vec<u8>>,
    pub(crate) manifest: Digest,
    pub(crate) config: Digest,
    pub(crate) layers: Vec<Digest>,
}

pub(crate) fn world() -> World {
    world_with(RegistryConfig::default())
}

pub(crate) fn world_with(config: RegistryConfig) -> World {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let registry = Registry::new(config).unwrap();
    World {
        dir,
        store,
        registry,
        reader: None,
    }
}

impl World {
    /// Does what an engine does for a pull, but for unpacking.
    pub(crate) async fn pull(&self, name: &str) -> Result<Image, RegistryError> {
        self.pull_as(name, None, None).await
    }

    pub(crate) async fn pull_as(
        &self,
        name: &str,
        platform: Option<&str>,
        credentials: Option<&Credentials>,
    ) -> Result<Image, RegistryError> {
        let reference: Reference = name.parse().unwrap();
        let platform: Option<Platform> = platform.map(|platform| platform.parse().unwrap());
        let (store, registry) = (&self.store, &self.registry);
        let resolved = registry
            .resolve(store, &reference, platform.as_ref(), credentials)
            .await?;
        let follow = Follow {
            progress: &|_| {},
            reader: self.reader.clone(),
        };
        for layer in &resolved.image.layers {
            registry
                .fetch_layer(store, &resolved, layer, &follow)
                .await?;
        }
        let names = resolved.names();
        let prepared = resolved.prepared(store)?;
        let added = store.add(vec![(prepared, names)], 1).unwrap();
        Ok((*added[0]).clone())
    }

    /// Nothing is here, not even a part of something.
    pub(crate) fn assert_empty(&self) {
        assert!(self.store.list().is_empty());
        for name in ["blobs/sha256", "blobs/tmp"] {
            let left: Vec<_> = fs::read_dir(self.dir.path().join(name)).unwrap().collect();
            assert!(left.is_empty(), "{name}: {left:?}");
        }
    }
}

pub(crate) fn password(password: &str) -> Credentials {
    Credentials::Password {
        username: "user".to_owned(),
        password: Secret::new(password),
    }
}

/// An image of layers with these contents.
pub(crate) fn image(architecture: &str, layers: &[&[u8]]) -> Made {
    let mut blobs = BTreeMap::new();
    let mut keep = |bytes: Vec<u8>| {
        let digest = Digest::of(&bytes);
        blobs.insert(digest, bytes);
        digest
    };
    let mut digests = Vec::new();
    let mut descriptors = Vec::new();
    for content in layers {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, "file", *content).unwrap();
        let archive = archive.into_inner().unwrap();
        let media_type = "application/vnd.oci.image.layer.v1.tar";
        let size = archive.len();
        let digest = keep(archive);
        digests.push(digest);
        descriptors.push(json!({"mediaType": media_type, "digest": digest, "size": size}));
    }
    let config = json!({
        "os": "linux",
        "architecture": architecture,
        "config": {"Cmd": ["/file"], "Labels": {"a": "b"}},
        "rootfs": {"type": "layers", "diff_ids": digests},
    });
    let config_bytes = config.to_string().into_bytes();
    let size = config_bytes.len();
    let config = keep(config_bytes);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": config,
            "size": size,
        },
        "layers": descriptors,
    });
    let manifest = keep(manifest.to_string().into_bytes());
    Made {
        blobs,
        manifest,
        config,
        layers: digests,
    }
}

/// Says everything that an error says, cause by cause.
pub(crate) fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
