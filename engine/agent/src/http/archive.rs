//! `/containers/{id}/archive`, `changes`, `export`: files in and out, streamed; and our listing of one
//! directory.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, put};
use engine_api::containers::{Directory, ENTRIES_MAX, FileOrder, PATH_STAT_HEADER, PathStat};
use engine_api::operation;
use futures_util::future::join;
use tokio_stream::wrappers::ReceiverStream;

use super::error::{ApiError, Result};
use super::extract::{Values, drain};
use super::routes::{App, Route};
use super::stream::{blocking_reader, flushed};
use crate::services::containers::{Extraction, ListOrder, ListQuery};

pub(super) fn routes() -> Vec<Route> {
    vec![
        (&operation::CONTAINER_PATH_STAT, head(stat)),
        (&operation::CONTAINER_ARCHIVE, get(archive)),
        (&operation::CONTAINER_EXTRACT, put(extract)),
        (&operation::CONTAINER_CHANGES, get(changes)),
        (&operation::CONTAINER_EXPORT, get(export)),
        (&operation::CONTAINER_FILES, get(files)),
    ]
}

async fn stat(State(app): State<App>, Path(id): Path<String>, values: Values) -> Result<Response> {
    let stat = app.containers.path_stat(&id, path(&values)?).await?;
    Ok((StatusCode::OK, stat_header(&stat)?).into_response())
}

async fn archive(
    State(app): State<App>,
    Path(id): Path<String>,
    values: Values,
) -> Result<Response> {
    let (stat, chunks) = app.containers.archive(&id, path(&values)?).await?;
    let mut headers = stat_header(&stat)?;
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-tar"),
    );
    Ok((headers, flushed(ReceiverStream::new(chunks))).into_response())
}

async fn extract(
    State(app): State<App>,
    Path(id): Path<String>,
    values: Values,
    body: Body,
) -> Result<StatusCode> {
    let path = match path(&values) {
        Ok(path) => path.to_owned(),
        Err(error) => {
            drain(body).await;
            return Err(error);
        }
    };
    let extraction = Extraction {
        path,
        keep_kinds: values.truth("noOverwriteDirNonDir"),
        as_user: values.truth("copyUIDGID"),
    };
    let (bring, reader) = blocking_reader(body);
    let (done, ()) = join(app.containers.extract(&id, extraction, reader), bring).await;
    done?;
    Ok(StatusCode::OK)
}

async fn changes(State(app): State<App>, Path(id): Path<String>) -> Result<Response> {
    let changes = app.containers.changes(&id).await?;
    // Docker says null where nothing changed.
    let changes = (!changes.is_empty()).then_some(changes);
    Ok(Json(changes).into_response())
}

async fn files(
    State(app): State<App>,
    Path(id): Path<String>,
    values: Values,
) -> Result<Json<Directory>> {
    let query = list_query(&values)?;
    Ok(Json(
        app.containers.files(&id, path(&values)?, query).await?,
    ))
}

/// Reads what is wanted of a directory.
pub(super) fn list_query(values: &Values) -> Result<ListQuery> {
    let sort = values.text("sort").unwrap_or("name");
    let (word, is_descending) = match sort.strip_prefix('-') {
        Some(word) => (word, true),
        None => (sort, false),
    };
    let order = match FileOrder::of(word) {
        Some(FileOrder::Name) => ListOrder::Name,
        Some(FileOrder::Size) => ListOrder::Size,
        Some(FileOrder::Modified) => ListOrder::Modified,
        None => {
            let message = format!("invalid value {sort:?} of sort: it is name, size or modified");
            return Err(ApiError::bad_request(message));
        }
    };
    Ok(ListQuery {
        filter: values.text("filter").unwrap_or_default().to_owned(),
        order,
        is_descending,
        skip: values.number("skip")?.unwrap_or(0),
        limit: values
            .number("limit")?
            .unwrap_or(ENTRIES_MAX)
            .min(ENTRIES_MAX),
    })
}

async fn export(State(app): State<App>, Path(id): Path<String>) -> Result<Response> {
    let chunks = app.containers.export(&id).await?;
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    Ok((kind, flushed(ReceiverStream::new(chunks))).into_response())
}

pub(super) fn path(values: &Values) -> Result<&str> {
    values
        .text("path")
        .filter(|path| !path.contains('\0'))
        .ok_or_else(|| ApiError::bad_request("bad parameter: path cannot be empty"))
}

pub(super) fn stat_header(stat: &PathStat) -> Result<HeaderMap> {
    let name: HeaderName = PATH_STAT_HEADER
        .parse()
        .map_err(|_| ApiError::bad_request("the path has no header"))?;
    let value = HeaderValue::from_str(&stat.to_header())
        .map_err(|_| ApiError::bad_request("the path does not fit a header"))?;
    Ok(HeaderMap::from_iter([(name, value)]))
}
