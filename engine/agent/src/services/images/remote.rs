//! What registries have, told and not brought.

use engine_api::filter::Filters;
use engine_api::images::{ImagePlatform, RegistryAuth};
use engine_api::registries::{
    Descriptor, DistributionInspect, NameList, RemoteDigest, SearchResult,
};
use engine_images::{Found, Listing, Platform, Registry, RegistryError};

use super::pull::{Wanted, credentials, failed};
use super::service::Images;
use crate::services::error::{Result, ServiceError, chain};

impl Images {
    /// Asks a registry what a name stands for.
    ///
    /// # Errors
    /// What the registry says, in words.
    pub(crate) async fn about_remote(&self, wanted: Wanted) -> Result<DistributionInspect> {
        let reference = wanted.reference.or_latest();
        let credentials = wanted.credentials.as_ref();
        let registry = self.registry_of(&reference, &wanted.authority).await?;
        let about = registry.about(&reference, credentials).await;
        let about = about.map_err(|error| failed("look up", &reference, error))?;
        Ok(DistributionInspect {
            descriptor: Descriptor {
                media_type: about.media_type,
                digest: about.digest.to_string(),
                size: about.size_bytes,
            },
            platforms: about.platforms.into_iter().map(platform).collect(),
        })
    }

    /// Asks a registry which digest a name has there.
    ///
    /// # Errors
    /// What the registry says, in words.
    pub(crate) async fn digest_of_remote(&self, wanted: Wanted) -> Result<RemoteDigest> {
        let reference = wanted.reference.or_latest();
        let credentials = wanted.credentials.as_ref();
        let registry = self.registry_of(&reference, &wanted.authority).await?;
        let digest = registry.digest_of(&reference, credentials).await;
        let digest = digest.map_err(|error| failed("look up", &reference, error))?;
        Ok(RemoteDigest {
            digest: digest.to_string(),
        })
    }

    /// Lists tags of a repository.
    ///
    /// # Errors
    /// What the registry says, in words.
    pub(crate) async fn tags(&self, wanted: Wanted, limit: usize) -> Result<NameList> {
        let repository = wanted.reference.bare();
        let credentials = wanted.credentials.as_ref();
        let registry = self.registry_of(&repository, &wanted.authority).await?;
        let tags = registry.some_tags(&repository, limit, credentials).await;
        tags.map(listed)
            .map_err(|error| failed("list the tags of", &repository, error))
    }

    /// Lists repositories of a registry whose names hold `part`.
    ///
    /// # Errors
    /// What the registry says, in words.
    pub(crate) async fn repositories(
        &self,
        registry: &str,
        part: &str,
        limit: usize,
        auth: Option<RegistryAuth>,
    ) -> Result<NameList> {
        let trusting = self.registry_at(registry, auth.as_ref()).await?;
        let credentials = auth.and_then(credentials);
        let asked = trusting.repositories(registry, part, limit, credentials.as_ref());
        asked.await.map(listed).map_err(refused)
    }

    /// The registries, of which the one at an address is also vouched for by what came along.
    pub(super) async fn registry_at(
        &self,
        address: &str,
        auth: Option<&RegistryAuth>,
    ) -> Result<Registry> {
        let authority = auth.map_or("", |auth| auth.authority.as_str());
        if authority.is_empty() {
            return Ok(self.registry.clone());
        }
        let trusting = self.registry.trusting_at(address, authority).await;
        trusting.map_err(|error| ServiceError::BadRequest(chain(&error)))
    }

    /// Searches a registry, Docker Hub where the term names none.
    ///
    /// # Errors
    /// What the registry says, in words; a filter that is malformed.
    pub(crate) async fn search(
        &self,
        term: &str,
        limit: usize,
        filters: &Filters,
        auth: Option<RegistryAuth>,
    ) -> Result<Vec<SearchResult>> {
        let n_stars = filters
            .values("stars")
            .iter()
            .map(|text| text.parse::<u64>());
        let n_stars = n_stars.collect::<std::result::Result<Vec<_>, _>>();
        let Some(n_stars) = n_stars.ok().map(|all| all.into_iter().max().unwrap_or(0)) else {
            let message = "invalid filter 'stars': a number is wanted";
            return Err(ServiceError::BadRequest(message.to_owned()));
        };
        let official = filters.truth("is-official")?;
        let automated = filters.truth("is-automated")?;
        let fits = |found: &Found| {
            found.n_stars >= n_stars
                && official.is_none_or(|wanted| wanted == found.is_official)
                && automated.is_none_or(|wanted| wanted == found.is_automated)
        };
        let trusting = match term.split_once('/') {
            Some((address, _)) => self.registry_at(address, auth.as_ref()).await?,
            None => self.registry.clone(),
        };
        let credentials = auth.and_then(credentials);
        let asked = trusting.search(term, limit, credentials.as_ref());
        let found = asked.await.map_err(refused)?;
        Ok(found.into_iter().filter(fits).map(result).collect())
    }
}

/// What the refusal of a whole registry means to whoever asked.
fn refused(error: RegistryError) -> ServiceError {
    match &error {
        RegistryError::Unauthorized { .. } | RegistryError::CatalogDenied { .. } => {
            ServiceError::Unauthorized(chain(&error))
        }
        RegistryError::NoCatalog { .. } | RegistryError::NoSearch { .. } => {
            ServiceError::NotFound(error.to_string())
        }
        RegistryError::RateLimited { after_s, .. } => ServiceError::RateLimited {
            message: chain(&error),
            after_s: *after_s,
        },
        RegistryError::Address { .. } => ServiceError::BadRequest(error.to_string()),
        _ => ServiceError::failed("ask the registry")(error),
    }
}

fn listed(listing: Listing) -> NameList {
    NameList {
        names: listing.names,
        is_whole: listing.is_whole,
    }
}

fn platform(platform: Platform) -> ImagePlatform {
    ImagePlatform {
        os: platform.os,
        architecture: platform.architecture,
        variant: platform.variant,
    }
}

fn result(found: Found) -> SearchResult {
    SearchResult {
        description: found.description,
        is_official: found.is_official,
        is_automated: found.is_automated,
        name: found.name,
        star_count: found.n_stars,
    }
}
