//! Images from registries.

use std::collections::VecDeque;
use std::sync::Arc;

use engine_api::images::RegistryAuth;
use engine_images::{
    Credentials, Digest, Follow, Layer, LayerProgress, Platform, Reference, Registry,
    RegistryError, Resolved, Secret,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Semaphore;

use super::progress::Board;
use super::service::Images;
use crate::services::error::{Result, ServiceError, chain};

/// Layers on their way at once; as many again may be unpacked meanwhile.
const FETCHES_MAX: usize = 3;
const LAYERS_MAX: usize = 2 * FETCHES_MAX;

/// What somebody wants from a registry, or to be there: without a tag or a digest, every tag of a
/// repository.
pub(crate) struct Wanted {
    pub(super) reference: Reference,
    pub(super) platform: Option<Platform>,
    pub(super) credentials: Option<Credentials>,
    /// Authorities that vouch for that registry, in PEM; empty for none.
    pub(super) authority: String,
}

/// An image that was found and not brought yet, and what comes after it.
pub(crate) struct Pull {
    resolved: Resolved,
    /// The others, when every tag is wanted; each is looked for when its turn comes.
    rest: Vec<Wanted>,
    board: Arc<Board>,
}

impl Wanted {
    /// Reads what a client wrote. A `tag` beside the name wins; it may be a digest.
    ///
    /// # Errors
    /// When a name, tag or platform is malformed.
    pub(crate) fn parse(
        name: &str,
        tag: Option<&str>,
        platform: Option<&str>,
        auth: Option<RegistryAuth>,
    ) -> Result<Self> {
        let bad = |error: &dyn std::error::Error| ServiceError::BadRequest(error.to_string());
        let reference: Reference = name.parse().map_err(|e| bad(&e))?;
        let reference = match tag {
            Some(digest) if digest.contains(':') => {
                let digest: Digest = digest.parse().map_err(|e| bad(&e))?;
                reference.with_digest(digest)
            }
            Some(tag) => reference.with_tag(tag).map_err(|e| bad(&e))?,
            None => reference,
        };
        let platform = platform
            .map(str::parse::<Platform>)
            .transpose()
            .map_err(|e| bad(&e))?;
        let authority = auth.as_ref().map(|auth| auth.authority.clone());
        let credentials = auth.and_then(credentials);
        Ok(Self {
            authority: authority.unwrap_or_default(),
            reference,
            platform,
            credentials,
        })
    }
}

impl Images {
    /// Finds an image in its registry, and fetches what it consists of.
    ///
    /// # Errors
    /// What the registry says, in words.
    pub(crate) async fn find_remote(&self, wanted: Wanted) -> Result<Pull> {
        let mut all = self.every_tag(wanted).await?;
        let first = all.pop_front().ok_or_else(|| {
            ServiceError::NotFound(
                "the repository has no tags: there is nothing to pull".to_owned(),
            )
        })?;
        Ok(Pull {
            resolved: self.resolve(first).await?,
            rest: all.into(),
            board: Arc::default(),
        })
    }

    /// What is wanted, image by image.
    async fn every_tag(&self, wanted: Wanted) -> Result<VecDeque<Wanted>> {
        let reference = &wanted.reference;
        if reference.tag().is_some() || reference.digest().is_some() {
            return Ok(VecDeque::from([wanted]));
        }
        let credentials = wanted.credentials.as_ref();
        let registry = self.registry_of(reference, &wanted.authority).await?;
        let tags = registry.tags(reference, credentials).await;
        let tags = tags.map_err(|error| failed("pull", reference, error))?;
        let one = |reference| Wanted {
            reference,
            platform: wanted.platform.clone(),
            credentials: wanted.credentials.clone(),
            authority: wanted.authority.clone(),
        };
        Ok(tags.into_iter().map(one).collect())
    }

    /// The registries, one of which is also vouched for by authorities that came along.
    pub(super) async fn registry_of(
        &self,
        reference: &Reference,
        authority: &str,
    ) -> Result<Registry> {
        if authority.is_empty() {
            return Ok(self.registry.clone());
        }
        let trusting = self.registry.trusting(reference, authority).await;
        trusting.map_err(|error| ServiceError::BadRequest(chain(&error)))
    }

    async fn resolve(&self, wanted: Wanted) -> Result<Resolved> {
        let Wanted {
            reference,
            platform,
            credentials,
            authority,
        } = wanted;
        self.registry_of(&reference, &authority)
            .await?
            .resolve(
                &self.store,
                &reference,
                platform.as_ref(),
                credentials.as_ref(),
            )
            .await
            .map_err(|error| failed("pull", &reference, error))
    }

    /// Brings an image that was found and those that are to follow. Dropping this stops everything;
    /// only images that are whole by then stay.
    ///
    /// # Errors
    /// What the registry says, or why a layer is refused.
    pub(crate) async fn pull(&self, pull: Pull) -> Result<()> {
        let Pull {
            resolved,
            rest,
            board,
        } = pull;
        self.bring(resolved, &board).await?;
        for wanted in rest {
            let resolved = self.resolve(wanted).await?;
            self.bring(resolved, &board).await?;
        }
        Ok(())
    }

    /// Brings an image, unpacks and lists it.
    async fn bring(&self, resolved: Resolved, board: &Arc<Board>) -> Result<()> {
        // Dropped after the image's lease, which it would otherwise still see.
        let unfinished = self.unfinished();
        let reference = resolved.reference.clone();
        let title = reference
            .tag()
            .map_or_else(|| resolved.digest.to_string(), str::to_owned);
        let name = reference.familiar_name();
        let whole = reference.to_string();
        let repository = whole.strip_prefix("docker.io/").unwrap_or(&whole);
        let repository =
            &repository[..repository.len() - (reference.familiar().len() - name.len())];
        board.title(&title, format!("Pulling from {repository}"));

        self.bring_layers(&resolved, board).await?;

        let digest = resolved.digest;
        let names = resolved.names();
        let before = self.store.named(&reference).map(|image| image.id);
        let prepared = resolved
            .prepared(&self.store)
            .map_err(|error| failed("pull", &reference, error))?;
        let is_new = before != Some(prepared.image.id);
        let added = self.add(vec![(prepared, names)]).await?;
        unfinished.finished();

        let familiar = reference.familiar();
        for image in &added {
            self.publish("pull", familiar.clone(), &name, image);
        }
        board.status("", format!("Digest: {digest}"));
        let news = if is_new {
            "Downloaded newer image"
        } else {
            "Image is up to date"
        };
        board.status("", format!("Status: {news} for {familiar}"));
        Ok(())
    }

    async fn bring_layers(&self, resolved: &Resolved, board: &Arc<Board>) -> Result<()> {
        for layer in &resolved.image.layers {
            board.status(&layer.blob.digest.short(), "Pulling fs layer");
        }
        let fetches = Semaphore::new(FETCHES_MAX);
        let layers = resolved.image.layers.iter();
        let work: Vec<_> = layers
            .map(|layer| self.bring_layer(resolved, layer, &fetches, board))
            .collect();
        stream::iter(work)
            .buffer_unordered(LAYERS_MAX)
            .try_collect::<()>()
            .await
    }

    async fn bring_layer(
        &self,
        resolved: &Resolved,
        layer: &Layer,
        fetches: &Semaphore,
        board: &Arc<Board>,
    ) -> Result<()> {
        let id = layer.blob.digest.short();
        let is_unpacked = self.layers.layer(layer.diff_id.into()).is_some();
        let fetch = async || {
            let _turn = fetches.acquire().await;
            let along = self.unpack_along(layer);
            let follow = Follow {
                progress: &|progress| tell(board, &id, progress),
                reader: along.reader(),
            };
            self.registry
                .fetch_layer(&self.store, resolved, layer, &follow)
                .await
                .map_err(|error| failed("pull", &resolved.reference, error))
        };
        fetch().await?;
        // Done already, unless the blob was here, came in two rows or is refused.
        let unpacked = self.unpack_layer(layer, Some(board)).await;
        if unpacked.is_err() && self.store.blobs().size(layer.blob.digest).is_none() {
            // It was here, and damaged: it is brought once more.
            fetch().await?;
            self.unpack_layer(layer, Some(board)).await?;
        } else {
            unpacked?;
        }
        board.status(
            &id,
            if is_unpacked {
                "Already exists"
            } else {
                "Pull complete"
            },
        );
        Ok(())
    }
}

impl Pull {
    /// Where the lines of its progress appear.
    pub(crate) fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }
}

