//! Making room: `/system/df`, and every `/…/prune`.

use axum::Json;
use axum::extract::{Request, State};
use axum::routing::{get, post};
use engine_api::operation;
use engine_api::usage::{DiskUsage, Prunable, Pruned};

use super::error::Result;
use super::extract::{Values, drain};
use super::routes::{App, Route};
use crate::services::system;

/// The keys that `filters` of each prune may hold.
const CONTAINER_FILTERS: &[&str] = &["until", "label", "label!"];
const IMAGE_FILTERS: &[&str] = &["dangling", "until", "label", "label!"];
const VOLUME_FILTERS: &[&str] = &["all", "label", "label!"];
const BUILD_FILTERS: &[&str] = &[
    "description",
    "id",
    "inuse",
    "parent",
    "private",
    "shared",
    "type",
    "unused-for",
    "until",
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        (&operation::DISK_USAGE, get(disk_usage)),
        (&operation::CONTAINER_PRUNE, post(prune_containers)),
        (&operation::IMAGE_PRUNE, post(prune_images)),
        (&operation::IMAGE_PRUNABLE, get(prunable_images)),
        (&operation::NETWORK_PRUNE, post(prune_networks)),
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

/// Both networks are the engine's own: there is none that could go.
async fn prune_networks(values: Values, request: Request) -> Result<Json<Pruned>> {
    drain(request.into_body()).await;
    values.filters(CONTAINER_FILTERS)?;
    Ok(Json(Pruned::networks()))
}

/// The engine keeps no volumes yet.
async fn prune_volumes(values: Values, request: Request) -> Result<Json<Pruned>> {
    drain(request.into_body()).await;
    values.filters(VOLUME_FILTERS)?;
    Ok(Json(Pruned::volumes()))
}

/// The engine builds nothing, and so keeps nothing of builds.
async fn prune_builds(values: Values, request: Request) -> Result<Json<Pruned>> {
    drain(request.into_body()).await;
    values.filters(BUILD_FILTERS)?;
    Ok(Json(Pruned::builds()))
}
