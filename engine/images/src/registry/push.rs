//! Brings an image to a registry: the content that it lacks, then the manifest under its name.
//!
//! The manifest goes last. Until then the registry has content that nothing names, so a push that
//! stops anywhere leaves every name as it was.

use std::collections::BTreeMap;

use engine_tar::Digest;
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};

use super::answer::accepted;
use super::auth::Credentials;
use super::client::{Ask, Client, Session};
use super::error::RegistryError;
use super::pull::Registry;
use super::retry::Tries;
use super::upload;
use crate::document::MANIFEST_BYTES_MAX;
use crate::manifest::{Descriptor, Document, OCI_MANIFEST};
use crate::reference::Reference;
use crate::store::{Image, Store};

/// Layers of one push on their way at once, as many as Docker's.
const UPLOADS_MAX: usize = 5;
/// Repositories that are offered to the registry as sources of layers.
const SOURCES_MAX: usize = 8;

/// How far a layer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushProgress {
    /// The registry has it.
    Exists,
    /// The registry took it from another of its repositories.
    Mounted {
        /// Which.
        from: String,
    },
    /// It is on its way.
    Uploading {
        /// How much went so far.
        n_bytes: u64,
        /// How long it is.
        total_bytes: u64,
    },
    /// The connection broke; it goes on soon.
    Retrying,
    /// It is there.
    Complete,
}

/// What a name in the registry stands for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The digest of the manifest.
    pub digest: Digest,
    /// The length of the manifest.
    pub size_bytes: u64,
}

/// Hears how far each layer is, by its diff id.
type Listener<'a> = &'a (dyn Fn(Digest, PushProgress) + Send + Sync);

impl Registry {
    /// Brings an image whose content is held to where `reference` says, under that name.
    ///
    /// Mirrors are never asked: they are for reading. Dropping this stops everything.
    ///
    /// # Errors
    /// When the registry may not be changed or cannot be reached, or content here is damaged.
    pub async fn push(
        &self,
        store: &Store,
        image: &Image,
        reference: &Reference,
        credentials: Option<&Credentials>,
        progress: Listener<'_>,
    ) -> Result<Pushed, RegistryError> {
        let sources = sources(store, image, reference);
        let mut last = None;
        for endpoint in self.client.config.endpoints(reference) {
            if !endpoint.is_registry {
                continue;
            }
            let session = Session::new(endpoint, reference, credentials).for_push(sources.clone());
            match self.push_to(&session, store, image, progress).await {
                // It may still be there without TLS, where that is allowed.
                Err(error) if error.is_no_connection() && !session.has_answered() => {
                    last = last.or(Some(error));
                }
                other => return other,
            }
        }
        let reference = reference.familiar();
        Err(last.unwrap_or(RegistryError::NotFound { reference }))
    }

    async fn push_to(
        &self,
        session: &Session,
        store: &Store,
        image: &Image,
        progress: Listener<'_>,
    ) -> Result<Pushed, RegistryError> {
        let bytes = store.blobs().read(image.manifest, MANIFEST_BYTES_MAX)?;
        let Document::Manifest(manifest) = Document::parse(&bytes)? else {
            let digest = image.manifest;
            return Err(crate::error::StoreError::Damaged { digest }.into());
        };
        // A layer may be in an image twice; it goes once.
        let mut blobs = BTreeMap::<Digest, (Descriptor, Vec<Digest>)>::new();
        for layer in &image.layers {
            let entry = blobs.entry(layer.blob.digest);
            let (_, diff_ids) = entry.or_insert_with(|| (layer.blob.clone(), Vec::new()));
            diff_ids.push(layer.diff_id);
        }
        let client = &*self.client;
        let uploads: Vec<_> = blobs
            .values()
            .map(|(blob, diff_ids)| {
                let tell = move |news: PushProgress| {
                    for diff_id in diff_ids {
                        progress(*diff_id, news.clone());
                    }
                };
                async move { upload::upload(client, session, store, blob, &tell).await }
            })
            .collect();
        stream::iter(uploads)
            .buffer_unordered(UPLOADS_MAX)
            .try_collect::<()>()
            .await?;
        upload::upload(client, session, store, &manifest.config, &|_| {}).await?;

        let media_type = match manifest.media_type.as_str() {
            "" => OCI_MANIFEST,
            said => said,
        };
        name(client, session, media_type, &bytes).await?;
        Ok(Pushed {
            digest: image.manifest,
            size_bytes: bytes.len() as u64,
        })
    }
}

/// Puts the manifest under its name: from here on the image is there.
async fn name(
    client: &Client,
    session: &Session,
    media_type: &str,
    manifest: &[u8],
) -> Result<(), RegistryError> {
    let reference = &session.reference;
    let name = match reference.digest() {
        Some(digest) => digest.to_string(),
        None => reference.tag().unwrap_or("latest").to_owned(),
    };
    let mut ask = Ask::new(Method::PUT, session.url(&format!("manifests/{name}")));
    if let Ok(value) = HeaderValue::from_str(media_type) {
        ask.headers.insert(CONTENT_TYPE, value);
    }
    ask.body = manifest.to_vec().into();
    ask.is_long = true;
    let expected = Digest::of(manifest);
    let mut tries = Tries::default();
    loop {
        let attempt = async { accepted(session, client.ask(session, ask.clone()).await?).await };
        let error = match attempt.await {
            Ok(answer) => {
                let said = answer.headers().get("docker-content-digest");
                let said: Option<Digest> = said.and_then(|value| value.to_str().ok()?.parse().ok());
                return match said {
                    Some(found) if found != expected => {
                        Err(RegistryError::WrongDigest { expected, found })
                    }
                    _ => Ok(()),
                };
            }
            Err(error) => error,
        };
        match tries.failed() {
            Some(wait) if error.is_passing() => tokio::time::sleep(wait).await,
            _ => return Err(error),
        }
    }
}

/// The other repositories of that registry from which content of the image is known to be: it was
/// pulled from there, or pushed there.
fn sources(store: &Store, image: &Image, reference: &Reference) -> Vec<String> {
    let is_shared = |other: &Image| {
        let layers = other.layers.iter();
        let mut layers = layers.map(|layer| layer.blob.digest);
        layers.any(|digest| image.layers.iter().any(|own| own.blob.digest == digest))
    };
    let mut sources = Vec::new();
    for other in store.list() {
        if sources.len() >= SOURCES_MAX || !is_shared(&other) {
            continue;
        }
        for name in store.names_of(other.id).digests {
            let repository = name.repository();
            if name.registry() == reference.registry()
                && repository != reference.repository()
                && !sources.iter().any(|known| known == repository)
            {
                sources.push(repository.to_owned());
            }
        }
    }
    sources.truncate(SOURCES_MAX);
    sources
}
