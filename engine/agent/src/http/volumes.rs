//! `/volumes`: an empty list, since the engine keeps no volumes yet.

use axum::Json;
use axum::routing::get;
use engine_api::operation;
use engine_api::volumes::{FILTERS, VolumeList};

use super::error::Result;
use super::extract::Values;
use super::routes::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![(&operation::VOLUME_LIST, get(list))]
}

async fn list(values: Values) -> Result<Json<VolumeList>> {
    values.filters(FILTERS)?;
    Ok(Json(VolumeList::default()))
}
