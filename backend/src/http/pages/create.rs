//! The create form: shown, filled from a pasted line, taken.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use frontend::pages::ContainerInput;
use frontend::paths;
use frontend::ui::Notice;

use super::frame::{Frame, said_and_go};
use crate::access::{Actor, Permit, container, image, policy};
use crate::app::App;
use crate::http::extract::Fields;
use crate::http::present::{drafts as present, lists, told};
use crate::http::{Error, Result};
use crate::services::containers::{self, Created};
use crate::services::drafts::{self, PasteError, Stored};
use crate::services::edits;

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
    let form = present::Form::new(images(&app));
    frame.draw(&form.page(&frame.reader, &input, &[]))
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
    let form = present::Form::new(images(&app));
    let mut page = form.page(&frame.reader, &input, &[]);
    let Some(paste) = &mut page.paste else {
        return frame.draw(&page);
    };
    line.clone_into(&mut paste.value);
    match pasted {
        Ok(pasted) if pasted.unsupported.is_empty() => {
            page.notices.push(Notice::done(words.t("paste-filled")));
        }
        Ok(pasted) => {
            let flags = pasted.unsupported.join(", ");
            let notice = words.named("paste-unsupported", &flags);
            page.notices.push(Notice::warned(notice));
        }
        Err(error) => {
            paste.error = Some(words.t(match error {
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
        "call" => present::call(&frame.reader, &typed),
        _ => drafts::equivalent(&typed),
    }
}

pub(super) async fn create(
    permit: Permit<container::Create>,
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let stored = original(&app, permit.actor(), fields.text("from")).await?;
    let again = |errors: &[crate::domain::FieldError]| {
        let input = present::input(&fields);
        let form = present::Form::new(images(&app)).of_copy(fields.text("from"), &stored);
        let page = form.page(&frame.reader, &input, errors);
        frame.draw_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    let draft = match drafts::check(&present::typed(&fields), &stored) {
        Ok(draft) => draft,
        Err(errors) => return Ok(again(&errors)),
    };
    let name = draft.name().map(str::to_owned);
    let and_start = fields.is_set("start");
    match containers::create(&app.services, &permit, name, draft.body(), and_start).await {
        Ok(created) => {
            let name = draft.name().unwrap_or_else(|| created.id.short());
            Ok(created_and_go(&frame, name, &created))
        }
        Err(error) => Ok(again(&[Error::from(error).into_field()?])),
    }
}

/// What the engine warned of is said with what was done.
fn created_and_go(frame: &Frame, name: &str, created: &Created) -> Response {
    let words = frame.reader.words;
    let page = paths::Container(created.id.as_str());
    match &created.not_started {
        Some(error) => {
            let why = told(words, &error.noted());
            let all = [std::slice::from_ref(&why), &created.warnings].concat();
            said_and_go("failed-container-start", &all.join(" · "), &page)
        }
        None if created.warnings.is_empty() => said_and_go("done-container-created", name, &page),
        None => {
            let text = format!("{name}: {}", created.warnings.join(" · "));
            said_and_go("warned-container-created", &text, &page)
        }
    }
}

/// Returns the definition that a new one is made from: another container's, or none.
pub(super) async fn original(app: &App, actor: &Actor, from: &str) -> Result<Stored> {
    if from.is_empty() {
        return Ok(Stored::fresh());
    }
    let fact = app.services.index().find_container(from);
    let fact = fact.ok_or(Error::NotFound)?;
    let place = crate::domain::ContainerPlace {
        host: crate::domain::HostId::local(),
        id: fact.id.clone(),
        name: fact.name.clone(),
    };
    let permit: Permit<container::Inspect> =
        policy::permit(actor, place, app.services.watchtower())?;
    Ok(edits::stored(&app.services, &permit).await?)
}

pub(super) fn images(app: &App) -> Vec<String> {
    let images = app.services.index().images(&lists::suggested_images()).rows;
    images.iter().flat_map(|image| image.tags.clone()).collect()
}
