//! Finds an image in a registry and brings it, piece by piece.

use std::collections::VecDeque;
use std::sync::Arc;

use super::answer::read_capped;
use super::auth::Credentials;
use super::client::{Client, Session};
use super::endpoint::{Endpoint, RegistryConfig};
use super::error::RegistryError;
use super::fetch::{self, Follow};
use super::retry::Tries;
use engine_tar::Digest;

use crate::document::{CONFIG_BYTES_MAX, MANIFEST_BYTES_MAX};
use crate::manifest::{Descriptor, Document, ImageConfig, Index, Manifest};
use crate::platform::Platform;
use crate::reference::Reference;
use crate::store::{Image, Layer, Prepared, Store};
use crate::sweep::Lease;

/// What a name may stand for.
pub(super) const DOCUMENTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";
/// Where a registry says the digest of what it sends.
pub(super) const CONTENT_DIGEST: &str = "docker-content-digest";

/// Indexes inside indexes.
const INDEX_DEPTH_MAX: usize = 3;

/// All registries. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    pub(super) client: Arc<Client>,
}

/// An image that was found: its documents are here, its layers are not yet.
pub struct Resolved {
    /// The image.
    pub image: Image,
    /// The digest of what the name stands for: the manifest, or an index of several.
    pub digest: Digest,
    /// What it was asked for as.
    pub reference: Reference,
    lease: Lease,
    /// By whom it was found: its layers come the same way.
    client: Arc<Client>,
    /// The place that knew the image first, then the others.
    sessions: Vec<Session>,
}

/// A document as it came.
pub(super) struct Fetched {
    pub(super) bytes: Vec<u8>,
    pub(super) digest: Digest,
    pub(super) document: Document,
}

impl Registry {
    /// Prepares to speak to registries; nobody is asked yet.
    ///
    /// # Errors
    /// When the machine has no random numbers or no TLS to offer, as good as never.
    pub fn new(config: RegistryConfig) -> Result<Self, RegistryError> {
        let client = Client::new(config)
            .map_err(|error| RegistryError::from_request("this machine".to_owned(), error))?;
        Ok(Self {
            client: Arc::new(client),
        })
    }

    /// The same, for requests to the registry of `reference`, for which authorities vouch that came
    /// along (PEM). They are trusted for its host and port alone. Docker Hub has none of its own.
    ///
    /// # Errors
    /// When they are no certificates.
    pub async fn trusting(
        &self,
        reference: &Reference,
        authorities: &str,
    ) -> Result<Self, RegistryError> {
        let endpoints = self.client.config.endpoints(reference);
        let is_own =
            |endpoint: &&Endpoint| endpoint.is_registry && endpoint.base().scheme() == "https";
        let Some(endpoint) = endpoints.iter().find(is_own) else {
            return Ok(self.clone());
        };
        let client = self.client.trusting(endpoint.base(), authorities).await?;
        Ok(Self {
            client: Arc::new(client),
        })
    }

    /// Finds the image that `reference` stands for, and fetches its documents.
    ///
    /// Without `platform` an image for this machine is chosen, or the only one there is.
    ///
    /// # Errors
    /// When there is none, or it may not be had, or it is not acceptable.
    pub async fn resolve(
        &self,
        store: &Store,
        reference: &Reference,
        platform: Option<&Platform>,
        credentials: Option<&Credentials>,
    ) -> Result<Resolved, RegistryError> {
        let endpoints = self.client.config.endpoints(reference);
        let sessions = endpoints
            .into_iter()
            .map(|endpoint| Session::new(endpoint, reference, credentials));
        let mut sessions = sessions.collect::<VecDeque<_>>();
        // Places that answered, though not with the image; they may still have layers of it.
        let mut others = Vec::new();
        let mut last = None;
        while let Some(session) = sessions.pop_front() {
            let is_registry = session.endpoint.is_registry;
            match self.resolve_at(store, &session, platform).await {
                Ok((image, digest, lease)) => {
                    let reference = reference.clone();
                    let mut all = vec![session];
                    all.extend(others.into_iter().chain(sessions));
                    return Ok(Resolved {
                        image,
                        digest,
                        reference,
                        lease,
                        client: Arc::clone(&self.client),
                        sessions: all,
                    });
                }
                Err(error @ RegistryError::Store(_)) => return Err(error),
                // The registry may still be there without TLS, where that is allowed.
                Err(error) if error.is_no_connection() => last = last.or(Some(error)),
                Err(error) => {
                    last = Some(error);
                    others.push(session);
                    if is_registry {
                        break;
                    }
                }
            }
        }
        let reference = reference.familiar();
        Err(last.unwrap_or(RegistryError::NotFound { reference }))
    }

