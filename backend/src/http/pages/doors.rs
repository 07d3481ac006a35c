//! Set-up, log in, log out.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use frontend::paths;
use frontend::ui::{Notice, Tone};
use tower_sessions::Session;

use super::frame::{Frame, back_or, go};
use crate::access::{Actor, Permit, own_session, session};
use crate::app::App;
use crate::domain::Account;
use crate::http::as_is;
use crate::http::extract::{Anyone, Fields};
use crate::http::present::accounts as present;
use crate::http::{Error, Result};
use crate::services::{self, accounts, setup};

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Next {
    next: String,
}

pub(super) async fn login_form(
    _: Anyone,
    actor: Option<Actor>,
    State(app): State<App>,
    Query(asked): Query<Next>,
    frame: Frame,
) -> Result<Response> {
    if actor.is_some() {
        return Ok(go(&back_or(&asked.next, &paths::Overview)));
    }
    let mut page = present::login(&frame.reader, "", &asked.next, None);
    if setup::is_needed(&app.services).await? {
        page.notice = Some(Notice {
            tone: Tone::Idle,
            text: frame.reader.words.t("login-setup-needed"),
            link: None,
        });
    }
    Ok(frame.draw(&page))
}

pub(super) async fn login(
    _: Anyone,
    State(app): State<App>,
    session: Session,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let (name, next) = (fields.text("name"), fields.text("next"));
    let password = fields.text("password").to_owned();
    match accounts::login(&app.services, name, password, frame.from()).await {
        Ok(account) => {
            begin(&session, &account, &frame).await?;
            Ok(go(&back_or(next, &paths::Overview)))
        }
        Err(error) => {
            let error = Error::from(error).into_field()?;
            let status = match error.rule {
                crate::domain::Rule::TooManyTries { .. } => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            let page = present::login(&frame.reader, name, next, Some(&error));
            let mut response = frame.draw_as(status, &page);
            if let crate::domain::Rule::TooManyTries { seconds } = error.rule {
                let headers = response.headers_mut();
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            Ok(response)
        }
    }
}

pub(super) async fn logout(
    permit: Permit<own_session::End>,
    State(app): State<App>,
    session: Session,
) -> Result<Response> {
    session::end(&session)
        .await
        .map_err(services::Error::from)?;
    accounts::logout(&app.services, &permit).await;
    Ok(go(&paths::Login))
}

pub(super) async fn setup_form(
    _: Anyone,
    State(app): State<App>,
    Path(token): Path<String>,
    frame: Frame,
) -> Result<Response> {
    if !setup::is_token(&app.services, &token).await? {
        return Ok(used_up(&frame));
    }
    let page = present::setup(&frame.reader, &token, "", None);
    Ok(as_is(frame.draw(&page)))
}

pub(super) async fn setup(
    _: Anyone,
    State(app): State<App>,
    Path(token): Path<String>,
    session: Session,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let name = fields.text("name");
    let password = fields.text("password").to_owned();
    let chosen = setup::chosen(name, password, fields.text("password_again"));
    let made = match chosen {
        Ok((name, password)) => {
            setup::first_owner(&app.services, &token, name, &password, frame.from()).await
        }
        Err(error) => Err(error),
    };
    match made {
        Ok(account) => {
            begin(&session, &account, &frame).await?;
            Ok(go(&paths::Overview))
        }
        Err(services::Error::NotFound { .. }) => Ok(used_up(&frame)),
        Err(error) => {
            let error = Error::from(error).into_field()?;
            let page = present::setup(&frame.reader, &token, name, Some(&error));
            Ok(as_is(
                frame.draw_as(StatusCode::UNPROCESSABLE_ENTITY, &page),
            ))
        }
    }
}

async fn begin(session: &Session, account: &Account, frame: &Frame) -> Result<()> {
    let visit = &frame.visit;
    let begun = session::begin(session, account, visit.address, &visit.browser).await;
    Ok(begun.map_err(services::Error::from)?)
}

fn used_up(frame: &Frame) -> Response {
    let problem = crate::http::Problem {
        status: StatusCode::NOT_FOUND,
        key: "problem-setup-used",
        message: String::new(),
        refused: None,
    };
    frame.problem(&problem)
}
