//! `/containers/{id}/stats`: once, or each second until the client goes.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use engine_api::operation;
use futures_util::{StreamExt as _, stream};

use super::error::Result;
use super::extract::Values;
use super::routes::{App, Route};
use super::stream::flushed;
use crate::services::containers::PERIOD;
use crate::services::error::ServiceError;

pub(super) fn routes() -> Vec<Route> {
    vec![(&operation::CONTAINER_STATS, get(stats))]
}

async fn stats(State(app): State<App>, Path(id): Path<String>, values: Values) -> Result<Response> {
    // Without a word it goes on, as Docker's does.
    let streams = values.text("stream").is_none() || values.truth("stream");
    let (first, sample) = app.containers.sample(&id, None).await?;
    if !streams && values.truth("one-shot") {
        return Ok(axum::Json(first).into_response());
    }
    if !streams {
        tokio::time::sleep(PERIOD).await;
        let (second, _) = app.containers.sample(&id, sample.as_ref()).await?;
        return Ok(axum::Json(second).into_response());
    }
    // By id from here on: another container may take the name.
    let watched = app.containers.watch_use(&first.id, sample)?;
    let mut line = serde_json::to_vec(&first).map_err(ServiceError::failed("write the figures"))?;
    line.push(b'\n');
    let first = stream::once(async move { Ok(Bytes::from(line)) });
    let more = stream::unfold(watched, |mut watched| async move {
        // A container that is gone ends the stream.
        watched.changed().await.ok()?;
        let line = watched.borrow_and_update().clone();
        Some((Ok(line), watched))
    });
    Ok((
        [(header::CONTENT_TYPE, "application/json")],
        flushed(first.chain(more)),
    )
        .into_response())
}
