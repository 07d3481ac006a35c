//! Calls about registries: who is let in, and what is there.

use std::time::Duration;

use engine_api::images::{LoginAnswer, REGISTRY_AUTH_HEADER, RegistryAuth};
use engine_api::operation;
use engine_api::registries::{DistributionInspect, NameList, RemoteDigest};

use crate::client::EngineClient;
use crate::error::Result;
use crate::request::Call;

/// Longer than an engine waits for a registry: its reason is better than none.
const DEADLINE: Duration = Duration::from_secs(150);

impl EngineClient {
    /// Asks a registry to accept a name and password.
    ///
    /// # Errors
    /// When it does not, or cannot be asked.
    pub async fn log_in(&self, auth: &RegistryAuth) -> Result<LoginAnswer> {
        let call = Call::new(&operation::AUTH, "").json(auth)?;
        self.fetch(call.within(DEADLINE)).await
    }

    /// Returns what a name stands for in its registry. `auth` is the value of the credentials header.
    ///
    /// # Errors
    /// When it is not there or may not be seen.
    pub async fn distribution(
        &self,
        name: &str,
        auth: Option<&str>,
    ) -> Result<DistributionInspect> {
        let call = Call::new(&operation::DISTRIBUTION_INSPECT, name);
        self.fetch(known(call, auth)?).await
    }

    /// Returns which digest a name with its tag has in its registry.
    ///
    /// # Errors
    /// As [`EngineClient::distribution`].
    pub async fn remote_digest(&self, name: &str, auth: Option<&str>) -> Result<RemoteDigest> {
        let call = Call::new(&operation::REPOSITORY_DIGEST, name);
        self.fetch(known(call, auth)?).await
    }

    /// Lists repositories of a registry whose names hold `part`.
    ///
    /// # Errors
    /// When the registry has no such list, or it may not be seen.
    pub async fn repositories(
        &self,
        registry: &str,
        part: &str,
        limit: usize,
        auth: Option<&str>,
    ) -> Result<NameList> {
        let call = Call::new(&operation::REGISTRY_REPOSITORIES, registry)
            .query("filter", part)
            .query("limit", limit);
        self.fetch(known(call, auth)?).await
    }

    /// Lists tags of a repository, which is named with its registry.
    ///
    /// # Errors
    /// When it is not there or may not be seen.
    pub async fn repository_tags(
        &self,
        repository: &str,
        limit: usize,
        auth: Option<&str>,
    ) -> Result<NameList> {
        let call = Call::new(&operation::REPOSITORY_TAGS, repository).query("limit", limit);
        self.fetch(known(call, auth)?).await
    }
}

fn known(call: Call, auth: Option<&str>) -> Result<Call> {
    let call = call.within(DEADLINE);
    match auth {
        Some(auth) => call.header(REGISTRY_AUTH_HEADER, auth),
        None => Ok(call),
    }
}
