//! Logs: a container's tab, several as one page, one as a file.

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use frontend::live::LogsQuery;

use super::containers::fact;
use super::frame::Frame;
use crate::access::{Permit, container};
use crate::app::App;
use crate::http::extract::Permits;
use crate::http::present::logs as present;
use crate::http::{Result, as_is};
use crate::services;
use crate::services::logs::{self, LogsRequest};

pub(super) async fn show(
    permit: Permit<container::Logs>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let fact = fact(&app, &permit)?;
    let lines = logs::last_lines(&app.services, &permit, 100, logs::PAGE_PATIENCE).await;
    let page = present::one(&frame.reader, &fact, &lines);
    Ok(as_is(frame.draw(&page)))
}

pub(super) async fn merged(
    Permits(permits): Permits<container::Logs>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let facts: Vec<_> = permits
        .iter()
        .filter_map(|permit| fact(&app, permit).ok())
        .collect();
    let all = app.services.index().containers(&Default::default()).rows;
    Ok(frame.draw(&present::merged(&frame.reader, &facts, &all)))
}

/// The log as a file: what the query asks for, each line with its time.
pub(super) async fn download(
    permit: Permit<container::DownloadLogs>,
    State(app): State<App>,
    Query(asked): Query<LogsQuery>,
) -> Result<Response> {
    let texts = [&asked.stream, &asked.tail, &asked.since, &asked.until].map(String::as_str);
    let now = app.services.clock().now();
    let mut request = LogsRequest::parse(texts, now).map_err(services::Error::Invalid)?;
    if asked.tail.is_empty() {
        request.tail = None;
    }
    let text = logs::download(&app.services, &permit, &request).await?;
    let name = format!("attachment; filename=\"{}.log\"", permit.place().name);
    let mut response = Body::from_stream(text).into_response();
    let headers = response.headers_mut();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, plain);
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
