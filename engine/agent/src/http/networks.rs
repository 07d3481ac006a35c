//! `/networks`.

use axum::Json;
use axum::extract::{Path, State};
use axum::routing::get;
use engine_api::networks::{FILTERS, Network};
use engine_api::operation;

use super::error::Result;
use super::extract::Values;
use super::routes::{App, Route};
use crate::services::networks;

pub(super) fn routes() -> Vec<Route> {
    vec![
        (&operation::NETWORK_LIST, get(list)),
        (&operation::NETWORK_INSPECT, get(inspect)),
    ]
}

async fn list(State(app): State<App>, values: Values) -> Result<Json<Vec<Network>>> {
    Ok(Json(networks::list(
        &values.filters(FILTERS)?,
        app.started_at(),
    )))
}

async fn inspect(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Network>> {
    Ok(Json(networks::inspect(&id, app.started_at())?))
}
