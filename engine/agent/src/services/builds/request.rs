//! What is asked of a build.

use std::collections::BTreeMap;

use engine_api::containers::HostConfig;
use engine_api::images::RegistryAuth;
use engine_images::Reference;

use crate::services::error::{Result, ServiceError};

/// A build's options, as a client gave them.
#[derive(Clone, Default)]
pub(crate) struct BuildRequest {
    /// The Dockerfile's path in the context.
    pub(crate) dockerfile: Option<String>,
    /// How many bytes at the beginning of the body are the Dockerfile; none when it is in the context.
    pub(crate) dockerfile_bytes: Option<u64>,
    /// Whether each line says which step it belongs to.
    pub(crate) is_marked: bool,
    /// What the image is to be called.
    pub(crate) names: Vec<String>,
    /// Where the context is, when it is not the body.
    pub(crate) remote: Option<String>,
    pub(crate) quiet: bool,
    pub(crate) no_cache: bool,
    /// Look for newer base images.
    pub(crate) pull: bool,
    /// Make one layer of all that is new.
    pub(crate) squash: bool,
    /// Remove the containers of steps when all went well …
    pub(crate) remove: bool,
    /// … and when not.
    pub(crate) force_remove: bool,
    pub(crate) build_args: BTreeMap<String, String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) cache_from: Vec<String>,
    pub(crate) target: Option<String>,
    pub(crate) platform: Option<String>,
    /// Limits and the network of every step.
    pub(crate) host: HostConfig,
    /// Names and passwords, by registry.
    pub(crate) auths: BTreeMap<String, RegistryAuth>,
}

/// The build argument that says when everything was made.
pub(super) const EPOCH: &str = "SOURCE_DATE_EPOCH";

impl BuildRequest {
    /// Reads the names of the image.
    ///
    /// # Errors
    /// When one is malformed.
    pub(super) fn references(&self) -> Result<Vec<Reference>> {
        let mut references: Vec<Reference> = Vec::new();
        for name in &self.names {
            let reference: Reference =
                name.parse()
                    .map_err(|error: engine_images::MalformedReference| {
                        ServiceError::BadRequest(error.to_string())
                    })?;
            if reference.digest().is_some() {
                let message = "refusing to create a tag with a digest reference".to_owned();
                return Err(ServiceError::BadRequest(message));
            }
            let reference = reference.or_latest();
            if !references.contains(&reference) {
                references.push(reference);
            }
        }
        Ok(references)
    }

    /// The moment at which everything is said to be made, in seconds since 1970.
    ///
    /// # Errors
    /// When it is no number.
    pub(super) fn epoch(&self) -> Result<Option<i64>> {
        let Some(text) = self.build_args.get(EPOCH).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let seconds = text.parse::<i64>().ok().filter(|seconds| *seconds >= 0);
        seconds.map(Some).ok_or_else(|| {
            ServiceError::BadRequest(format!(
                "the build argument {EPOCH} is {text:?}: it must be a number of seconds since 1970"
            ))
        })
    }

    /// The name and password for a registry, under whatever name a client has it.
    pub(super) fn auth_for(&self, reference: &Reference) -> Option<RegistryAuth> {
        let registry = reference.registry();
        let is_hub = registry == engine_images::DEFAULT_REGISTRY;
        let auth = self.auths.iter().find(|(key, _)| {
            let host = key
                .trim_start_matches("https://")
                .trim_start_matches("http://");
            let host = host.split('/').next().unwrap_or_default();
            host == registry || is_hub && host == "index.docker.io"
        });
        auth.map(|(_, auth)| auth.clone())
    }
}
