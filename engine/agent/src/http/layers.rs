//! `/gantry/images/{name}/layers`, `files` and `file`: an image looked through.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use engine_api::containers::ENTRIES_MAX;
use engine_api::layers::{ImageDirectory, ImageLayers};
use engine_api::operation;
use tokio_stream::wrappers::ReceiverStream;

use super::error::{ApiError, Result};
use super::extract::Values;
use super::routes::{App, Route};
use super::stream::flushed;
use crate::services::images::{FileAt, StackQuery};

pub(super) fn routes() -> Vec<Route> {
    vec![
        (&operation::IMAGE_LAYERS, get(layers)),
        (&operation::IMAGE_FILES, get(files)),
        (&operation::IMAGE_FILE, get(file)),
    ]
}

async fn layers(State(app): State<App>, Path(name): Path<String>) -> Result<Json<ImageLayers>> {
    Ok(Json(app.images.layers(&name).await?))
}

async fn files(
    State(app): State<App>,
    Path(name): Path<String>,
    values: Values,
) -> Result<Json<ImageDirectory>> {
    let query = StackQuery {
        filter: values.text("filter").unwrap_or_default().to_owned(),
        only_changes: values.truth("changes"),
        skip: values.number("skip")?.unwrap_or(0),
        limit: values
            .number("limit")?
            .unwrap_or(ENTRIES_MAX)
            .min(ENTRIES_MAX),
    };
    Ok(Json(app.images.files(&name, at(&values)?, query).await?))
}

async fn file(
    State(app): State<App>,
    Path(name): Path<String>,
    values: Values,
) -> Result<Response> {
    let (length, chunks) = app.images.file(&name, at(&values)?).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
    ];
    Ok((headers, flushed(ReceiverStream::new(chunks))).into_response())
}

fn at(values: &Values) -> Result<FileAt> {
    let path = values.text("path").filter(|path| !path.contains('\0'));
    let path = path.ok_or_else(|| ApiError::bad_request("bad parameter: path cannot be empty"))?;
    Ok(FileAt {
        path: path.to_owned(),
        layer: values.number("layer")?,
    })
}
