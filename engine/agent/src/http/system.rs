//! `/_ping`, `/version`, `/info`, `/auth`, `/plugins`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, post};
use engine_api::body;
use engine_api::images::{LoginAnswer, RegistryAuth};
use engine_api::operation;
use engine_api::system::{Info, Version};

use super::error::{ApiError, Result};
use super::extract::JsonBytes;
use super::routes::{App, Route};
use crate::services::system;

pub(super) fn routes() -> Vec<Route> {
    vec![
        (&operation::PING, get(ping)),
        (&operation::PING_HEAD, head(ping_head)),
        (&operation::VERSION, get(version)),
        (&operation::INFO, get(info)),
        (&operation::AUTH, post(auth)),
        (&operation::PLUGIN_LIST, get(plugins)),
    ]
}

async fn ping() -> Response {
    pong("OK")
}

async fn ping_head() -> Response {
    let mut response = pong("");
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, 0.into());
    response
}

fn pong(body: &'static str) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "no-cache, no-store, must-revalidate"),
        (header::PRAGMA, "no-cache"),
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        // The classic builder; there is no BuildKit to offer.
        (HeaderName::from_static("builder-version"), "1"),
        (HeaderName::from_static("swarm"), "inactive"),
    ];
    (headers, body).into_response()
}

async fn version(State(app): State<App>) -> Json<Version> {
    Json(system::version(&app))
}

async fn info(State(app): State<App>) -> Result<Json<Info>> {
    Ok(Json(system::info(&app).await?))
}

/// Asks a registry; the engine keeps no credentials, they come with each pull and push.
async fn auth(State(app): State<App>, body: JsonBytes) -> Result<Json<LoginAnswer>> {
    let auth: RegistryAuth =
        body::parse(&body.0).map_err(|error| ApiError::bad_request(error.to_string()))?;
    app.images.login(auth).await?;
    Ok(Json(LoginAnswer {
        status: "Login Succeeded".to_owned(),
        identity_token: String::new(),
    }))
}

async fn plugins() -> Json<[(); 0]> {
    Json([])
}
