//! Which tags a repository has, and which repositories a registry.

use super::auth::Credentials;
use super::client::Session;
use super::error::RegistryError;
use super::listing::{Kind, Listing};
use super::login::anything_of;
use super::pull::Registry;
use crate::reference::Reference;

/// Tags of one repository; who has more wants one of them.
const TAGS_MAX: usize = 10_000;

/// What the places said that were asked in turn.
#[derive(Default)]
pub(super) struct Turns(Option<RegistryError>);

impl Turns {
    /// Goes on to the next place, unless the registry itself has spoken.
    pub(super) fn failed(
        &mut self,
        session: &Session,
        error: RegistryError,
    ) -> Result<(), RegistryError> {
        if !error.is_no_connection() && session.endpoint.is_registry {
            return Err(error);
        }
        self.0.get_or_insert(error);
        Ok(())
    }

    /// What it comes to when nobody could answer.
    pub(super) fn over(self, reference: &Reference) -> RegistryError {
        let reference = reference.familiar();
        self.0.unwrap_or(RegistryError::NotFound { reference })
    }
}

impl Registry {
    /// Lists the tags of a repository, in the registry's order; each is the name of an image.
    ///
    /// # Errors
    /// When there is no such repository, it may not be seen, or it has too many tags.
    pub async fn tags(
        &self,
        repository: &Reference,
        credentials: Option<&Credentials>,
    ) -> Result<Vec<Reference>, RegistryError> {
        let listing = self.some_tags(repository, TAGS_MAX, credentials).await?;
        if !listing.is_whole {
            return Err(RegistryError::Protocol {
                host: repository.registry().to_owned(),
                reason: "its list of tags does not end",
            });
        }
        let named = listing.names.iter().map(|tag| repository.with_tag(tag));
        // Each was looked at when it came.
        Ok(named.filter_map(Result::ok).collect())
    }

    /// Lists at most `limit` tags of a repository, in the registry's order.
    ///
    /// # Errors
    /// When there is no such repository, it may not be seen, or the list is no list.
    pub async fn some_tags(
        &self,
        repository: &Reference,
        limit: usize,
        credentials: Option<&Credentials>,
    ) -> Result<Listing, RegistryError> {
        let is_tag = |tag: &str| match repository.with_tag(tag) {
            Ok(_) => Ok(true),
            Err(_) => Err("it lists a tag that cannot be one"),
        };
        let mut turns = Turns::default();
        for session in self.sessions(repository, credentials) {
            match self.client.list(&session, Kind::Tags, limit, &is_tag).await {
                Err(error) => turns.failed(&session, error)?,
                Ok(listing) => return Ok(listing),
            }
        }
        Err(turns.over(repository))
    }

    /// Lists at most `limit` repositories whose names hold `part`, of the registry that a client
    /// calls `server`. What it lists that cannot be pulled is left out.
    ///
    /// # Errors
    /// [`RegistryError::NoCatalog`] where there is no such list, as on Docker Hub and many others.
    pub async fn repositories(
        &self,
        server: &str,
        part: &str,
        limit: usize,
        credentials: Option<&Credentials>,
    ) -> Result<Listing, RegistryError> {
        let reference = anything_of(server)?;
        let part = part.to_lowercase();
        let keep = |name: &str| {
            let is_name = format!("{}/{name}", reference.registry())
                .parse::<Reference>()
                .is_ok_and(|read| read.repository() == name && read == read.bare());
            Ok(is_name && name.contains(&part))
        };
        let mut turns = Turns::default();
        let sessions = self.sessions(&reference, credentials).into_iter();
        for session in sessions.filter(|session| session.endpoint.is_registry) {
            let session = session.for_catalog();
            let listing = self.client.list(&session, Kind::Repositories, limit, &keep);
            match listing.await {
                Err(error) => turns.failed(&session, error)?,
                Ok(listing) => return Ok(listing),
            }
        }
        Err(turns.over(&reference))
    }

    /// The places to ask for a reference, in turn.
    pub(super) fn sessions(
        &self,
        reference: &Reference,
        credentials: Option<&Credentials>,
    ) -> Vec<Session> {
        let endpoints = self.client.config.endpoints(reference).into_iter();
        endpoints
            .map(|endpoint| Session::new(endpoint, reference, credentials))
            .collect()
    }
}
