//! One's own account, and the people of this server.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use frontend::paths;

use super::frame::{Frame, said_and_go};
use crate::access::{Permit, account, own_session, people};
use crate::app::App;
use crate::domain::{FieldError, Role};
use crate::http::extract::Fields;
use crate::http::present::accounts as present;
use crate::http::{Error, Result};
use crate::services::{accounts, setup};

pub(super) async fn show(
    permit: Permit<account::View>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let mut page = page(&app, &permit, &frame, None).await?;
    frame.greet(&mut page.shell);
    Ok(frame.draw(&page))
}

async fn page(
    app: &App,
    permit: &Permit<account::View>,
    frame: &Frame,
    error: Option<&FieldError>,
) -> Result<frontend::pages::Account> {
    let own = &permit.actor().session;
    let sessions = accounts::own_sessions(&app.services, permit)
        .await?
        .into_iter();
    let sessions = sessions.map(|row| present::Session {
        since: row.created_at,
        seen: row.last_seen_at,
        browser: row.browser,
        address: row.address,
        is_own: row.key == *own,
        key: row.key,
    });
    Ok(present::account(&frame.reader, sessions.collect(), error))
}

pub(super) async fn change_password(
    permit: Permit<account::ChangePassword>,
    view: Permit<account::View>,
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let text = |name| fields.text(name).to_owned();
    let again = fields.text("password_again");
    let changed = accounts::change_password(
        &app.services,
        &permit,
        text("present"),
        text("password"),
        again,
    );
    match changed.await {
        Ok(()) => Ok(said_and_go("done-password-changed", "", &paths::Account)),
        Err(error) => {
            let error = Error::from(error).into_field()?;
            let page = page(&app, &view, &frame, Some(&error)).await?;
            Ok(frame.draw_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

pub(super) async fn change_look(
    permit: Permit<account::ChangeLook>,
    State(app): State<App>,
    fields: Fields,
) -> Result<Response> {
    let language = fields.text("language").parse().ok();
    let theme = fields.text("theme").parse().unwrap_or_default();
    accounts::change_look(&app.services, &permit, language, theme).await?;
    Ok(said_and_go("done-look-saved", "", &paths::Account))
}

pub(super) async fn end_sessions(
    permit: Permit<own_session::End>,
    State(app): State<App>,
    fields: Fields,
) -> Result<Response> {
    let done = match fields.text("session") {
        "" => {
            accounts::end_other_sessions(&app.services, &permit).await?;
            "done-sessions-ended"
        }
        one => {
            let key = one.parse().map_err(|_| Error::NotFound)?;
            accounts::end_session(&app.services, &permit, &key).await?;
            "done-session-ended"
        }
    };
    Ok(said_and_go(done, "", &paths::Account))
}

pub(super) async fn list_people(
    permit: Permit<people::List>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let rows = accounts::list(&app.services, &permit).await?;
    let viewer = Role::Viewer.as_str();
    let mut page = present::people(&frame.reader, &rows, "", viewer, None);
    frame.greet(&mut page.shell);
    Ok(frame.draw(&page))
}

pub(super) async fn ask_remove_person(
    permit: Permit<people::Remove>,
    frame: Frame,
) -> Result<Response> {
    Ok(frame.draw(&present::ask_remove(&frame.reader, permit.place())))
}

pub(super) async fn remove_person(
    permit: Permit<people::Remove>,
    State(app): State<App>,
) -> Result<Response> {
    accounts::remove(&app.services, &permit).await?;
    let name = &permit.place().name;
    Ok(said_and_go("done-person-removed", name, &paths::People))
}

pub(super) async fn add_person(
    permit: Permit<people::Add>,
    list: Permit<people::List>,
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let (name, role) = (fields.text("name"), fields.text("role"));
    let password = fields.text("password").to_owned();
    let error = match setup::chosen(name, password, fields.text("password_again")) {
        Err(error) => error,
        Ok((account, password)) => {
            let chosen = role.parse().unwrap_or(Role::Viewer);
            match accounts::add(&app.services, &permit, account, &password, chosen).await {
                Ok(_) => return Ok(said_and_go("done-person-added", name, &paths::People)),
                Err(error) => error,
            }
        }
    };
    let error = Error::from(error).into_field()?;
    let rows = accounts::list(&app.services, &list).await?;
    let page = present::people(&frame.reader, &rows, name, role, Some(&error));
    Ok(frame.draw_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
}