fn tell(board: &Board, id: &str, progress: LayerProgress) {
    match progress {
        LayerProgress::Exists => {}
        LayerProgress::Downloading {
            n_bytes,
            total_bytes,
        } => {
            board.count(id, "Downloading", n_bytes, total_bytes);
        }
        LayerProgress::Retrying => board.status(id, "Retrying"),
        LayerProgress::Verifying => board.status(id, "Verifying Checksum"),
        LayerProgress::Complete => board.status(id, "Download complete"),
    }
}

pub(super) fn credentials(auth: RegistryAuth) -> Option<Credentials> {
    if !auth.registrytoken.is_empty() {
        return Some(Credentials::RegistryToken(Secret::new(auth.registrytoken)));
    }
    if !auth.identitytoken.is_empty() {
        return Some(Credentials::IdentityToken(Secret::new(auth.identitytoken)));
    }
    let password = Secret::new(auth.password);
    let username = auth.username;
    (!username.is_empty()).then_some(Credentials::Password { username, password })
}

/// What a registry's refusal means to whoever asked.
pub(super) fn failed(action: &str, reference: &Reference, error: RegistryError) -> ServiceError {
    match &error {
        _ if error.is_full() => ServiceError::failed(super::unpack::FULL)(error),
        _ if error.is_not_found() => ServiceError::NotFound(chain(&error)),
        RegistryError::Unauthorized { .. } | RegistryError::PushDenied { .. } => {
            ServiceError::Unauthorized(chain(&error))
        }
        RegistryError::RateLimited { after_s, .. } => ServiceError::RateLimited {
            message: chain(&error),
            after_s: *after_s,
        },
        RegistryError::Document(_) => ServiceError::BadRequest(chain(&error)),
        _ => ServiceError::failed(format!("{action} {}", reference.familiar()))(error),
    }
}
