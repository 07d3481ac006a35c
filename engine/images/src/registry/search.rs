//! Looks for repositories by a part of their names: `docker search`.
//!
//! Docker's search is of version 1 of the registry API, which Docker Hub, Quay, Nexus and Artifactory
//! still have. Any other registry is searched through its list of repositories, where it has one.

use reqwest::{Method, Url};
use serde::Deserialize;

use super::answer::read_capped;
use super::auth::Credentials;
use super::client::{Ask, Session};
use super::error::RegistryError;
use super::login::anything_of;
use super::pull::Registry;
use super::tags::Turns;
use crate::document::nullable;
use crate::reference::{DEFAULT_REGISTRY, Reference};

const ANSWER_BYTES_MAX: usize = 4 << 20;
const DESCRIPTION_CHARS_MAX: usize = 500;

/// A repository that was found. What is said of it is the registry's word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// As it can be pulled.
    pub name: String,
    /// One line, perhaps empty.
    pub description: String,
    /// How many people marked it.
    pub n_stars: u64,
    /// The registry's own people keep it.
    pub is_official: bool,
    /// The registry built it.
    pub is_automated: bool,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    description: String,
    #[serde(default)]
    star_count: u64,
    #[serde(default)]
    is_official: bool,
    #[serde(default)]
    is_automated: bool,
}

impl Registry {
    /// Searches for at most `limit` repositories; `HOST[:PORT]/` before the words names the registry,
    /// as it does before an image.
    ///
    /// # Errors
    /// [`RegistryError::NoSearch`] where the registry offers none.
    pub async fn search(
        &self,
        term: &str,
        limit: usize,
        credentials: Option<&Credentials>,
    ) -> Result<Vec<Found>, RegistryError> {
        let (server, words) = split(term);
        let reference = anything_of(server)?;
        let mut turns = Turns::default();
        for session in self.searched(&reference, credentials) {
            match self.search_at(&session, words, limit).await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => break,
                Err(error) => turns.failed(&session, error)?,
            }
        }
        let listing = self.repositories(server, words, limit, credentials).await;
        let listing = listing.map_err(|error| match error {
            RegistryError::NoCatalog { host } => RegistryError::NoSearch { host },
            other => other,
        })?;
        let found = listing.names.into_iter().map(|name| Found {
            name: pulled_as(&reference, &name),
            ..Found::default()
        });
        Ok(found.collect())
    }

    fn searched(&self, reference: &Reference, credentials: Option<&Credentials>) -> Vec<Session> {
        // Docker Hub's search is another host than its registry, and learns nobody's password.
        let credentials = credentials.filter(|_| reference.registry() != DEFAULT_REGISTRY);
        let sessions = self.sessions(reference, credentials).into_iter();
        let sessions = sessions.filter(|session| session.endpoint.is_registry);
        let searched = sessions.map(|mut session| {
            if reference.registry() == DEFAULT_REGISTRY {
                session.endpoint.become_hub_index();
            }
            session.for_catalog()
        });
        searched.collect()
    }

    /// Asks for Docker's search; `None` where there is none.
    async fn search_at(
        &self,
        session: &Session,
        words: &str,
        limit: usize,
    ) -> Result<Option<Vec<Found>>, RegistryError> {
        let ask = Ask::new(Method::GET, address(session, words, limit));
        let answer = match self.client.ask(session, ask).await {
            Ok(answer) => answer,
            // Another realm than the rest of the registry's: the list may still be open.
            Err(error) if error.is_refusal() => return Ok(None),
            Err(error) => return Err(error),
        };
        if answer.status() == reqwest::StatusCode::TOO_MANY_REQUESTS {
            return super::answer::accepted(session, answer).await.map(|_| None);
        }
        if !answer.status().is_success() {
            return Ok(None);
        }
        let body = read_capped(answer, ANSWER_BYTES_MAX, &session.host()).await?;
        let Ok(answer) = serde_json::from_slice::<Answer>(&body) else {
            return Ok(None);
        };
        let found = answer.results.into_iter().take(limit);
        let found = found.map(|row| found_in(&session.reference, &row));
        Ok(Some(found.collect()))
    }
}

fn address(session: &Session, words: &str, limit: usize) -> Url {
    let mut url = session.endpoint.at("v1/search");
    url.query_pairs_mut()
        .append_pair("q", words)
        .append_pair("n", &limit.to_string());
    url
}

fn found_in(reference: &Reference, row: &Row) -> Found {
    let line = row.description.chars().filter(|c| !c.is_control());
    Found {
        name: pulled_as(reference, &row.name),
        description: line.take(DESCRIPTION_CHARS_MAX).collect(),
        n_stars: row.star_count,
        is_official: row.is_official,
        is_automated: row.is_automated,
    }
}

/// What a repository is to be called when it is pulled.
fn pulled_as(reference: &Reference, name: &str) -> String {
    let registry = reference.registry();
    if registry == DEFAULT_REGISTRY || name.starts_with(&format!("{registry}/")) {
        return name.to_owned();
    }
    format!("{registry}/{name}")
}

/// The registry that is meant, empty for Docker Hub, and what is looked for there.
fn split(term: &str) -> (&str, &str) {
    let term = term.trim();
    match term.split_once('/') {
        Some((host, words)) if crate::reference::is_registry(host) => (host, words),
        _ => ("", term.strip_prefix("library/").unwrap_or(term)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_before_the_words_names_the_registry() {
        assert_eq!(split("nginx"), ("", "nginx"));
        assert_eq!(split("library/nginx"), ("", "nginx"));
        assert_eq!(split("shop/app"), ("", "shop/app"));
        assert_eq!(split("127.0.0.1:5000/shop"), ("127.0.0.1:5000", "shop"));
        assert_eq!(split("quay.io/"), ("quay.io", ""));
    }
}
