//! `/containers/{id}/logs`.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use engine_api::operation;
use futures_util::stream;

use super::error::{ApiError, Result};
use super::extract::{Spoken, Values};
use super::output::content_type;
use super::routes::{App, Route};
use super::stream::flushed;
use crate::services::containers::LogQuery;
use crate::services::error::chain;
use crate::services::time;

pub(super) fn routes() -> Vec<Route> {
    vec![(&operation::CONTAINER_LOGS, get(logs))]
}

async fn logs(
    State(app): State<App>,
    Path(id): Path<String>,
    spoken: Spoken,
    values: Values,
) -> Result<Response> {
    let query = query(&values, app.clock.now_ns())?;
    let (chunks, tty) = app.containers.logs(&id, query).await?;
    let pieces = stream::unfold(chunks, |mut chunks| async move {
        let piece = chunks.next().await?;
        // The status is sent; a stream that breaks off is how the client learns of it.
        let piece = piece
            .map(Bytes::from)
            .map_err(|e| std::io::Error::other(chain(&e)));
        Some((piece, chunks))
    });
    Ok((
        [(header::CONTENT_TYPE, content_type(tty, spoken))],
        flushed(pieces),
    )
        .into_response())
}

fn query(values: &Values, now_ns: i64) -> Result<LogQuery> {
    let moment = |name| -> Result<Option<i64>> {
        let parsed = values
            .text(name)
            .map(|text| time::parse(text, now_ns))
            .transpose();
        let parsed =
            parsed.map_err(|e| ApiError::bad_request(format!("invalid value of {name}: {e}")))?;
        // Zero is how clients say "from the beginning" and "without end".
        Ok(parsed.filter(|ns| *ns != 0))
    };
    Ok(LogQuery {
        follow: values.truth("follow"),
        stdout: values.truth("stdout"),
        stderr: values.truth("stderr"),
        since_ns: moment("since")?,
        until_ns: moment("until")?,
        timestamps: values.truth("timestamps"),
        details: values.truth("details"),
        // "all", and whatever else is no number, means all.
        tail: values.text("tail").and_then(|text| text.parse().ok()),
        end: None,
    })
}
