//! Who makes the request: somebody who is logged in, or openly anyone.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{Method, header};
use tower_sessions::Session;

use super::Visit;
use crate::access::{Actor, session};
use crate::app::App;
use crate::http::Error;

/// Says in a handler's signature that anyone may call it.
#[derive(Clone, Copy, Debug)]
pub struct Anyone;

impl<S: Send + Sync> FromRequestParts<S> for Anyone {
    type Rejection = Infallible;

    async fn from_request_parts(_parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

impl FromRequestParts<App> for Actor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        match find(parts, app).await? {
            Some(actor) => Ok(actor),
            None => Err(logged_out(parts)),
        }
    }
}

impl OptionalFromRequestParts<App> for Actor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Error> {
        find(parts, app).await
    }
}

/// Finds who is logged in, once per request however many extractors ask.
async fn find(parts: &mut Parts, app: &App) -> Result<Option<Actor>, Error> {
    if let Some(actor) = parts.extensions.get::<Actor>() {
        return Ok(Some(actor.clone()));
    }
    let visit = match Visit::from_request_parts(parts, app).await {
        Ok(visit) => visit,
        Err(never) => match never {},
    };
    let Some(session) = parts.extensions.get::<Session>() else {
        return Ok(None);
    };
    let found = session::actor(session, app.services.store(), visit.address, visit.request);
    let found = found.await?;
    if let Some(actor) = &found {
        parts.extensions.insert(actor.clone());
    }
    Ok(found)
}

fn logged_out(parts: &Parts) -> Error {
    let is_socket = parts.headers.contains_key(header::SEC_WEBSOCKET_KEY);
    let accept = parts
        .headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let is_page = !is_socket && !accept.is_some_and(|accept| accept.contains("json"));
    let path_and_query = parts
        .uri
        .path_and_query()
        .map_or("/", |whole| whole.as_str());
    let then = match path_and_query {
        "/" => "",
        whole if parts.method == Method::GET => whole,
        _ => "",
    };
    Error::LoggedOut {
        then: then.to_owned(),
        is_page,
    }
}
