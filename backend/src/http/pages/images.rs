//! Images: the list, the two ways in, one of them, its names, its way to a registry, its end.

use axum::Json;
use axum::extract::{Multipart, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use frontend::paths;

use super::away;
use super::frame::{Frame, back_or, go, said_and_go};
use crate::access::{Actor, Permit, image, policy, registry};
use crate::app::App;
use crate::domain::{Credentials, FieldError, Registry, RegistryAuthority, Rule, ServerPlace};
use crate::http::draining::drain;
use crate::http::extract::Fields;
use crate::http::present::images::{self as present, Refused, RefusedOne, Typed};
use crate::http::present::lists::{self, Asked};
use crate::http::present::registries::completion;
use crate::http::{Error, Result};
use crate::services::images::{self, PullRequest, PushRequest};
use crate::services::{Reference, registries, updates};

/// The name of the archive's field.
const ARCHIVE: &str = "archive";

pub(super) async fn list(
    permit: Permit<image::List>,
    State(app): State<App>,
    Query(asked): Query<Asked>,
    Query(prefilled): Query<Prefilled>,
    frame: Frame,
) -> Result<Response> {
    let forms = Refused {
        is_asked: !prefilled.pull.is_empty(),
        typed: Typed {
            reference: prefilled.pull,
            ..Typed::default()
        },
        ..Refused::default()
    };
    let page = page(&app, &permit, &frame, &asked, forms).await?;
    Ok(frame.draw(&page))
}

/// What the pull form begins with when another page leads to it.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Prefilled {
    pull: String,
}

async fn page(
    app: &App,
    permit: &Permit<image::List>,
    frame: &Frame,
    asked: &Asked,
    mut refused: Refused<'_>,
) -> Result<frontend::pages::ImagesIndex> {
    refused.registries = kept_registries(app, permit.actor()).await?;
    let view = asked.view(paths::Images.to_string());
    let found = images::list(&app.services, permit, &lists::image_query(&view));
    let rows = found.rows.iter().map(|fact| {
        let users = app.services.index().users_of(&fact.id);
        (fact.clone(), users)
    });
    let rows: Vec<_> = rows.collect();
    let mut page = present::index(
        &frame.reader,
        &view,
        &found,
        &rows,
        &refused,
        &frame.choice("images"),
    );
    frame.greet(&mut page.shell);
    Ok(page)
}

/// The registries that somebody may choose from: none for who may not see them.
async fn kept_registries(app: &App, actor: &Actor) -> Result<Vec<Registry>> {
    let watchtower = app.services.watchtower();
    let permit = policy::permit::<registry::List>(actor, ServerPlace, watchtower);
    match permit {
        Ok(permit) => Ok(registries::list(&app.services, &permit).await?),
        Err(_) => Ok(Vec::new()),
    }
}

