//! Which tags a repository has.
//!
//! OCI distribution specification 1.1, "Listing tags": in pages, each of which names the next in a
//! `Link` header.

use reqwest::header::LINK;
use reqwest::{Method, Response, Url};
use serde::Deserialize;

use super::answer::{accepted, read_capped};
use super::auth::Credentials;
use super::client::{Ask, Session};
use super::endpoint::same_origin;
use super::error::RegistryError;
use super::pull::Registry;
use crate::reference::Reference;

const PAGE_BYTES_MAX: usize = 4 << 20;
/// Tags of one repository; who has more wants one of them.
const TAGS_MAX: usize = 10_000;
const PAGES_MAX: usize = 100;

#[derive(Deserialize)]
struct Page {
    tags: Option<Vec<String>>,
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
        let mut last = None;
        for endpoint in self.client.config.endpoints(repository) {
            let is_registry = endpoint.is_registry;
            let session = Session::new(endpoint, repository, credentials);
            match self.tags_at(&session).await {
                Err(error) if error.is_no_connection() || !is_registry => {
                    last = last.or(Some(error));
                }
                other => return other,
            }
        }
        let reference = repository.familiar();
        Err(last.unwrap_or(RegistryError::NotFound { reference }))
    }

    async fn tags_at(&self, session: &Session) -> Result<Vec<Reference>, RegistryError> {
        let protocol = |reason| RegistryError::Protocol {
            host: session.host(),
            reason,
        };
        let mut url = session.url("tags/list");
        let mut tags = Vec::new();
        for _ in 0..PAGES_MAX {
            let ask = Ask::new(Method::GET, url.clone());
            let answer = accepted(session, self.client.ask(session, ask).await?).await?;
            let next = next(&answer, &url)
                .ok_or_else(|| protocol("its list of tags goes on where it may not be followed"))?;
            let body = read_capped(answer, PAGE_BYTES_MAX, &session.host()).await?;
            let page: Page = serde_json::from_slice(&body)
                .map_err(|_| protocol("its list of tags is malformed"))?;
            for tag in page.tags.unwrap_or_default() {
                let named = session.reference.with_tag(&tag);
                tags.push(named.map_err(|_| protocol("it lists a tag that cannot be one"))?);
            }
            match next {
                Some(next) if tags.len() < TAGS_MAX => url = next,
                Some(_) => break,
                None => return Ok(tags),
            }
        }
        Err(protocol("its list of tags does not end"))
    }
}

/// The next page: `<…?last=x&n=100>; rel="next"`. `None` when it is not the registry's own.
#[expect(
    clippy::option_option,
    reason = "no next page, and none that may be followed"
)]
fn next(answer: &Response, from: &Url) -> Option<Option<Url>> {
    let Some(link) = answer.headers().get(LINK) else {
        return Some(None);
    };
    let (target, rest) = link
        .to_str()
        .ok()?
        .trim()
        .strip_prefix('<')?
        .split_once('>')?;
    if !["rel=\"next\"", "rel=next"]
        .iter()
        .any(|rel| rest.contains(rel))
    {
        return Some(None);
    }
    let mut url = from.join(target).ok()?;
    if url.scheme() == "http" && url.host_str() == from.host_str() {
        // Behind a proxy that speaks TLS for it, a registry may not know what it is reached by.
        let (scheme, port) = (from.scheme().to_owned(), from.port());
        url.set_scheme(&scheme).ok()?;
        url.set_port(port).ok()?;
    }
    same_origin(&url, from).then_some(Some(url))
}
