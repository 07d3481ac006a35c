//! Asks a registry whether it knows somebody: `docker login`.
//!
//! Nothing is kept here: whoever asked brings the credentials again with each pull and push.

use reqwest::{Method, StatusCode};

use super::answer::accepted;
use super::auth::Credentials;
use super::client::{Ask, Session};
use super::error::RegistryError;
use super::pull::Registry;
use crate::reference::{DEFAULT_REGISTRY, Reference};

impl Registry {
    /// Asks the registry that a client calls `server` (`HOST[:PORT]`, perhaps as a URL; nothing means
    /// Docker Hub) to accept the credentials, or to let anybody in without.
    ///
    /// # Errors
    /// [`RegistryError::Unauthorized`] when it does not.
    pub async fn login(
        &self,
        server: &str,
        credentials: Option<&Credentials>,
    ) -> Result<(), RegistryError> {
        let reference = anything_of(server)?;
        let mut last = None;
        for endpoint in self.client.config.endpoints(&reference) {
            if !endpoint.is_registry {
                continue;
            }
            let session = Session::new(endpoint, &reference, credentials).for_login();
            let ask = Ask::new(Method::GET, session.endpoint.root());
            let answer = match self.client.ask(&session, ask).await {
                Err(error) if error.is_no_connection() => {
                    last = last.or(Some(error));
                    continue;
                }
                other => other?,
            };
            if answer.status() == StatusCode::NOT_FOUND {
                return Err(RegistryError::Protocol {
                    host: session.host(),
                    reason: "it has no API of version 2",
                });
            }
            return accepted(&session, answer).await.map(drop);
        }
        Err(last.unwrap_or_else(|| RegistryError::Address {
            text: server.to_owned(),
        }))
    }
}

impl Registry {
    /// As [`Registry::trusting`], of the registry that a client calls so.
    ///
    /// # Errors
    /// When that is no address, or they are no certificates.
    pub async fn trusting_at(
        &self,
        server: &str,
        authorities: &str,
    ) -> Result<Self, RegistryError> {
        self.trusting(&anything_of(server)?, authorities).await
    }
}

/// Any image of the registry: its address is what counts.
pub(super) fn anything_of(server: &str) -> Result<Reference, RegistryError> {
    let bare = server.split_once("://").map_or(server, |(_, rest)| rest);
    let host = bare.split('/').next().unwrap_or_default();
    let host = match host {
        "" | "index.docker.io" | "registry-1.docker.io" => DEFAULT_REGISTRY,
        named => named,
    };
    let reference = format!("{host}/x/x:x").parse::<Reference>().ok();
    // A name without a dot or a port would be a repository of Docker Hub.
    reference
        .filter(|reference| reference.registry() == host)
        .ok_or_else(|| RegistryError::Address {
            text: server.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_called_in_many_ways() {
        let registry = |server: &str| anything_of(server).map(|found| found.registry().to_owned());
        for (server, host) in [
            ("", "docker.io"),
            ("https://index.docker.io/v1/", "docker.io"),
            ("docker.io", "docker.io"),
            ("127.0.0.1:5000", "127.0.0.1:5000"),
            ("http://localhost:5000/v2/", "localhost:5000"),
            ("ghcr.io", "ghcr.io"),
        ] {
            assert_eq!(registry(server).unwrap(), host, "{server}");
        }
        for server in ["nodots", "a b", "ann@ghcr.io", "https:///x", "ghcr.io:port"] {
            let refused = registry(server);
            assert!(
                matches!(refused, Err(RegistryError::Address { .. })) || server == "https:///x",
                "{server}: {refused:?}"
            );
        }
    }
}
