//! `/gantry/volumes/{name}/…`: the files of a volume, by themselves.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, post, put};
use engine_api::body;
use engine_api::containers::Directory;
use engine_api::operation;
use engine_api::volumes::{CloneBody, FileChange, Volume};
use futures_util::future::join;
use tokio_stream::wrappers::ReceiverStream;

use super::archive::{list_query, path, stat_header};
use super::error::{ApiError, Result};
use super::extract::{JsonBytes, Values, drain};
use super::routes::{App, Route};
use super::stream::{blocking_reader, flushed};
use crate::services::volumes::{Expected, Extraction};

pub(super) fn routes() -> Vec<Route> {
    vec![
        (&operation::VOLUME_FILES, get(files)),
        (&operation::VOLUME_CHANGE, post(change)),
        (&operation::VOLUME_PATH_STAT, head(stat)),
        (&operation::VOLUME_ARCHIVE, get(archive)),
        (&operation::VOLUME_EXTRACT, put(extract)),
        (&operation::VOLUME_FILE, get(read)),
        (&operation::VOLUME_FILE_PUT, put(write)),
        (&operation::VOLUME_BACKUP, get(backup)),
        (&operation::VOLUME_RESTORE, put(restore)),
        (&operation::VOLUME_CLONE, post(duplicate)),
    ]
}

async fn files(
    State(app): State<App>,
    Path(name): Path<String>,
    values: Values,
) -> Result<Json<Directory>> {
    let query = list_query(&values)?;
    let directory = app.volumes.files(&name, path(&values)?, query).await?;
    Ok(Json(directory))
}

async fn change(
    State(app): State<App>,
    Path(name): Path<String>,
    JsonBytes(bytes): JsonBytes,
) -> Result<StatusCode> {
    let change: FileChange = parse(&bytes)?;
    app.volumes.change_files(&name, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn stat(
    State(app): State<App>,
    Path(name): Path<String>,
    values: Values,
) -> Result<Response> {
    let stat = app.volumes.path_stat(&name, path(&values)?).await?;
    Ok((StatusCode::OK, stat_header(&stat)?).into_response())
}

async fn archive(
    State(app): State<App>,
    Path(name): Path<String>,
    values: Values,
) -> Result<Response> {
    let (stat, chunks) = app.volumes.archive(&name, path(&values)?).await?;
    let kind = [(header::CONTENT_TYPE, "application/x-tar")];
    let body = flushed(ReceiverStream::new(chunks));
    Ok((stat_header(&stat)?, kind, body).into_response())
}

async fn extract(
    State(app): State<App>,
    Path(name): Path<String>,
    values: Values,
    body: Body,
) -> Result<StatusCode> {
    let (path, body) = or_drained(path(&values).map(str::to_owned), body).await?;
    let extraction = Extraction {
        path,
        keep_kinds: values.truth("noOverwriteDirNonDir"),
    };
    let (bring, reader) = blocking_reader(body);
    let (done, ()) = join(app.volumes.extract(&name, extraction, reader), bring).await;
    done?;
    Ok(StatusCode::OK)
}

async fn read(
    State(app): State<App>,
    Path(name): Path<String>,
    values: Values,
) -> Result<Response> {
    let (mark, length, chunks) = app.volumes.read_file(&name, path(&values)?).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::ETAG, format!("\"{mark}\"")),
    ];
    let body = flushed(ReceiverStream::new(chunks));
    Ok((headers, body).into_response())
}

async fn write(
    State(app): State<App>,
    Path(name): Path<String>,
    values: Values,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let asked = path(&values).and_then(|path| Ok((path.to_owned(), expected(&headers)?)));
    let ((path, expected), body) = or_drained(asked, body).await?;
    let (bring, reader) = blocking_reader(body);
    let writing = app.volumes.write_file(&name, &path, expected, reader);
    let (written, ()) = join(writing, bring).await;
    let mark = [(header::ETAG, format!("\"{}\"", written?))];
    Ok((StatusCode::NO_CONTENT, mark).into_response())
}

async fn backup(State(app): State<App>, Path(name): Path<String>) -> Result<Response> {
    let chunks = app.volumes.backup(&name).await?;
    let kind = [(header::CONTENT_TYPE, "application/zstd")];
    Ok((kind, flushed(ReceiverStream::new(chunks))).into_response())
}

async fn restore(
    State(app): State<App>,
    Path(name): Path<String>,
    values: Values,
    body: Body,
) -> Result<StatusCode> {
    let only = values.text("path").map(|_| path(&values)).transpose();
    let (only, body) = or_drained(only.map(|path| path.map(str::to_owned)), body).await?;
    let (bring, reader) = blocking_reader(body);
    let (done, ()) = join(app.volumes.restore(&name, only, reader), bring).await;
    done?;
    Ok(StatusCode::NO_CONTENT)
}

async fn duplicate(
    State(app): State<App>,
    Path(name): Path<String>,
    JsonBytes(bytes): JsonBytes,
) -> Result<(StatusCode, Json<Volume>)> {
    let asked: CloneBody = parse(&bytes)?;
    let made = app.volumes.duplicate(&name, &asked.name).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    body::parse(bytes).map_err(|error| ApiError::bad_request(error.to_string()))
}

/// Reads what a client expects to replace.
fn expected(headers: &HeaderMap) -> Result<Expected> {
    let mark = |value: &HeaderValue| {
        let text = value.to_str().ok()?.strip_prefix('"')?.strip_suffix('"')?;
        Some(Expected::Mark(text.to_owned()))
    };
    match (
        headers.get(header::IF_MATCH),
        headers.get(header::IF_NONE_MATCH),
    ) {
        (None, None) => Some(Expected::Anything),
        (None, Some(value)) if value == "*" => Some(Expected::Nothing),
        (Some(value), None) => mark(value),
        _ => None,
    }
    .ok_or_else(|| {
        ApiError::bad_request("If-Match takes one mark in quotes, If-None-Match takes * alone")
    })
}

/// A client that is still sending would not read a refusal.
async fn or_drained<T>(asked: Result<T>, body: Body) -> Result<(T, Body)> {
    match asked {
        Ok(asked) => Ok((asked, body)),
        Err(error) => {
            drain(body).await;
            Err(error)
        }
    }
}