    /// Brings one layer of a resolved image, unless it is here.
    ///
    /// # Errors
    /// When it does not come, or is not what it should be.
    pub async fn fetch_layer(
        &self,
        store: &Store,
        resolved: &Resolved,
        layer: &Layer,
        follow: &Follow<'_>,
    ) -> Result<(), RegistryError> {
        let sessions = &resolved.sessions;
        fetch::fetch(&resolved.client, sessions, store, &layer.blob, follow).await
    }

    async fn resolve_at(
        &self,
        store: &Store,
        session: &Session,
        platform: Option<&Platform>,
    ) -> Result<(Image, Digest, Lease), RegistryError> {
        let top = self.top(session).await?;
        let digest = top.digest;
        let (fetched, manifest) = self.descend(session, top, platform).await?;
        let config_bytes = self.config(session, &manifest.config).await?;
        let config = ImageConfig::parse(&config_bytes, manifest.layers.len())?;
        check_platform(&session.reference, &config.platform, platform)?;

        let mut lease = store.lease();
        let image = Image::new(fetched.digest, manifest, config);
        lease.add_blob(image.id);
        lease.add_blob(image.manifest);
        for layer in &image.layers {
            lease.add_blob(layer.blob.digest);
        }
        lease.add_diff_ids(image.diff_ids());
        store.blobs().put(&fetched.bytes)?;
        store.blobs().put(&config_bytes)?;
        Ok((image, digest, lease))
    }

    /// The document that the name stands for.
    pub(super) async fn top(&self, session: &Session) -> Result<Fetched, RegistryError> {
        let reference = &session.reference;
        match reference.digest() {
            Some(digest) => {
                self.document(session, &digest.to_string(), Some(digest))
                    .await
            }
            None => {
                self.document(session, reference.tag().unwrap_or("latest"), None)
                    .await
            }
        }
    }

    /// From an index to the manifest that fits.
    async fn descend(
        &self,
        session: &Session,
        mut fetched: Fetched,
        platform: Option<&Platform>,
    ) -> Result<(Fetched, Manifest), RegistryError> {
        for _ in 0..=INDEX_DEPTH_MAX {
            let index = match fetched.document {
                Document::Manifest(ref manifest) => {
                    let manifest = manifest.clone();
                    return Ok((fetched, manifest));
                }
                Document::Index(ref index) => index,
            };
            let chosen = choose(&session.reference, index, platform)?.clone();
            fetched = self
                .document(session, &chosen.digest.to_string(), Some(chosen.digest))
                .await?;
            if fetched.bytes.len() as u64 != chosen.size_bytes {
                let (digest, expected) = (chosen.digest, chosen.size_bytes);
                return Err(RegistryError::WrongSize { digest, expected });
            }
        }
        let reason = "its indexes lead to ever further indexes";
        Err(RegistryError::Protocol {
            host: session.endpoint.host(),
            reason,
        })
    }

