//! Builds: the form, the look at a Dockerfile while it is typed, and the files on their way.

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{Multipart, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use frontend::paths;

use super::frame::{Frame, go};
use crate::access::{Permit, image, registry};
use crate::app::App;
use crate::domain::{FieldError, JobId};
use crate::http::draining::drain;
use crate::http::extract::Fields;
use crate::http::present::builds::{self as present, Wrong};
use crate::http::present::told;
use crate::http::{Error, Result};
use crate::services::builds::{self, BuildDraft, DockerfileCheck, TypedBuild, Upload};
use crate::services::{self, registries};

/// The name of the archive's field, which comes last.
const CONTEXT: &str = "context";
/// Bytes of all other fields together.
const MOST_FORM: usize = 2 << 20;
const MOST_FIELDS: usize = 50;

/// Whoever may look at the images sees the form; its button says why it is locked.
pub(super) async fn form(_: Permit<image::List>, frame: Frame) -> Response {
    let mut page = present::form(&frame.reader, &TypedBuild::default(), &Wrong::default());
    frame.greet(&mut page.shell);
    frame.draw(&page)
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Way {
    r#as: String,
}

/// The equivalent command or call, for a script that keeps them in step.
pub(super) async fn command(
    _: Permit<image::Build>,
    Query(way): Query<Way>,
    frame: Frame,
    fields: Fields,
) -> String {
    let typed = present::typed(&fields);
    let has_files = fields.is_set("files");
    present::command(&frame.reader, &typed, has_files, way.r#as == "call")
}

/// What is wrong with what is typed now. Fields beside the Dockerfile that cannot be taken are told
/// when the form is sent.
pub(super) async fn check(
    permit: Permit<image::Build>,
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let typed = present::typed(&fields);
    let draft = BuildDraft::typed(&typed).or_else(|_| {
        BuildDraft::typed(&TypedBuild {
            dockerfile: typed.dockerfile,
            ..TypedBuild::default()
        })
    });
    let Ok(draft) = draft else {
        return Err(Error::TooLarge);
    };
    let found = builds::check(&app.services, &permit, &draft).await?;
    let mut part = present::faults(frame.reader.words, &found);
    part.is_checked = draft.has_dockerfile();
    Ok(frame.draw(&part))
}

/// Begins a build. The files are passed on as they come; nothing of them is kept here. The browser is
/// led to the job when the last piece has gone, or as soon as the engine takes no more.
pub(super) async fn build(
    permit: Permit<image::Build>,
    keys: Permit<registry::Use>,
    State(app): State<App>,
    frame: Frame,
    mut form: Multipart,
) -> Result<Response> {
    let (mut pairs, mut left) = (Vec::new(), MOST_FORM);
    while let Some(mut field) = form.next_field().await.map_err(malformed)? {
        let name = field.name().unwrap_or_default().to_owned();
        let is_file = field.file_name().is_some_and(|name| !name.is_empty());
        if name == CONTEXT && is_file {
            let fields = Fields::new(pairs);
            return match begin(&app, &permit, &keys, &fields, true).await {
                Ok((job, upload)) => {
                    pass(field, upload).await?;
                    Ok(go(&paths::Job(job.as_str())))
                }
                Err(refused) => {
                    drain(&mut field).await;
                    again(&frame, &fields, refused)
                }
            };
        }
        let value = text(&mut field, &mut left).await?;
        pairs.push((name, value));
        if pairs.len() > MOST_FIELDS {
            return Err(Error::TooLarge);
        }
    }
    let fields = Fields::new(pairs);
    match begin(&app, &permit, &keys, &fields, false).await {
        Ok((job, upload)) => {
            upload.finish();
            Ok(go(&paths::Job(job.as_str())))
        }
        Err(refused) => again(&frame, &fields, refused),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` calls it")]
fn malformed(error: MultipartError) -> Error {
    Error::Malformed {
        message: error.body_text(),
    }
}

/// Reads a short field.
async fn text(field: &mut Field<'_>, left: &mut usize) -> Result<String> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(malformed)? {
        *left = left.checked_sub(piece.len()).ok_or(Error::TooLarge)?;
        bytes.extend_from_slice(&piece);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn pass(mut field: Field<'_>, upload: Upload) -> Result<()> {
    while let Some(piece) = field.chunk().await.map_err(malformed)? {
        if !upload.send(piece).await {
            drain(&mut field).await;
            return Ok(());
        }
    }
    upload.finish();
    Ok(())
}

/// Why a build did not begin.
enum Refused {
    Fields(Vec<FieldError>),
    Dockerfile(DockerfileCheck),
    Service(services::Error),
}

impl From<services::Error> for Refused {
    fn from(error: services::Error) -> Self {
        match error {
            services::Error::Invalid(field) => Self::Fields(vec![field]),
            other => Self::Service(other),
        }
    }
}

async fn begin(
    app: &App,
    permit: &Permit<image::Build>,
    keys: &Permit<registry::Use>,
    fields: &Fields,
    has_files: bool,
) -> Result<(JobId, Upload), Refused> {
    let draft = BuildDraft::typed(&present::typed(fields)).map_err(Refused::Fields)?;
    let found = builds::check(&app.services, permit, &draft).await?;
    if !found.faults.is_empty() {
        return Err(Refused::Dockerfile(found));
    }
    let kept = registries::all_kept(&app.services, keys).await?;
    Ok(builds::build(&app.services, permit, draft, &kept, has_files).await?)
}

/// Draws the form again, with all that was typed and what is wrong with it.
fn again(frame: &Frame, fields: &Fields, refused: Refused) -> Result<Response> {
    let typed = present::typed(fields);
    let mut wrong = Wrong::default();
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    match refused {
        Refused::Fields(errors) => wrong.errors = errors,
        Refused::Dockerfile(found) => wrong.found = Some(found),
        Refused::Service(error) => {
            status = match error {
                services::Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                services::Error::InTheWay(_) => StatusCode::CONFLICT,
                services::Error::Engine { .. } => status,
                // Nothing that another try of the form would mend.
                other => return Err(other.into()),
            };
            wrong.said = Some(told(frame.reader.words, &error.noted()));
        }
    }
    let page = present::form(&frame.reader, &typed, &wrong);
    Ok(frame.draw_as(status, &page))
}
