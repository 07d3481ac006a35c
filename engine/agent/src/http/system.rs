//! `/_ping`, `/version`, `/info`, `/auth`, `/plugins`.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, post};
use engine_api::error::ErrorKind;
use engine_api::operation;
use engine_api::system::{Info, Version};

use super::error::{ApiError, Result};
use super::extract::drain;
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

/// Credentials are given with each pull; the engine keeps none and asks no registry for them here.
async fn auth(request: Request) -> ApiError {
    drain(request.into_body()).await;
    ApiError::new(
        ErrorKind::NotImplemented,
        "this engine does not check credentials apart from a pull: give them with the pull",
    )
}

async fn plugins() -> Json<[(); 0]> {
    Json([])
}