    async fn document(
        &self,
        session: &Session,
        name: &str,
        expected: Option<Digest>,
    ) -> Result<Fetched, RegistryError> {
        let thing = format!("manifests/{name}");
        let (bytes, said) = self
            .small(session, &thing, DOCUMENTS, MANIFEST_BYTES_MAX)
            .await?;
        let digest = Digest::of(&bytes);
        // What was asked for counts; without that, what the registry says itself.
        if let Some(expected) = expected.or(said)
            && expected != digest
        {
            return Err(RegistryError::WrongDigest {
                expected,
                found: digest,
            });
        }
        let document = Document::parse(&bytes)?;
        Ok(Fetched {
            bytes,
            digest,
            document,
        })
    }

    pub(super) async fn config(
        &self,
        session: &Session,
        config: &Descriptor,
    ) -> Result<Vec<u8>, RegistryError> {
        let thing = format!("blobs/{}", config.digest);
        let (bytes, _) = self.small(session, &thing, "*/*", CONFIG_BYTES_MAX).await?;
        let found = Digest::of(&bytes);
        if found != config.digest {
            return Err(RegistryError::WrongDigest {
                expected: config.digest,
                found,
            });
        }
        if bytes.len() as u64 != config.size_bytes {
            let (digest, expected) = (config.digest, config.size_bytes);
            return Err(RegistryError::WrongSize { digest, expected });
        }
        Ok(bytes)
    }

    /// Brings something short, with the digest that the registry says it has.
    async fn small(
        &self,
        session: &Session,
        thing: &str,
        accept: &str,
        max_bytes: u64,
    ) -> Result<(Vec<u8>, Option<Digest>), RegistryError> {
        let mut tries = Tries::default();
        let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
        loop {
            let attempt = async {
                let response = self.client.get(session, thing, accept, 0).await?;
                let said = response.headers().get(CONTENT_DIGEST);
                let said = said.and_then(|value| value.to_str().ok()?.parse().ok());
                let host = session.endpoint.host();
                Ok((read_capped(response, max_bytes, &host).await?, said))
            };
            let error: RegistryError = match attempt.await {
                Err(error) => error,
                Ok(found) => return Ok(found),
            };
            match tries.failed() {
                Some(wait) if error.is_passing() => tokio::time::sleep(wait).await,
                _ => return Err(error),
            }
        }
    }
}

impl Resolved {
    /// Takes it as prepared, once every layer is here and unpacked.
    ///
    /// # Errors
    /// When a layer is missing after all.
    pub fn prepared(self, store: &Store) -> Result<Prepared, RegistryError> {
        for layer in &self.image.layers {
            let digest = layer.blob.digest;
            if store.blobs().size(digest).is_none() {
                return Err(crate::error::StoreError::Damaged { digest }.into());
            }
        }
        Ok(Prepared {
            image: self.image,
            lease: self.lease,
        })
    }

    /// The names that the image has after the pull: what it was asked for as, and by its digest.
    pub fn names(&self) -> Vec<Reference> {
        let digest = self.reference.with_digest(self.digest);
        match self.reference.digest() {
            Some(_) => vec![digest],
            None => vec![self.reference.clone(), digest],
        }
    }
}

fn choose<'a>(
    reference: &Reference,
    index: &'a Index,
    platform: Option<&Platform>,
) -> Result<&'a Descriptor, RegistryError> {
    let host = Platform::host();
    let wanted = platform.unwrap_or(&host);
    index
        .choose(wanted)
        .ok_or_else(|| RegistryError::NoPlatform {
            reference: reference.familiar(),
            wanted: wanted.to_string(),
            offered: index.platforms(),
        })
}

/// Whoever asks for a platform gets it or an error; who does not, gets what there is for Linux.
fn check_platform(
    reference: &Reference,
    found: &Platform,
    wanted: Option<&Platform>,
) -> Result<(), RegistryError> {
    let fits = match wanted {
        Some(wanted) => found.fitness(wanted).is_some(),
        None => found.os == "linux" || found.os.is_empty(),
    };
    if fits {
        return Ok(());
    }
    Err(RegistryError::NoPlatform {
        reference: reference.familiar(),
        wanted: wanted.map_or_else(|| "linux".to_owned(), Platform::to_string),
        offered: found.to_string(),
    })
}
