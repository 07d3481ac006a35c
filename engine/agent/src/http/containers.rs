//! `/containers`: life and description. Streams have files of their own.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use engine_api::containers::{Container, ContainerSummary, FILTERS, Top, UpdateAnswer};
use engine_api::operation;

use super::asker::Asker;
use super::error::{ApiError, Result};
use super::extract::{JsonBytes, Values};
use super::routes::{App, Route};
use crate::services::containers::{ListOptions, Stop, TerminalSize};

pub(super) fn routes() -> Vec<Route> {
    vec![
        (&operation::CONTAINER_LIST, get(list)),
        (&operation::CONTAINER_CREATE, post(create)),
        (&operation::CONTAINER_INSPECT, get(inspect)),
        (&operation::CONTAINER_START, post(start)),
        (&operation::CONTAINER_STOP, post(stop)),
        (&operation::CONTAINER_RESTART, post(restart)),
        (&operation::CONTAINER_KILL, post(kill)),
        (&operation::CONTAINER_PAUSE, post(pause)),
        (&operation::CONTAINER_UNPAUSE, post(unpause)),
        (&operation::CONTAINER_UPDATE, post(update)),
        (&operation::CONTAINER_REMOVE, delete(remove)),
        (&operation::CONTAINER_RENAME, post(rename)),
        (&operation::CONTAINER_RESIZE, post(resize)),
        (&operation::CONTAINER_TOP, get(top)),
    ]
}

async fn list(State(app): State<App>, values: Values) -> Result<Json<Vec<ContainerSummary>>> {
    let limit = values
        .number::<i64>("limit")?
        .and_then(|n| usize::try_from(n).ok());
    let options = ListOptions {
        all: values.truth("all"),
        limit: limit.filter(|n| *n > 0),
        with_size: values.truth("size"),
        filters: values.filters(FILTERS)?,
    };
    Ok(Json(app.containers.list(&options).await?))
}

async fn create(State(app): State<App>, values: Values, body: JsonBytes) -> Result<Response> {
    let created = app.containers.create(values.text("name"), &body.0).await?;
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

async fn inspect(
    State(app): State<App>,
    Path(id): Path<String>,
    values: Values,
) -> Result<Json<Container>> {
    Ok(Json(
        app.containers.inspect(&id, values.truth("size")).await?,
    ))
}

async fn start(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode> {
    app.containers.start(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn stop(
    State(app): State<App>,
    Path(id): Path<String>,
    values: Values,
    asker: Asker,
) -> Result<StatusCode> {
    app.containers
        .stop(&id, how_to_stop(&values, asker)?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn restart(
    State(app): State<App>,
    Path(id): Path<String>,
    values: Values,
    asker: Asker,
) -> Result<StatusCode> {
    app.containers
        .restart(&id, how_to_stop(&values, asker)?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn kill(
    State(app): State<App>,
    Path(id): Path<String>,
    values: Values,
    Asker(who): Asker,
) -> Result<StatusCode> {
    app.containers
        .kill(&id, values.text("signal"), &who)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn pause(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode> {
    app.containers.pause(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn unpause(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode> {
    app.containers.unpause(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn update(
    State(app): State<App>,
    Path(id): Path<String>,
    body: JsonBytes,
) -> Result<Json<UpdateAnswer>> {
    Ok(Json(app.containers.update(&id, &body.0).await?))
}

async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
    values: Values,
    Asker(who): Asker,
) -> Result<StatusCode> {
    if values.truth("link") {
        return Err(ApiError::bad_request(
            "link is not supported yet: there are no links",
        ));
    }
    app.containers
        .remove(&id, values.truth("force"), values.truth("v"), &who)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn rename(
    State(app): State<App>,
    Path(id): Path<String>,
    values: Values,
) -> Result<StatusCode> {
    let name = values.text("name").unwrap_or_default();
    app.containers.rename(&id, name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn resize(
    State(app): State<App>,
    Path(id): Path<String>,
    values: Values,
) -> Result<StatusCode> {
    let (container, size) = (app.containers.find(&id)?, size(&values)?);
    container.resize(size).await?;
    let said = [
        ("height", size.rows.to_string()),
        ("width", size.columns.to_string()),
    ];
    app.containers.tell(&container, "resize", said);
    Ok(StatusCode::OK)
}

async fn top(State(app): State<App>, Path(id): Path<String>, values: Values) -> Result<Json<Top>> {
    Ok(Json(app.containers.top(&id, values.text("ps_args")).await?))
}

/// Reads `h` and `w`; both must be there and not zero.
pub(super) fn size(values: &Values) -> Result<TerminalSize> {
    let rows = values.number::<u16>("h")?.unwrap_or(0);
    let columns = values.number::<u16>("w")?.unwrap_or(0);
    crate::services::containers::size([rows, columns])
        .ok_or_else(|| ApiError::bad_request("h and w must be numbers above 0"))
}

fn how_to_stop(values: &Values, Asker(who): Asker) -> Result<Stop> {
    Ok(Stop {
        who,
        timeout_s: values.number("t")?,
        signal: values.text("signal").map(ToOwned::to_owned),
    })
}
