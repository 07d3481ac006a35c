//! `/commit`, and images as archives: `/images/get`, `/images/{name}/get`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use engine_api::containers::{ContainerConfig, CreateBody, IdAnswer};
use engine_api::{body, operation};
use tokio_stream::wrappers::ReceiverStream;

use super::error::{ApiError, Result};
use super::extract::{JsonBytes, Values};
use super::routes::{App, Route};
use super::stream::flushed;
use crate::services::containers::CommitRequest;

pub(super) fn routes() -> Vec<Route> {
    vec![
        (&operation::CONTAINER_COMMIT, post(commit)),
        (&operation::IMAGE_SAVE_ALL, get(save_all)),
        (&operation::IMAGE_SAVE, get(save)),
    ]
}

async fn commit(State(app): State<App>, values: Values, bytes: JsonBytes) -> Result<Response> {
    let Some(container) = values.text("container") else {
        return Err(ApiError::bad_request(
            "container is needed: which one to commit",
        ));
    };
    let config: Option<ContainerConfig> =
        body::parse_or_default(&bytes.0, &CreateBody::all_members())
            .map_err(|e| ApiError::bad_request(e.to_string()))?;
    let text = |name| values.text(name).map(str::to_owned);
    let asked = CommitRequest {
        repo: text("repo"),
        tag: text("tag"),
        author: text("author").unwrap_or_default(),
        comment: text("comment").unwrap_or_default(),
        // Several in one value stand on lines of their own.
        changes: values
            .all("changes")
            .iter()
            .flat_map(|changes| changes.lines())
            .map(str::to_owned)
            .collect(),
        without_pause: values.text("pause").is_some() && !values.truth("pause"),
        config: config.unwrap_or_default(),
    };
    let id = app.containers.commit(container, asked).await?;
    Ok((StatusCode::CREATED, Json(IdAnswer { id })).into_response())
}

async fn save_all(State(app): State<App>, values: Values) -> Result<Response> {
    // Some clients repeat the name, others put commas between.
    let names: Vec<String> = values
        .all("names")
        .iter()
        .flat_map(|names| names.split(','))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        return Err(ApiError::bad_request(
            "names is needed: which images to save",
        ));
    }
    archive(&app, &names)
}

async fn save(State(app): State<App>, Path(name): Path<String>) -> Result<Response> {
    archive(&app, &[name])
}

fn archive(app: &App, names: &[String]) -> Result<Response> {
    let chunks = app.images.save(names)?;
    let kind = [(header::CONTENT_TYPE, "application/x-tar")];
    Ok((kind, flushed(ReceiverStream::new(chunks))).into_response())
}
