//! Lists that a registry tells in pages, each of which names the next in a `Link` header.
//!
//! OCI distribution specification 1.1, "Listing tags"; the list of repositories goes the same way.
//! A list is foreign and may have no end: how many pages, bytes, names and seconds are read is
//! limited, and a list that was not read to its end says so.

use std::collections::HashSet;

use reqwest::header::LINK;
use reqwest::{Method, Response, StatusCode, Url};
use serde::Deserialize;

use super::answer::{accepted, read_capped};
use super::client::{Ask, Client, Session};
use super::endpoint::same_origin;
use super::error::RegistryError;

const PAGE_BYTES_MAX: usize = 4 << 20;
const PAGES_MAX: usize = 100;
/// Names that are read, whether they are kept or not.
const NAMES_MAX: usize = 100_000;
/// How often as long a whole list may take as one answer.
const PATIENCE: u32 = 2;

/// Names, and whether they are all there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// In the registry's order.
    pub names: Vec<String>,
    /// There are no others.
    pub is_whole: bool,
}

/// What a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tags,
    Repositories,
}

#[derive(Deserialize)]
struct Page {
    tags: Option<Vec<String>>,
    repositories: Option<Vec<String>>,
}

impl Kind {
    fn first(self, session: &Session) -> Url {
        match self {
            Self::Tags => session.url("tags/list"),
            Self::Repositories => {
                let mut url = session.endpoint.at("v2/_catalog");
                url.set_query(Some("n=500"));
                url
            }
        }
    }

    fn of(self, page: Page) -> Vec<String> {
        match self {
            Self::Tags => page.tags,
            Self::Repositories => page.repositories,
        }
        .unwrap_or_default()
    }

    const fn endless(self) -> &'static str {
        match self {
            Self::Tags => "its list of tags does not end",
            Self::Repositories => "its list of repositories does not end",
        }
    }

    const fn malformed(self) -> &'static str {
        match self {
            Self::Tags => "its list of tags is malformed",
            Self::Repositories => "its list of repositories is malformed",
        }
    }

    const fn astray(self) -> &'static str {
        match self {
            Self::Tags => "its list of tags goes on where it may not be followed",
            Self::Repositories => "its list of repositories goes on where it may not be followed",
        }
    }
}

impl Client {
    /// Brings a list, at most `limit` names that `keep` keeps.
    pub(super) async fn list(
        &self,
        session: &Session,
        kind: Kind,
        limit: usize,
        keep: &(dyn Fn(&str) -> Result<bool, &'static str> + Send + Sync),
    ) -> Result<Listing, RegistryError> {
        let brought = self.pages(session, kind, limit, keep);
        tokio::time::timeout(self.config.patience * PATIENCE, brought)
            .await
            .map_err(|_| RegistryError::Stalled {
                host: session.host(),
            })?
    }

    async fn pages(
        &self,
        session: &Session,
        kind: Kind,
        limit: usize,
        keep: &(dyn Fn(&str) -> Result<bool, &'static str> + Send + Sync),
    ) -> Result<Listing, RegistryError> {
        let protocol = |reason| RegistryError::Protocol {
            host: session.host(),
            reason,
        };
        let mut url = kind.first(session);
        let (mut names, mut n_read, mut seen) = (Vec::new(), 0, HashSet::new());
        for _ in 0..PAGES_MAX {
            if !seen.insert(url.clone()) {
                return Err(protocol(kind.endless()));
            }
            let ask = Ask::new(Method::GET, url.clone());
            let answer = listed(session, kind, self.ask(session, ask).await?).await?;
            let next = next(&answer, &url).ok_or_else(|| protocol(kind.astray()))?;
            let body = read_capped(answer, PAGE_BYTES_MAX, &session.host()).await?;
            let page: Page =
                serde_json::from_slice(&body).map_err(|_| protocol(kind.malformed()))?;
            for name in kind.of(page) {
                n_read += 1;
                if !keep(&name).map_err(protocol)? {
                    continue;
                }
                if names.len() == limit {
                    let is_whole = false;
                    return Ok(Listing { names, is_whole });
                }
                names.push(name);
            }
            match next {
                Some(next) if n_read < NAMES_MAX => url = next,
                next => {
                    let is_whole = next.is_none();
                    return Ok(Listing { names, is_whole });
                }
            }
        }
        let is_whole = false;
        Ok(Listing { names, is_whole })
    }
}

/// Takes an answer that is a page; many registries have no list of their repositories.
async fn listed(
    session: &Session,
    kind: Kind,
    answer: Response,
) -> Result<Response, RegistryError> {
    let has_none = matches!(
        answer.status(),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED
    );
    if kind == Kind::Repositories && has_none {
        return Err(RegistryError::NoCatalog {
            host: session.host(),
        });
    }
    accepted(session, answer).await
}

/// The next page: `<…?last=x&n=100>; rel="next"`. `None` when it is not the registry's own.
#[expect(
    clippy::option_option,
    reason = "no next page, and none that may be followed"
)]
fn next(answer: &Response, from: &Url) -> Option<Option<Url>> {
    match answer.headers().get(LINK) {
        None => Some(None),
        Some(link) => linked(link.to_str().ok()?, from),
    }
}

/// The page that a header names, as [`next`].
fn linked(link: &str, from: &Url) -> Option<Option<Url>> {
    let (target, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn from() -> Url {
        Url::parse("https://r.test:5000/v2/shop/app/tags/list").unwrap()
    }

    #[test]
    fn the_next_page_is_named_in_brackets_and_lies_in_the_same_registry() {
        let page = |link: &str| linked(link, &from()).map(|next| next.map(|url| url.to_string()));
        let next = "https://r.test:5000/v2/shop/app/tags/list?last=b&n=2";
        let named = page(r#"</v2/shop/app/tags/list?last=b&n=2>; rel="next""#);
        assert_eq!(named, Some(Some(next.to_owned())));
        let plain = page("<http://r.test/v2/shop/app/tags/list?last=b&n=2>; rel=next");
        assert_eq!(plain, Some(Some(next.to_owned())));
        assert_eq!(page(r#"</v2/x>; rel="prev""#), Some(None));
        for foreign in [
            "<https://other.test/v2/x>; rel=next",
            "/v2/x; rel=next",
            "<",
        ] {
            assert_eq!(page(foreign), None, "{foreign}");
        }
    }

    proptest! {
        #[test]
        fn no_header_leads_to_another_host(target in "\\PC{0,40}", rest in "\\PC{0,20}") {
            for link in [format!("<{target}>; rel=next{rest}"), target, rest] {
                if let Some(Some(url)) = linked(&link, &from()) {
                    prop_assert!(same_origin(&url, &from()), "{}", url);
                }
            }
        }
    }
}
