//! `/networks`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use engine_api::networks::{
    ConnectBody, CreateNetwork, DisconnectBody, FILTERS, Network, NetworksPruned, PRUNE_FILTERS,
};
use engine_api::operation;

use super::error::Result;
use super::extract::{JsonBytes, Values};
use super::routes::{App, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        (&operation::NETWORK_LIST, get(list)),
        (&operation::NETWORK_CREATE, post(create)),
        (&operation::NETWORK_PRUNE, post(prune)),
        (&operation::NETWORK_INSPECT, get(inspect)),
        (&operation::NETWORK_REMOVE, delete(remove)),
        (&operation::NETWORK_CONNECT, post(connect)),
        (&operation::NETWORK_DISCONNECT, post(disconnect)),
    ]
}

async fn list(State(app): State<App>, values: Values) -> Result<Json<Vec<Network>>> {
    Ok(Json(
        app.containers
            .networks()
            .list(&values.filters(FILTERS)?, app.started_at()),
    ))
}

async fn create(State(app): State<App>, body: JsonBytes) -> Result<Response> {
    let asked: CreateNetwork = body.read()?;
    let created = app.containers.create_network(asked).await?;
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

async fn inspect(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Network>> {
    Ok(Json(
        app.containers.networks().inspect(&id, app.started_at())?,
    ))
}

async fn remove(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode> {
    app.containers.remove_network(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn prune(State(app): State<App>, values: Values) -> Result<Json<NetworksPruned>> {
    let filters = values.filters(PRUNE_FILTERS)?;
    Ok(Json(app.containers.prune_networks(filters).await?))
}

async fn connect(
    State(app): State<App>,
    Path(id): Path<String>,
    body: JsonBytes,
) -> Result<StatusCode> {
    let asked: ConnectBody = body.read()?;
    app.containers.connect(&id, asked).await?;
    Ok(StatusCode::OK)
}

async fn disconnect(
    State(app): State<App>,
    Path(id): Path<String>,
    body: JsonBytes,
) -> Result<StatusCode> {
    let asked: DisconnectBody = body.read()?;
    app.containers.disconnect(&id, &asked).await?;
    Ok(StatusCode::OK)
}
