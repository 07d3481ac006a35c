//! The link to a host's engine: a client in exchange for a permit.

use engine_api::caller::Caller;
use engine_api::stats::Stats;
use engine_client::{ClientError, EngineClient};

use crate::access::{Permission, Permit};
use crate::domain::{ContainerId, Place};

/// The link to one host.
#[derive(Clone)]
pub struct Link {
    client: EngineClient,
}

impl Link {
    /// Returns the link over a client that has no caller yet.
    pub const fn new(client: EngineClient) -> Self {
        Self { client }
    }

    /// Returns a client that says with each call who asks, by which permission, for which thing.
    pub fn client<P: Permission>(&self, permit: &Permit<P>) -> EngineClient {
        let place = permit.place().describe();
        self.client.on_behalf_of(&Caller {
            actor: permit.actor().account.name.to_string(),
            request_id: permit.actor().request.to_string(),
            permission: P::ID.name().to_owned(),
            scope: format!("{}/{}", place.kind, place.id),
        })
    }

    /// Returns a client that finishes or undoes what a permit began and a crash cut, on behalf of
    /// the server.
    pub fn mending(&self) -> EngineClient {
        self.client.on_behalf_of(&Caller {
            actor: "server".to_owned(),
            request_id: String::new(),
            permission: "server.start".to_owned(),
            scope: String::new(),
        })
    }

    /// Looks once at what a container uses, on behalf of nobody.
    ///
    /// # Errors
    /// When it is gone, or the engine is away.
    pub async fn usage(&self, id: &ContainerId) -> Result<Stats, ClientError> {
        self.client.container_stats_once(id.as_str()).await
    }

    /// Looks once which digest a name has in its registry, on behalf of nobody; `auth` is who we are
    /// there.
    ///
    /// # Errors
    /// What the registry says, or when the engine is away.
    pub async fn remote_digest(
        &self,
        name: &str,
        auth: Option<&str>,
    ) -> Result<String, ClientError> {
        let found = self.client.remote_digest(name, auth).await?;
        Ok(found.digest)
    }

    /// Returns where the engine answers.
    pub(crate) fn address(&self) -> String {
        self.client.address()
    }

    /// Returns the client that looks for the index, on behalf of nobody.
    pub(super) const fn looking(&self) -> &EngineClient {
        &self.client
    }
}
