//! Networks: the list, the picture, the ports; one of them, who comes and goes, its end.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use frontend::paths;

use super::frame::{Frame, back_or, said_and_go};
use crate::access::{Permit, container, network};
use crate::app::App;
use crate::domain::ContainerId;
use crate::http::extract::Fields;
use crate::http::present::lists::{self, Asked};
use crate::http::present::{network_forms, networks as present, picture, ports, told};
use crate::http::{Error, Result};
use crate::services::networks::{self, Connection};

/// From where on a free port is looked for, when nobody says.
const USUAL_PORT: u16 = 8080;

pub(super) async fn list(
    permit: Permit<network::List>,
    _members: Permit<container::List>,
    State(app): State<App>,
    Query(asked): Query<Asked>,
    frame: Frame,
) -> Response {
    let view = asked.view(paths::Networks.to_string());
    let (found, members) = networks::list(&app.services, &permit, &lists::network_query(&view));
    let mut page = present::index(&frame.reader, &view, &found, &members);
    frame.greet(&mut page.shell);
    frame.draw(&page)
}

pub(super) async fn draw(
    permit: Permit<network::List>,
    _members: Permit<container::List>,
    State(app): State<App>,
    frame: Frame,
) -> Response {
    let (networks, containers) = networks::map(&app.services, &permit);
    frame.draw(&picture::page(&frame.reader, &networks, &containers))
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct From {
    from: String,
}

pub(super) async fn list_ports(
    permit: Permit<network::List>,
    _members: Permit<container::List>,
    State(app): State<App>,
    Query(asked): Query<From>,
    frame: Frame,
) -> Response {
    let from = asked.from.trim().parse().unwrap_or(USUAL_PORT).max(1);
    let (listeners, free) = networks::ports(&app.services, &permit, from);
    frame.draw(&ports::page(&frame.reader, &listeners, from, free))
}

pub(super) async fn form(_permit: Permit<network::Create>, frame: Frame) -> Response {
    let usual = |name: &str| match name {
        "driver" => "bridge",
        "icc" | "masquerade" => "on",
        _ => "",
    };
    frame.draw(&network_forms::create(&frame.reader, &usual, None))
}

pub(super) async fn create(
    permit: Permit<network::Create>,
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let typed = |name: &str| fields.text(name);
    let is_set = |name: &str| fields.is_set(name);
    match networks::create(&app.services, &permit, &typed, &is_set).await {
        Ok(name) => Ok(said_and_go("done-network-created", &name, &paths::Networks)),
        Err(error) => {
            let error = Error::from(error).into_field()?;
            let page = network_forms::create(&frame.reader, &typed, Some(&error));
            Ok(frame.draw_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    container: String,
}

pub(super) async fn show(
    permit: Permit<network::View>,
    _members: Permit<container::List>,
    State(app): State<App>,
    Query(chosen): Query<Chosen>,
    frame: Frame,
) -> Result<Response> {
    let shown = networks::show(&app.services, &permit)?;
    let typed = Connection {
        container: chosen.container,
        ..Connection::default()
    };
    let mut page = present::show(&frame.reader, &shown, &typed, None);
    frame.greet(&mut page.shell);
    Ok(frame.draw(&page))
}

pub(super) async fn connect(
    permit: Permit<network::Connect>,
    view: Permit<network::View>,
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let text = |name| fields.text(name).to_owned();
    let typed = Connection {
        container: text("container"),
        address: text("address"),
        address6: text("address6"),
        aliases: text("aliases"),
    };
    match networks::connect(&app.services, &permit, &typed).await {
        Ok(name) => {
            let to = paths::Network(permit.place().id.as_str());
            Ok(said_and_go("done-network-connected", &name, &to))
        }
        Err(error) => {
            let error = Error::from(error).into_field()?;
            let shown = networks::show(&app.services, &view)?;
            let page = present::show(&frame.reader, &shown, &typed, Some(&error));
            Ok(frame.draw_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

pub(super) async fn disconnect(
    permit: Permit<network::Connect>,
    State(app): State<App>,
    Query(chosen): Query<Chosen>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let container: ContainerId = chosen.container.parse().map_err(|_| Error::NotFound)?;
    let here = paths::Network(permit.place().id.as_str());
    let back = back_or(fields.text("back"), &here);
    match networks::disconnect(&app.services, &permit, &container).await {
        Ok(name) => Ok(said_and_go("done-network-disconnected", &name, &back)),
        Err(
            error @ (crate::services::Error::Conflict { .. }
            | crate::services::Error::Engine { .. }),
        ) => {
            let why = told(frame.reader.words, &error.noted());
            Ok(said_and_go("failed-network-disconnect", &why, &back))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn ask_remove(
    permit: Permit<network::Remove>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let found = app
        .services
        .index()
        .find_network(permit.place().id.as_str());
    let fact = found.ok_or(Error::NotFound)?;
    Ok(frame.draw(&present::ask_remove(&frame.reader, &fact)))
}

pub(super) async fn remove(
    permit: Permit<network::Remove>,
    State(app): State<App>,
) -> Result<Response> {
    networks::remove(&app.services, &permit).await?;
    let name = &permit.place().name;
    Ok(said_and_go("done-network-removed", name, &paths::Networks))
}

pub(super) async fn ask_prune(
    permit: Permit<network::List>,
    State(app): State<App>,
    frame: Frame,
) -> Response {
    let unused = networks::unused(&app.services, &permit);
    frame.draw(&present::prune(&frame.reader, &unused))
}

pub(super) async fn prune(
    permit: Permit<network::Prune>,
    State(app): State<App>,
) -> Result<Response> {
    let names = networks::prune(&app.services, &permit).await?;
    let names = match names.is_empty() {
        true => "0".to_owned(),
        false => names.join(", "),
    };
    Ok(said_and_go(
        "done-networks-pruned",
        &names,
        &paths::Networks,
    ))
}
