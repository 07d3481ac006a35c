//! What a name stands for in its registry, without bringing it: `docker manifest inspect`'s question.

use engine_tar::Digest;

use super::auth::Credentials;
use super::client::Session;
use super::error::RegistryError;
use super::pull::Registry;
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
