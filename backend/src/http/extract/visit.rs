//! What is known of a request before anybody asks who makes it.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::domain::{Browser, Language, RequestId};

/// A request, before there is an actor.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Its id: in the audit, in the log and at the engine.
    pub request: RequestId,
    /// The address it comes from.
    pub address: IpAddr,
    /// Whether the browser comes by TLS; then its cookie demands it.
    pub is_secure: bool,
    /// What the browser calls itself.
    pub browser: Browser,
    /// The language the browser asks for; an account's own choice goes before it.
    pub language: Language,
    /// Whether the answer should be JSON.
    pub wants_json: bool,
    /// The path that was asked for.
    pub path: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        if let Some(visit) = parts.extensions.get::<Self>() {
            return Ok(visit.clone());
        }
        Ok(Self {
            request: RequestId::unique(),
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            is_secure: false,
            browser: Browser::default(),
            language: Language::default(),
            wants_json: false,
            path: parts.uri.path().to_owned(),
        })
    }
}
