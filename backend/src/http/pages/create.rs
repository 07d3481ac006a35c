//! The create form: shown, filled from a pasted line, taken.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use frontend::pages::ContainerInput;
use frontend::paths;
use frontend::ui::{Notice, Tone};

use super::frame::{Frame, said_and_go};
use crate::access::{Permit, container, image};
use crate::app::App;
use crate::http::extract::Fields;
use crate::http::present::{drafts as present, lists, told};
use crate::http::{Error, Result};
use crate::services::containers;
use crate::services::drafts::{self, PasteError};

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    image: String,
}

/// Whoever may look at the images sees the form; its button says why it is locked.
pub(super) async fn form(
    _: Permit<image::List>,
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    frame: Frame,
) -> Response {
    let input = ContainerInput::fresh(&wanted.image);
    frame.draw(&present::page(&frame.reader, &input, &[], images(&app)))
}

pub(super) async fn paste(
    _: Permit<container::Create>,
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Response {
    let line = fields.text("line");
    let words = frame.reader.words;
    let pasted = drafts::paste(line);
    let input = match &pasted {
        Ok(pasted) => present::from_pasted(pasted),
        Err(_) => ContainerInput::fresh(""),
    };
    let mut page = present::page(&frame.reader, &input, &[], images(&app));
    line.clone_into(&mut page.paste.value);
    match pasted {
        Ok(pasted) if pasted.unsupported.is_empty() => {
            page.notices.push(Notice::done(words.t("paste-filled")));
        }
        Ok(pasted) => page.notices.push(Notice {
            tone: Tone::Warn,
            text: words.named("paste-unsupported", &pasted.unsupported.join(", ")),
            link: None,
        }),
        Err(error) => {
            page.paste.error = Some(words.t(match error {
                PasteError::NotACommandLine => "paste-not-a-command",
                PasteError::NotDockerRun => "paste-not-docker-run",
                PasteError::NoImage => "paste-no-image",
            }));
        }
    }
    frame.draw(&page)
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Way {
    r#as: String,
}

/// The equivalent command or calls, for a script that keeps them in step.
pub(super) async fn command(
    _: Permit<container::Create>,
    Query(way): Query<Way>,
    frame: Frame,
    fields: Fields,
) -> String {
    let typed = present::typed(&fields);
    match way.r#as.as_str() {
        "call" => present::call(&frame.reader, &typed, fields.is_set("start")),
        _ => drafts::equivalent(&typed),
    }
}

pub(super) async fn create(
    permit: Permit<container::Create>,
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let again = |errors: &[crate::domain::FieldError]| {
        let input = present::input(&fields);
        let page = present::page(&frame.reader, &input, errors, images(&app));
        frame.draw_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    let draft = match drafts::check(&present::typed(&fields)) {
        Ok(draft) => draft,
        Err(errors) => return Ok(again(&errors)),
    };
    let name = draft.name().map(str::to_owned);
    let and_start = fields.is_set("start");
    match containers::create(&app.services, &permit, name, draft.body(), and_start).await {
        Ok(created) => {
            let id = &created.id;
            let page = paths::Container(id.as_str());
            let name = draft.name().unwrap_or_else(|| id.short());
            Ok(match created.not_started {
                None => said_and_go("done-container-created", name, &page),
                Some(error) => {
                    let why = told(frame.reader.words, &error.noted());
                    said_and_go("failed-container-start", &why, &page)
                }
            })
        }
        Err(error) => Ok(again(&[Error::from(error).into_field()?])),
    }
}

fn images(app: &App) -> Vec<String> {
    let images = app.services.index().images(&lists::suggested_images()).rows;
    images.iter().flat_map(|image| image.tags.clone()).collect()
}
