//! Edit and Duplicate: the form of a container that is there, and what an edit would do.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use frontend::paths;

use super::create::images;
use super::frame::{Frame, go, said_and_go};
use crate::access::{Permit, container};
use crate::app::App;
use crate::domain::FieldError;
use crate::http::extract::Fields;
use crate::http::present::{drafts as form, edits as present, told};
use crate::http::{Error, Result};
use crate::services::drafts::Stored;
use crate::services::edits::{self, Applied, Order, Plan};
use crate::services::{self, Obstacle};

/// The create form, filled from a container; its values stay masked.
pub(super) async fn duplicate(
    permit: Permit<container::Inspect>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let stored = edits::stored(&app.services, &permit).await?;
    let id = permit.place().id.as_str();
    let input = form::of_copy(&stored);
    let form = form::Form::new(images(&app)).of_copy(id, &stored);
    Ok(frame.draw(&form.page(&frame.reader, &input, &[])))
}

pub(super) async fn form(
    permit: Permit<container::Edit>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let stored = edits::stored(&app.services, &permit).await?;
    let input = form::of_stored(&stored);
    Ok(draw(&app, &frame, &permit, &stored, &input, &[]))
}

fn draw(
    app: &App,
    frame: &Frame,
    permit: &Permit<container::Edit>,
    stored: &Stored,
    input: &frontend::pages::ContainerInput,
    errors: &[FieldError],
) -> Response {
    let form = form::Form::new(images(app)).of_edit(permit.place(), stored);
    let page = form.page(&frame.reader, input, errors);
    let status = match errors {
        [] => StatusCode::OK,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    frame.draw_as(status, &page)
}

/// Three buttons: look what would change, back to the form, do it.
pub(super) async fn edit(
    permit: Permit<container::Edit>,
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let typed = form::typed(&fields);
    let input = form::input(&fields);
    let plan = match edits::plan(&app.services, &permit, &typed).await? {
        Ok(plan) => plan,
        Err(errors) => {
            let stored = edits::stored(&app.services, &permit).await?;
            return Ok(draw(&app, &frame, &permit, &stored, &input, &errors));
        }
    };
    let step = fields.text("step");
    if step == "form" {
        return Ok(draw(&app, &frame, &permit, &plan.stored, &input, &[]));
    }
    let is_seen = fields.text("seen") == plan.stored.fingerprint();
    if step != "apply" || !is_seen {
        let obstacle = (!is_seen).then_some(Obstacle::ChangedMeanwhile);
        let page = present::plan(&frame.reader, permit.place(), &plan, &fields, obstacle);
        return Ok(frame.draw(&page));
    }
    apply(&app, &frame, &permit, plan, &fields).await
}

async fn apply(
    app: &App,
    frame: &Frame,
    permit: &Permit<container::Edit>,
    plan: Plan,
    fields: &Fields,
) -> Result<Response> {
    let order = Order {
        plan: plan.clone(),
        keeps_old: fields.is_set("keep_old"),
    };
    match edits::apply(&app.services, permit, order).await {
        Ok(Applied::Begun(job)) => Ok(go(&paths::Job(job.as_str()))),
        Ok(Applied::InPlace { name, warnings }) => Ok(done_and_go(permit, &name, &warnings)),
        Err(services::Error::Invalid(error)) => {
            let input = form::input(fields);
            Ok(draw(app, frame, permit, &plan.stored, &input, &[error]))
        }
        Err(error @ services::Error::InTheWay(_)) => {
            let why = told(frame.reader.words, &error.noted());
            let page = paths::Container(permit.place().id.as_str());
            Ok(said_and_go("failed-container-edit", &why, &page))
        }
        Err(error) => Err(Error::from(error)),
    }
}

fn done_and_go(permit: &Permit<container::Edit>, name: &str, warnings: &[String]) -> Response {
    let page = paths::Container(permit.place().id.as_str());
    match warnings {
        [] => said_and_go("done-container-edited", name, &page),
        warnings => {
            let text = format!("{name}: {}", warnings.join(" · "));
            said_and_go("warned-container-edited", &text, &page)
        }
    }
}