/// Draws the list again with what is wrong in one of its forms.
async fn again(
    app: &App,
    permit: &Permit<image::List>,
    frame: &Frame,
    refused: Refused<'_>,
) -> Result<Response> {
    let page = page(app, permit, frame, &Asked::default(), refused).await?;
    Ok(frame.draw_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

pub(super) async fn pull(
    permit: Permit<image::Pull>,
    list: Permit<image::List>,
    keys: Permit<registry::Use>,
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let mut request = match requested(&fields) {
        Ok(request) => request,
        Err(error) => {
            let text = |name| fields.text(name).to_owned();
            let typed = Typed {
                registry: text("registry"),
                reference: text("reference"),
                platform: text("platform"),
                user: text("user"),
            };
            let refused = Refused {
                typed,
                pull: Some(&error),
                ..Refused::default()
            };
            return again(&app, &list, &frame, refused).await;
        }
    };
    let (registry, typed) = (request.reference.registry(), request.credentials.take());
    request.credentials = registries::beside_kept(&app.services, &keys, registry, typed).await?;
    let job = images::pull(&app.services, &permit, request).await?;
    Ok(go(&paths::Job(job.as_str())))
}

fn requested(fields: &Fields) -> Result<PullRequest, FieldError> {
    let reference = Reference::chosen(fields.text("registry"), fields.text("reference"))?;
    let platform = fields.text("platform").trim();
    Ok(PullRequest {
        reference,
        platform: (!platform.is_empty()).then(|| platform.to_owned()),
        credentials: credentials(fields)?,
    })
}

/// A name and a password at a registry, or none; a password is somebody's.
fn credentials(fields: &Fields) -> Result<Option<Credentials>, FieldError> {
    let (name, password) = (fields.text("user").trim(), fields.text("password"));
    match (name.is_empty(), password.is_empty()) {
        (true, true) => Ok(None),
        (true, false) => Err(FieldError::new("user", Rule::Required)),
        (false, _) => Ok(Some(Credentials {
            name: name.to_owned(),
            password: password.to_owned().into(),
            authority: RegistryAuthority::default(),
            is_kept: false,
        })),
    }
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Named {
    registry: String,
    reference: String,
}

/// Tells the tags that complete a name, or why there are none; it goes when the asker does.
pub(super) async fn tags_to_pull(
    permit: Permit<image::Pull>,
    keys: Permit<registry::Use>,
    State(app): State<App>,
    Query(named): Query<Named>,
    frame: Frame,
) -> Json<serde_json::Value> {
    let reference = match Reference::chosen(&named.registry, &named.reference) {
        Ok(reference) => reference,
        Err(error) => return Json(completion(&frame.reader, "", Err(error.into()))),
    };
    let found = registries::tags_to_pull(&app.services, &permit, &keys, &reference).await;
    let name = reference.name();
    let typed = named.reference.trim();
    let has_registry = typed.starts_with(&format!("{}/", reference.registry()));
    let name = match name.split_once('/') {
        // As it was typed: the registry that was chosen goes before it when it is sent.
        Some((first, rest)) if first == reference.registry() && !has_registry => rest,
        _ => name,
    };
    Json(completion(&frame.reader, name, found))
}

/// Passes an archive on as it comes; nothing of it is kept here. The browser is led to the job when
/// the last piece has gone, or as soon as the engine takes no more.
pub(super) async fn load(
    permit: Permit<image::Load>,
    list: Permit<image::List>,
    State(app): State<App>,
    frame: Frame,
    mut form: Multipart,
) -> Result<Response> {
    let malformed = |error: axum::extract::multipart::MultipartError| Error::Malformed {
        message: error.body_text(),
    };
    while let Some(mut field) = form.next_field().await.map_err(malformed)? {
        let file_name = field.file_name().unwrap_or_default().to_owned();
        if field.name() != Some(ARCHIVE) || file_name.is_empty() {
            continue;
        }
        let (job, upload) = images::load(&app.services, &permit, &file_name).await?;
        let mut is_taken = true;
        while let Some(piece) = field.chunk().await.map_err(malformed)? {
            is_taken = upload.send(piece).await;
            if !is_taken {
                drain(&mut field).await;
                break;
            }
        }
        if is_taken {
            upload.finish();
        }
        return Ok(go(&paths::Job(job.as_str())));
    }
    let error = FieldError::new(ARCHIVE, Rule::Required);
    let refused = Refused {
        load: Some(&error),
        ..Refused::default()
    };
    again(&app, &list, &frame, refused).await
}

pub(super) async fn show(
    permit: Permit<image::View>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let shown = images::show(&app.services, &permit).await?;
    let mut page = present::show(&frame.reader, &shown, &RefusedOne::default());
    frame.greet(&mut page.shell);
    Ok(frame.draw(&page))
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Tagged {
    tag: String,
}

/// Asks the registry, whose answer comes when it comes: the page shows that it is asked.
pub(super) async fn check(
    permit: Permit<image::Check>,
    keys: Permit<registry::Use>,
    State(app): State<App>,
    Query(Tagged { tag }): Query<Tagged>,
    fields: Fields,
) -> Result<Response> {
    updates::check_now(&app.services, &permit, &keys, &tag).await?;
    let path = paths::Image(permit.place().id.as_str());
    let back = back_or(fields.text("back"), &path);
    Ok(said_and_go("done-update-asked", &tag, &back))
}

pub(super) async fn tag(
    permit: Permit<image::Tag>,
    view: Permit<image::View>,
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let typed = fields.text("reference");
    let tagged = match typed.parse() {
        Ok(reference) => images::tag(&app.services, &permit, reference).await,
        Err(rule) => Err(FieldError::new("reference", rule).into()),
    };
    match tagged {
        Ok(()) => {
            let path = paths::Image(permit.place().id.as_str());
            Ok(said_and_go("done-image-tagged", typed, &path))
        }
        Err(error) => {
            let error = Error::from(error).into_field()?;
            let refused = RefusedOne {
                name: typed.to_owned(),
                tag: Some(&error),
                ..RefusedOne::default()
            };
            again_one(&app, &view, &frame, &refused).await
        }
    }
}

pub(super) async fn push(
    permit: Permit<image::Push>,
    view: Permit<image::View>,
    keys: Permit<registry::Use>,
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let begun = match to_push(&fields) {
        Ok(mut request) => {
            let (registry, typed) = (request.reference.registry(), request.credentials.take());
            request.credentials =
                registries::beside_kept(&app.services, &keys, registry, typed).await?;
            images::push(&app.services, &permit, request).await
        }
        Err(error) => Err(error.into()),
    };
    match begun {
        Ok(job) => Ok(go(&paths::Job(job.as_str()))),
        Err(error) => {
            let error = Error::from(error).into_field()?;
            let refused = RefusedOne {
                push: fields.text("push").to_owned(),
                user: fields.text("user").to_owned(),
                pushed: Some(&error),
                ..RefusedOne::default()
            };
            again_one(&app, &view, &frame, &refused).await
        }
    }
}

fn to_push(fields: &Fields) -> Result<PushRequest, FieldError> {
    let reference = fields.text("push").parse();
    Ok(PushRequest {
        reference: reference.map_err(|rule| FieldError::new("push", rule))?,
        credentials: credentials(fields)?,
    })
}

/// Draws an image's page again with what is wrong in one of its forms.
async fn again_one(
    app: &App,
    view: &Permit<image::View>,
    frame: &Frame,
    refused: &RefusedOne<'_>,
) -> Result<Response> {
    let shown = images::show(&app.services, view).await?;
    let page = present::show(&frame.reader, &shown, refused);
    Ok(frame.draw_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

pub(super) async fn save(permit: Permit<image::Save>, State(app): State<App>) -> Result<Response> {
    let archive = images::save(&app.services, &permit).await?;
    let place = permit.place();
    let name = match place.name.as_str() {
        "" => place.id.short(),
        name => name,
    };
    let name = format!("{name}.tar");
    Ok(away::download(&name, "application/x-tar", None, archive))
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Back {
    back: String,
}

pub(super) async fn ask_remove(
    permit: Permit<image::Remove>,
    State(app): State<App>,
    Query(asked): Query<Back>,
    frame: Frame,
) -> Result<Response> {
    let id = permit.place().id.as_str();
    let fact = app.services.index().find_image(id).ok_or(Error::NotFound)?;
    let back = back_or(&asked.back, &paths::Image(id));
    Ok(frame.draw(&present::ask_remove(&frame.reader, &fact, &back)))
}

pub(super) async fn remove(
    permit: Permit<image::Remove>,
    State(app): State<App>,
) -> Result<Response> {
    images::remove(&app.services, &permit, None, false).await?;
    let place = permit.place();
    let name = if place.name.is_empty() {
        place.id.short()
    } else {
        &place.name
    };
    Ok(said_and_go("done-image-removed", name, &paths::Images))
}
