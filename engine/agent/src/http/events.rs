//! `/events`: facts, one JSON document a line, flushed as they come.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use engine_api::events::{FILTERS, WireEvent};
use engine_api::operation;
use futures_util::stream;

use super::error::{ApiError, Result};
use super::extract::Values;
use super::routes::{App, Route};
use super::stream::flushed;
use crate::services::events::{Listener, Selection};
use crate::services::time;

pub(super) fn routes() -> Vec<Route> {
    vec![(&operation::EVENTS, get(events))]
}

async fn events(State(app): State<App>, values: Values) -> Result<Response> {
    let now_ns = app.clock.now_ns();
    let moment = |name| {
        let parsed = values
            .text(name)
            .map(|text| time::parse(text, now_ns))
            .transpose();
        parsed.map_err(|e| ApiError::bad_request(format!("invalid value of {name}: {e}")))
    };
    let selection = Selection {
        since_ns: moment("since")?,
        until_ns: moment("until")?,
        filters: values.filters(FILTERS)?,
    };
    let listener = app.events.listen(selection);
    let deadline = listener
        .ends_in()
        .map(|left| tokio::time::Instant::now() + left);
    let lines = stream::unfold(
        (listener, deadline),
        |(mut listener, deadline)| async move {
            let line = next_line(&mut listener, deadline).await?;
            Some((Ok::<_, std::io::Error>(line), (listener, deadline)))
        },
    );
    Ok(([(header::CONTENT_TYPE, "application/json")], flushed(lines)).into_response())
}

async fn next_line(
    listener: &mut Listener,
    deadline: Option<tokio::time::Instant>,
) -> Option<Bytes> {
    let event = match deadline {
        None => listener.next().await?,
        // `biased`: what was published before `until` is still told.
        Some(deadline) => tokio::select! {
            biased;
            event = listener.next() => event?,
            () = tokio::time::sleep_until(deadline) => return None,
        },
    };
    let mut line = serde_json::to_vec(&WireEvent::from(&*event)).ok()?;
    line.push(b'\n');
    Some(line.into())
}
