//! Making room: `/system/df`, and every `/…/prune`.

use axum::Json;
use axum::extract::{Request, State};
use axum::routing::{get, post};
use engine_api::builds::PRUNE_FILTERS;
use engine_api::operation;
use engine_api::usage::{DiskUsage, Prunable, Pruned};
use engine_api::version::ApiVersion;
use engine_api::volumes::PRUNE_FILTERS as VOLUME_FILTERS;

use super::error::{ApiError, Result};
use super::extract::{Spoken, Values, drain};
use super::routes::{App, Route};
use crate::services::system;

/// The keys that `filters` of each prune may hold.
const CONTAINER_FILTERS: &[&str] = &["until", "label", "label!"];
const IMAGE_FILTERS: &[&str] = &["dangling", "until", "label", "label!"];

pub(super) fn routes() -> Vec<Route> {
    vec![
        (&operation::DISK_USAGE, get(disk_usage)),
        (&operation::CONTAINER_PRUNE, post(prune_containers)),
        (&operation::IMAGE_PRUNE, post(prune_images)),
        (&operation::IMAGE_PRUNABLE, get(prunable_images)),
        (&operation::VOLUME_PRUNE, post(prune_volumes)),
        (&operation::BUILD_PRUNE, post(prune_builds)),
    ]
}

async fn disk_usage(State(app): State<App>, values: Values) -> Result<Json<DiskUsage>> {
    Ok(Json(system::disk_usage(&app, &values.all("type")).await?))
}

async fn prune_containers(
    State(app): State<App>,
    values: Values,
    request: Request,
) -> Result<Json<Pruned>> {
    drain(request.into_body()).await;
    let filters = values.filters(CONTAINER_FILTERS)?;
    let (removed, bytes) = app.containers.prune(&filters).await?;
    Ok(Json(Pruned::containers(removed, bytes)))
}

async fn prune_images(
    State(app): State<App>,
    values: Values,
    request: Request,
) -> Result<Json<Pruned>> {
    drain(request.into_body()).await;
    let filters = values.filters(IMAGE_FILTERS)?;
    let uses = || app.containers.image_uses();
    let (removed, bytes) = app.images.prune(&filters, uses).await?;
    Ok(Json(Pruned::images(removed, bytes)))
}

/// Our own: what the prune with these filters would take.
async fn prunable_images(State(app): State<App>, values: Values) -> Result<Json<Prunable>> {
    let filters = values.filters(IMAGE_FILTERS)?;
    let uses = app.containers.image_uses();
    Ok(Json(app.images.prunable(&filters, &uses)?))
}

/// Before 1.42 it took the volumes with names too.
async fn prune_volumes(
    State(app): State<App>,
    values: Values,
    Spoken(version): Spoken,
    request: Request,
) -> Result<Json<Pruned>> {
    drain(request.into_body()).await;
    let filters = values.filters(VOLUME_FILTERS)?;
    let takes_all = version < ApiVersion::v1(42);
    let (removed, bytes) = app.volumes.prune(&filters, takes_all).await?;
    Ok(Json(Pruned::volumes(removed, bytes)))
}

/// Everything that is kept goes, with `all` or without: all of it can be made again.
async fn prune_builds(
    State(app): State<App>,
    values: Values,
    request: Request,
) -> Result<Json<Pruned>> {
    drain(request.into_body()).await;
    for name in [
        "keep-storage",
        "reserved-space",
        "max-used-space",
        "min-free-space",
    ] {
        if values.text(name).is_some_and(|text| text != "0") {
            let message = format!("{name} is not supported: use the filter until");
            return Err(ApiError::bad_request(message));
        }
    }
    let filters = values.filters(PRUNE_FILTERS)?;
    let (ids, bytes) = app.builds.prune(&filters).await?;
    Ok(Json(Pruned::builds(ids, bytes)))
}
