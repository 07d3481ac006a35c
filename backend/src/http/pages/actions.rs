//! What can be done to containers that exist.

use axum::extract::{Query, State};
use axum::response::Response;
use frontend::paths;

use super::frame::{Frame, back_or, said_and_go};
use crate::access::{Permission, Permit, container};
use crate::app::App;
use crate::domain::ContainerPlace;
use crate::http::extract::Fields;
use crate::http::present::containers as present;
use crate::http::{Error, Result};
use crate::services::containers::{self, RemoveOptions};

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Back {
    back: String,
}

pub(super) async fn start(
    permit: Permit<container::Start>,
    State(app): State<App>,
    fields: Fields,
) -> Result<Response> {
    containers::start(&app.services, &permit).await?;
    Ok(done("done-container-started", &permit, &fields))
}

pub(super) async fn stop(
    permit: Permit<container::Stop>,
    State(app): State<App>,
    fields: Fields,
) -> Result<Response> {
    containers::stop(&app.services, &permit).await?;
    Ok(done("done-container-stopped", &permit, &fields))
}

pub(super) async fn restart(
    permit: Permit<container::Restart>,
    State(app): State<App>,
    fields: Fields,
) -> Result<Response> {
    containers::restart(&app.services, &permit).await?;
    Ok(done("done-container-restarted", &permit, &fields))
}

pub(super) async fn pause(
    permit: Permit<container::Pause>,
    State(app): State<App>,
    fields: Fields,
) -> Result<Response> {
    containers::pause(&app.services, &permit).await?;
    Ok(done("done-container-paused", &permit, &fields))
}

pub(super) async fn unpause(
    permit: Permit<container::Pause>,
    State(app): State<App>,
    fields: Fields,
) -> Result<Response> {
    containers::unpause(&app.services, &permit).await?;
    Ok(done("done-container-unpaused", &permit, &fields))
}

pub(super) async fn kill(
    permit: Permit<container::Kill>,
    State(app): State<App>,
    fields: Fields,
) -> Result<Response> {
    let signal = Some(fields.text("signal")).filter(|signal| !signal.is_empty());
    containers::kill(&app.services, &permit, signal.map(str::to_owned)).await?;
    Ok(done("done-container-killed", &permit, &fields))
}

/// A name that breaks a rule is told above the page it came from.
pub(super) async fn rename(
    permit: Permit<container::Rename>,
    view: Permit<container::View>,
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let name = fields.text("name");
    let id = permit.place().id.as_str();
    match containers::rename(&app.services, &permit, name).await {
        Ok(()) => Ok(said_and_go(
            "done-container-renamed",
            name,
            &paths::Container(id),
        )),
        Err(error) => {
            let error = Error::from(error).into_field()?;
            super::containers::refused(&app, &view, &frame, &error).await
        }
    }
}

pub(super) async fn ask_remove(
    permit: Permit<container::Remove>,
    State(app): State<App>,
    Query(asked): Query<Back>,
    frame: Frame,
) -> Result<Response> {
    let id = &permit.place().id;
    let fact = app.services.index().container(id).ok_or(Error::NotFound)?;
    let back = back_or(&asked.back, &paths::Container(id.as_str()));
    Ok(frame.draw(&present::ask_remove(&frame.reader, &[fact], &back)))
}

pub(super) async fn remove(
    permit: Permit<container::Remove>,
    State(app): State<App>,
    fields: Fields,
) -> Result<Response> {
    containers::remove(&app.services, &permit, options(&fields)).await?;
    let name = &permit.place().name;
    Ok(said_and_go(
        "done-container-removed",
        name,
        &paths::Containers,
    ))
}

pub(super) fn options(fields: &Fields) -> RemoveOptions {
    RemoveOptions {
        force: fields.is_set("force"),
        ..RemoveOptions::default()
    }
}

fn done<P>(key: &str, permit: &Permit<P>, fields: &Fields) -> Response
where
    P: Permission<Place = ContainerPlace>,
{
    let place = permit.place();
    let back = fields.text("back");
    if back.is_empty() {
        return said_and_go(key, &place.name, &paths::Container(place.id.as_str()));
    }
    said_and_go(key, &place.name, &back_or(back, &paths::Containers))
}
