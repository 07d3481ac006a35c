//! `/containers/{id}/stats`: once, or each second until the client goes.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use engine_api::operation;
use futures_util::stream;

use super::error::Result;
use super::extract::Values;
use super::routes::{App, Route};
use super::stream::flushed;
use crate::services::containers::Sample;

/// How far two samples lie apart.
const PERIOD: Duration = Duration::from_secs(1);

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
    let id = first.id.clone();
    let begin = (app, id, Some(first), sample);
    let lines = stream::unfold(begin, |(app, id, first, before)| async move {
        let (stats, sample) = match first {
            Some(first) => (first, before),
            None => {
                tokio::time::sleep(PERIOD).await;
                // A container that is gone ends the stream.
                app.containers.sample(&id, before.as_ref()).await.ok()?
            }
        };
        let mut line = serde_json::to_vec(&stats).ok()?;
        line.push(b'\n');
        Some((
            Ok(Bytes::from(line)),
            (app, id, None::<_>, sample as Option<Sample>),
        ))
    });
    Ok(([(header::CONTENT_TYPE, "application/json")], flushed(lines)).into_response())
}
