//! The socket of an open log.

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Query, State};
use axum::response::Response;
use frontend::Words;
use frontend::live::{LogsQuery, ToLogs};

use super::sentence;
use crate::access::{Permit, container};
use crate::app::App;
use crate::http::Result;
use crate::http::extract::Visit;
use crate::http::wire::{self, Gone, Inlet, Outlet};
use crate::services::logs::{self, Item, LogStream, LogsRequest};

/// A page of a log has nothing to say.
const MOST_BYTES: usize = 1 << 10;

pub(super) async fn open(
    permit: Permit<container::Logs>,
    State(app): State<App>,
    visit: Visit,
    Query(query): Query<LogsQuery>,
    upgrade: WebSocketUpgrade,
) -> Result<Response> {
    let fields = [&query.stream, &query.tail, &query.since, &query.until];
    let request = LogsRequest::parse(fields.map(String::as_str), app.services.clock().now())
        .map_err(crate::services::Error::from)?;
    let words = sentence::words(permit.actor(), &visit);
    Ok(wire::accept(
        upgrade,
        MOST_BYTES,
        async move |outlet, inlet| {
            serve(&app, &permit, &request, words, outlet, inlet).await;
        },
    ))
}

async fn serve(
    app: &App,
    permit: &Permit<container::Logs>,
    request: &LogsRequest,
    words: Words,
    mut outlet: Outlet,
    mut inlet: Inlet,
) {
    let work = async {
        let stream = logs::follow(&app.services, permit, request).await;
        match stream {
            Ok(stream) => send(stream, words, &mut outlet).await,
            Err(error) => outlet.json(&failed(words, error)).await,
        }
    };
    let cut = tokio::select! {
        _ = work => None,
        cut = wire::cut(app, permit.revoked(), inlet.gone()) => Some(cut),
    };
    outlet.close(cut).await;
}

async fn send(mut stream: LogStream, words: Words, outlet: &mut Outlet) -> Result<(), Gone> {
    loop {
        let message = match outlet.wait(stream.next()).await? {
            Ok(Some(item)) => message(item),
            Ok(None) => return outlet.json(&ToLogs::End).await,
            Err(error) => return outlet.json(&failed(words, error)).await,
        };
        outlet.json(&message).await?;
    }
}

fn message(item: Item) -> ToLogs {
    let lines = match item {
        Item::Lines(lines) => lines,
        Item::Skipped(count) => return ToLogs::Skipped { count },
    };
    let lines = lines.into_iter().map(|line| {
        let stream = if line.is_error { 2 } else { 1 };
        (stream, line.nano.to_string(), line.text)
    });
    ToLogs::Lines {
        lines: lines.collect(),
    }
}

fn failed(words: Words, error: crate::services::Error) -> ToLogs {
    ToLogs::Failed {
        message: sentence::of(words, error),
    }
}
