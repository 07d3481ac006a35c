//! `/images`: lists and details, the ways in: pull, import, load; and the way out: push.

use std::pin::Pin;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use bytes::Bytes;
use engine_api::images::{FILTERS, HistoryItem, Image, ImagePlatform, ImageSummary, RemovedItem};
use engine_api::operation;
use futures_util::future::join;
use futures_util::{Stream, stream};

use super::credentials::auth;
use super::error::{ApiError, Result};
use super::extract::Values;
use super::routes::{App, Route};
use super::stream::{blocking_reader, flushed};
use crate::services::error::{ServiceError, chain};
use crate::services::images::{Board, Import, Wanted};

pub(super) fn routes() -> Vec<Route> {
    vec![
        (&operation::IMAGE_LIST, get(list)),
        (&operation::IMAGE_CREATE, post(create)),
        (&operation::IMAGE_LOAD, post(load)),
        (&operation::IMAGE_INSPECT, get(inspect)),
        (&operation::IMAGE_HISTORY, get(history)),
        (&operation::IMAGE_PUSH, post(push)),
        (&operation::IMAGE_TAG, post(tag)),
        (&operation::IMAGE_REMOVE, delete(remove)),
    ]
}

async fn list(State(app): State<App>, values: Values) -> Result<Json<Vec<ImageSummary>>> {
    let filters = values.filters(FILTERS)?;
    Ok(Json(
        app.images.list(&filters, values.truth("shared-size"))?,
    ))
}

async fn inspect(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Image>> {
    Ok(Json(app.images.inspect(&name)?))
}

async fn history(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<Vec<HistoryItem>>> {
    Ok(Json(app.images.history(&name)?))
}

async fn tag(
    State(app): State<App>,
    Path(name): Path<String>,
    values: Values,
) -> Result<StatusCode> {
    let Some(repo) = values.text("repo") else {
        return Err(ApiError::bad_request(
            "repo is needed: the name that the image is to have",
        ));
    };
    app.images.tag(&name, repo, values.text("tag")).await?;
    Ok(StatusCode::CREATED)
}

async fn remove(
    State(app): State<App>,
    Path(name): Path<String>,
    values: Values,
) -> Result<Json<Vec<RemovedItem>>> {
    let uses = app.containers.image_uses();
    Ok(Json(
        app.images
            .remove(&name, values.truth("force"), &uses)
            .await?,
    ))
}

/// Pulls an image, or imports one from the body or from an address.
async fn create(
    State(app): State<App>,
    values: Values,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    match (values.text("fromImage"), values.text("fromSrc")) {
        (Some(name), _) => {
            let auth = auth(&headers)?;
            let wanted = Wanted::parse(name, values.text("tag"), values.text("platform"), auth)?;
            pull(app, wanted).await
        }
        (None, Some("-")) => import(app, values, body).await,
        (None, Some(address)) => {
            let archive = app.images.fetch_archive(address).await?;
            import(app, values, Body::from_stream(archive)).await
        }
        (None, None) => Err(ApiError::bad_request("fromImage or fromSrc is needed")),
    }
}

async fn pull(app: App, wanted: Wanted) -> Result<Response> {
    // What is known before the first line is an ordinary error.
    let pull = app.images.find_remote(wanted).await?;
    let board = pull.board();
    let work = async move { app.images.pull(pull).await };
    Ok(lines(flushed(told(board, Box::pin(work)))))
}

async fn push(
    State(app): State<App>,
    Path(name): Path<String>,
    values: Values,
    headers: HeaderMap,
) -> Result<Response> {
    let platform = values.text("platform").map(platform).transpose()?;
    let auth = auth(&headers)?;
    let wanted = Wanted::parse(&name, values.text("tag"), platform.as_deref(), auth)?;
    let push = app.images.find_for_push(wanted)?;
    let board = push.board();
    let work = async move { app.images.push(push).await };
    Ok(lines(flushed(told(board, Box::pin(work)))))
}

/// Reads a platform as clients send it with a push: JSON, unlike everywhere else.
fn platform(text: &str) -> Result<String> {
    let Ok(platform) = serde_json::from_str::<ImagePlatform>(text) else {
        return Err(ApiError::bad_request(format!(
            "the platform {text:?} is malformed: {{\"os\":\"linux\",\"architecture\":\"amd64\"}} is one"
        )));
    };
    let parts = [platform.os, platform.architecture, platform.variant];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    Ok(parts.collect::<Vec<_>>().join("/"))
}

async fn import(app: App, values: Values, body: Body) -> Result<Response> {
    let import = Import {
        repo: values.text("repo").map(str::to_owned),
        tag: values.text("tag").map(str::to_owned),
        message: values.text("message").map(str::to_owned),
        changes: values.all("changes"),
        platform: values.text("platform").map(str::to_owned),
        is_sent: values.text("fromSrc") == Some("-"),
    };
    let board = Board::default();
    let (bring, reader) = blocking_reader(body);
    let (imported, ()) = join(app.images.import(reader, import, &board), bring).await;
    imported?;
    Ok(lines(Body::from(written(&board))))
}

async fn load(State(app): State<App>, values: Values, body: Body) -> Result<Response> {
    let board = Board::default();
    let (bring, reader) = blocking_reader(body);
    let load = app.images.load(reader, values.text("platform"), &board);
    let (loaded, ()) = join(load, bring).await;
    loaded?;
    Ok(lines(Body::from(written(&board))))
}

/// Lines as they come while the work goes on; a failure is the last one. Dropping it stops the
/// work.
fn told(
    board: Arc<Board>,
    work: Pin<Box<dyn Future<Output = std::result::Result<(), ServiceError>> + Send>>,
) -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::unfold((board, Some(work)), |(board, work)| async move {
        let mut work = work?;
        tokio::select! {
            biased;
            done = &mut work => {
                if let Err(error) = done {
                    let message = chain(&error);
                    tracing::warn!(message, "an image was not transferred");
                    board.failure(message);
                }
                Some((Ok(written(&board)), (board, None)))
            }
            () = board.changed() => Some((Ok(written(&board)), (board, Some(work)))),
        }
    })
}

fn written(board: &Board) -> Bytes {
    let mut text = Vec::new();
    for line in board.take() {
        // A line of plain texts and numbers always has a JSON form.
        text.extend(serde_json::to_vec(&line).unwrap_or_default());
        text.extend_from_slice(b"\r\n");
    }
    text.into()
}

fn lines(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
