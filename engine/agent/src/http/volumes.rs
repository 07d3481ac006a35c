//! `/volumes`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use engine_api::body;
use engine_api::operation;
use engine_api::volumes::{FILTERS, Volume, VolumeCreateBody, VolumeList};

use super::error::{ApiError, Result};
use super::extract::{JsonBytes, Values};
use super::routes::{App, Route};

/// See also `volume_files.rs`.
pub(super) fn routes() -> Vec<Route> {
    vec![
        (&operation::VOLUME_LIST, get(list)),
        (&operation::VOLUME_CREATE, post(create)),
        (&operation::VOLUME_INSPECT, get(inspect)),
        (&operation::VOLUME_REMOVE, delete(remove)),
    ]
}

async fn list(State(app): State<App>, values: Values) -> Result<Json<VolumeList>> {
    Ok(Json(app.volumes.list(&values.filters(FILTERS)?)?))
}

/// An empty body asks for a volume without a name.
async fn create(
    State(app): State<App>,
    JsonBytes(bytes): JsonBytes,
) -> Result<(StatusCode, Json<Volume>)> {
    let asked: VolumeCreateBody = match bytes.is_empty() {
        true => VolumeCreateBody::default(),
        false => body::parse(&bytes).map_err(|error| ApiError::bad_request(error.to_string()))?,
    };
    let volume = app.volumes.create(asked).await?;
    Ok((StatusCode::CREATED, Json(volume)))
}

async fn inspect(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Volume>> {
    Ok(Json(app.volumes.inspect(&name)?))
}

async fn remove(
    State(app): State<App>,
    Path(name): Path<String>,
    values: Values,
) -> Result<StatusCode> {
    app.volumes.remove(&name, values.truth("force")).await?;
    Ok(StatusCode::NO_CONTENT)
}
