//! `/containers/{id}/wait`: the head at once, the answer at the end. Clients start the container
//! only after they have the head.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use engine_api::containers::WaitCondition;
use engine_api::operation;
use futures_util::stream;

use super::error::{ApiError, Result};
use super::extract::Values;
use super::routes::{App, Route};
use super::stream::flushed;

pub(super) fn routes() -> Vec<Route> {
    vec![(&operation::CONTAINER_WAIT, post(wait))]
}

async fn wait(State(app): State<App>, Path(id): Path<String>, values: Values) -> Result<Response> {
    let condition: WaitCondition = values
        .text("condition")
        .unwrap_or_default()
        .parse()
        .map_err(ApiError::bad_request)?;
    let wait = app.containers.wait(&id, condition)?;
    let answer = stream::once(async move {
        let mut bytes = serde_json::to_vec(&wait.end().await)?;
        bytes.push(b'\n');
        Ok(Bytes::from(bytes))
    });
    Ok((
        [(header::CONTENT_TYPE, "application/json")],
        flushed(answer),
    )
        .into_response())
}
