//! Registries: the list and its form, one of them and what it has, its test, its end.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use frontend::paths;

use super::frame::{Frame, said_and_go};
use crate::access::{Permit, registry};
use crate::app::App;
use crate::domain::FieldError;
use crate::http::extract::Fields;
use crate::http::present::registries::{self as present, Typed};
use crate::http::present::told;
use crate::http::{Error, Result};
use crate::services::registries::{self, Draft};
use crate::services::{self};

pub(super) async fn list(
    permit: Permit<registry::List>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let rows = registries::list(&app.services, &permit).await?;
    let mut page = present::index(&frame.reader, &rows, &Typed::default(), None);
    frame.greet(&mut page.shell);
    Ok(frame.draw(&page))
}

pub(super) async fn add(
    permit: Permit<registry::Add>,
    list: Permit<registry::List>,
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let added = match draft(&fields) {
        Ok(draft) => registries::add(&app.services, &permit, draft).await,
        Err(error) => Err(error.into()),
    };
    match added {
        Ok(added) => {
            let name = added.name.as_str();
            Ok(said_and_go("done-registry-added", name, &paths::Registries))
        }
        Err(error) => {
            let error = Error::from(error).into_field()?;
            let rows = registries::list(&app.services, &list).await?;
            let page = present::index(&frame.reader, &rows, &typed(&fields), Some(&error));
            Ok(frame.draw_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

fn draft(fields: &Fields) -> Result<Draft, FieldError> {
    let text = |name| fields.text(name);
    let secret = text("secret").to_owned().into();
    let [name, address, user] = ["name", "address", "user"].map(text);
    Draft::typed(name, address, user, text("authority"), secret)
}

fn typed(fields: &Fields) -> Typed {
    let text = |name| fields.text(name).to_owned();
    Typed {
        name: text("name"),
        address: text("address"),
        user: text("user"),
        authority: text("authority"),
    }
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    filter: String,
    repository: String,
}

pub(super) async fn show(
    permit: Permit<registry::View>,
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    frame: Frame,
) -> Result<Response> {
    let (registry, found) =
        registries::repositories(&app.services, &permit, &wanted.filter).await?;
    let found = or_reason(found)?;
    let mut page = present::show(&frame.reader, &registry, &wanted.filter, found);
    frame.greet(&mut page.shell);
    Ok(frame.draw(&page))
}

pub(super) async fn tags(
    permit: Permit<registry::View>,
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    frame: Frame,
) -> Result<Response> {
    let repository = wanted.repository.trim();
    let (registry, found) = registries::tags(&app.services, &permit, repository).await?;
    let found = or_reason(found)?;
    Ok(frame.draw(&present::tags(&frame.reader, &registry, repository, found)))
}

/// What the registry says against it stands on the page; what fails here is a failure.
fn or_reason<T>(found: services::Result<T>) -> Result<Result<T, services::Error>> {
    use services::Error as E;
    match found {
        Err(error @ (E::Engine { .. } | E::Invalid(_))) => Ok(Err(error)),
        Err(error) => Err(error.into()),
        Ok(found) => Ok(Ok(found)),
    }
}

pub(super) async fn form(
    permit: Permit<registry::Edit>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let found = app.services.find_registry(&permit.place().id).await?;
    let found = found.ok_or(Error::NotFound)?;
    let page = present::edit(&frame.reader, permit.place(), &Typed::of(&found), None);
    Ok(frame.draw(&page))
}

pub(super) async fn edit(
    permit: Permit<registry::Edit>,
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let changed = match draft(&fields) {
        Ok(draft) => registries::edit(&app.services, &permit, draft).await,
        Err(error) => Err(error.into()),
    };
    match changed {
        Ok(()) => {
            let name = fields.text("name");
            Ok(said_and_go("done-registry-saved", name, &paths::Registries))
        }
        Err(error) => {
            let error = Error::from(error).into_field()?;
            let typed = typed(&fields);
            let page = present::edit(&frame.reader, permit.place(), &typed, Some(&error));
            Ok(frame.draw_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

pub(super) async fn test(
    permit: Permit<registry::Test>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let name = &permit.place().name;
    let tested = registries::test(&app.services, &permit).await;
    match or_reason(tested)? {
        Ok(()) => Ok(said_and_go(
            "done-registry-tested",
            name,
            &paths::Registries,
        )),
        Err(error) => {
            let why = format!("{name}: {}", told(frame.reader.words, &error.noted()));
            Ok(said_and_go(
                "failed-registry-test",
                &why,
                &paths::Registries,
            ))
        }
    }
}

pub(super) async fn ask_remove(permit: Permit<registry::Remove>, frame: Frame) -> Result<Response> {
    Ok(frame.draw(&present::ask_remove(&frame.reader, permit.place())))
}

pub(super) async fn remove(
    permit: Permit<registry::Remove>,
    State(app): State<App>,
) -> Result<Response> {
    registries::remove(&app.services, &permit).await?;
    let name = &permit.place().name;
    Ok(said_and_go(
        "done-registry-removed",
        name,
        &paths::Registries,
    ))
}
