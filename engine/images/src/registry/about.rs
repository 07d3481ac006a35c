//! What a name stands for in its registry, without bringing it: `docker manifest inspect`'s question.

use engine_tar::Digest;
use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{Method, StatusCode};

use super::answer::accepted;
use super::auth::Credentials;
use super::client::{Ask, Session};
use super::error::RegistryError;
use super::pull::{CONTENT_DIGEST, DOCUMENTS, Registry};
use super::tags::Turns;
use crate::manifest::{Document, ImageConfig};
use crate::platform::Platform;
use crate::reference::Reference;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Of the manifest, or of the index of several.
    pub digest: Digest,
    /// The length of that document, not of the image.
    pub size_bytes: u64,
    /// Which kind of document it is.
    pub media_type: String,
    /// The machines that there is an image for.
    pub platforms: Vec<Platform>,
}

impl Registry {
    /// Asks a registry what a name stands for. Nothing is kept.
    ///
    /// # Errors
    /// When there is no such image, it may not be had, or it is not acceptable.
    pub async fn about(
        &self,
        reference: &Reference,
        credentials: Option<&Credentials>,
    ) -> Result<About, RegistryError> {
        let mut turns = Turns::default();
        for session in self.sessions(reference, credentials) {
            match self.about_at(&session).await {
                Err(error) => turns.failed(&session, error)?,
                Ok(about) => return Ok(about),
            }
        }
        Err(turns.over(reference))
    }

    /// Asks a registry which digest a name has, by the lightest request there is: one for the head of
    /// its document, which registries that count requests do not count.
    ///
    /// # Errors
    /// As [`Registry::about`].
    pub async fn digest_of(
        &self,
        reference: &Reference,
        credentials: Option<&Credentials>,
    ) -> Result<Digest, RegistryError> {
        let mut turns = Turns::default();
        for session in self.sessions(reference, credentials) {
            match self.digest_at(&session).await {
                Err(error) => turns.failed(&session, error)?,
                Ok(digest) => return Ok(digest),
            }
        }
        Err(turns.over(reference))
    }

    async fn digest_at(&self, session: &Session) -> Result<Digest, RegistryError> {
        if let Some(digest) = session.reference.digest() {
            return Ok(digest);
        }
        let tag = session.reference.tag().unwrap_or("latest");
        let mut ask = Ask::new(Method::HEAD, session.url(&format!("manifests/{tag}")));
        // Of a name for several machines it is the digest of their index, as with a pull.
        ask.headers
            .insert(ACCEPT, HeaderValue::from_static(DOCUMENTS));
        let answer = self.client.ask(session, ask).await?;
        if answer.status() != StatusCode::METHOD_NOT_ALLOWED {
            let answer = accepted(session, answer).await?;
            let said = answer.headers().get(CONTENT_DIGEST);
            if let Some(digest) = said.and_then(|value| value.to_str().ok()?.parse().ok()) {
                return Ok(digest);
            }
        }
        // It does not say: then the document itself does.
        Ok(self.top(session).await?.digest)
    }

    async fn about_at(&self, session: &Session) -> Result<About, RegistryError> {
        let top = self.top(session).await?;
        let platforms = match &top.document {
            Document::Index(index) => index
                .manifests
                .iter()
                .filter_map(|manifest| manifest.platform.clone())
                // Notes about images travel in the index as images for no machine.
                .filter(|platform| platform.os != "unknown")
                .collect(),
            Document::Manifest(manifest) => {
                let config = self.config(session, &manifest.config).await?;
                vec![ImageConfig::parse(&config, manifest.layers.len())?.platform]
            }
        };
        Ok(About {
            digest: top.digest,
            size_bytes: top.bytes.len() as u64,
            media_type: top.document.media_type().to_owned(),
            platforms,
        })
    }
}
