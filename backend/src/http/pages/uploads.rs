//! Files that come into a container: by a form, some at once and kept in memory, or by a script one by
//! one, passed on as they come.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Multipart, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use frontend::{format, paths};
use futures_util::StreamExt;
use futures_util::future::join;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::files::{AskedFiles, draw, field_error, inside};
use super::frame::{Frame, said_and_go};
use crate::access::{Permit, container};
use crate::app::App;
use crate::domain::{FileName, NoName, Rule, shown_name};
use crate::http::present::files::{FORM_BYTES_MAX, Refused, Showing};
use crate::http::{Error, Result, mark_drawn};
use crate::services;
use crate::services::Obstacle;
use crate::services::files::{self, Arriving};

/// Pieces between the browser and the engine.
const QUEUE: usize = 4;
/// How long the rest of a refused file is read: a browser that still sends does not read the answer.
const DRAIN_TIME: Duration = Duration::from_secs(10);
/// Files of one form.
const MOST_FILES: usize = 100;

/// Which file a script brings.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct AskedPut {
    path: String,
    name: String,
    replace: String,
    check: String,
}

/// What a form brought.
#[derive(Default)]
struct Brought {
    files: Vec<(String, Bytes)>,
    replaces: bool,
}

pub(super) async fn form(
    permit: Permit<container::WriteFiles>,
    look: Permit<container::Files>,
    State(app): State<App>,
    Query(asked): Query<AskedFiles>,
    frame: Frame,
    form: Multipart,
) -> Result<Response> {
    let brought = match read(form).await? {
        Ok(brought) => brought,
        Err(rule) => return refuse(&app, &look, &frame, &asked, rule).await,
    };
    let path = asked.path()?;
    let mut names = Vec::new();
    for (name, content) in brought.files {
        let shown = shown_name(&name);
        let done = match name.parse::<FileName>() {
            Ok(name) => {
                let arriving = Arriving {
                    name,
                    size_bytes: content.len() as u64,
                    replaces: brought.replaces,
                };
                let content = futures_util::stream::iter([Ok(content)]);
                files::upload(&app.services, &permit, &path, arriving, content).await
            }
            Err(NoName) => Err(services::Error::field("files", Rule::FileName)),
        };
        if let Err(error) = done {
            let error = field_error(&frame, error, "files")?;
            let words = frame.reader.words;
            let rule = crate::http::present::fields::rule(words, &error);
            let message = format!("{shown}: {rule}");
            return refuse(&app, &look, &frame, &asked, Rule::Engine { message }).await;
        }
        names.push(shown);
    }
    let files = paths::ContainerFiles(permit.place().id.as_str());
    let here = paths::inside(&files, path.as_str());
    let names: String = names.join(", ").chars().take(300).collect();
    Ok(said_and_go("done-files-uploaded", &names, &here))
}

async fn refuse(
    app: &App,
    look: &Permit<container::Files>,
    frame: &Frame,
    asked: &AskedFiles,
    rule: Rule,
) -> Result<Response> {
    let error = crate::domain::FieldError::new("files", rule);
    let refused = Refused {
        upload: Some(&error),
        ..Refused::default()
    };
    draw(app, look, frame, asked, &Showing::Read, &refused).await
}

/// Reads a form whole: how long a file is has to be known before the engine hears of it.
async fn read(mut form: Multipart) -> Result<Result<Brought, Rule>> {
    let malformed = |error: axum::extract::multipart::MultipartError| Error::Malformed {
        message: error.body_text(),
    };
    let (mut brought, mut left) = (Brought::default(), FORM_BYTES_MAX);
    while let Some(mut field) = form.next_field().await.map_err(malformed)? {
        let (name, file_name) = (field.name().unwrap_or_default(), field.file_name());
        let (is_replace, is_file) = (name == "replace", name == "files");
        let file_name = file_name.unwrap_or_default().to_owned();
        let mut content = Vec::new();
        while let Some(piece) = field.chunk().await.map_err(malformed)? {
            let Some(now_left) = left.checked_sub(piece.len()) else {
                let most = format::bytes(FORM_BYTES_MAX as u64);
                return Ok(Err(Rule::TooLarge { most }));
            };
            left = now_left;
            content.extend_from_slice(&piece);
        }
        brought.replaces |= is_replace && content == b"on";
        if is_file && !file_name.is_empty() {
            brought.files.push((file_name, content.into()));
        }
        if brought.files.len() > MOST_FILES {
            return Ok(Err(Rule::TooMany { most: MOST_FILES }));
        }
    }
    Ok(match brought.files.is_empty() {
        true => Err(Rule::Required),
        false => Ok(brought),
    })
}

/// Takes one file as the body of a request, and passes it on piece by piece. With `check` it only says
/// whether the name is free, before anybody sends much.
pub(super) async fn put(
    permit: Permit<container::WriteFiles>,
    State(app): State<App>,
    Query(asked): Query<AskedPut>,
    frame: Frame,
    request: Request,
) -> Result<Response> {
    let path = inside(&asked.path)?;
    let name: FileName = asked
        .name
        .parse()
        .map_err(|error: NoName| Error::Malformed {
            message: error.to_string(),
        })?;
    if !asked.check.is_empty() {
        let is_free = files::is_free(&app.services, &permit, &path, &name).await?;
        return Ok(match is_free {
            true => StatusCode::NO_CONTENT.into_response(),
            false => taken(&frame),
        });
    }
    let arriving = Arriving {
        name,
        size_bytes: length(request.headers())?,
        replaces: !asked.replace.is_empty(),
    };
    let mut body = request.into_body().into_data_stream();
    let (pieces, arrived) = mpsc::channel(QUEUE);
    let bring = async {
        let pieces = pieces;
        while let Some(piece) = body.next().await {
            let is_last = piece.is_err();
            let is_taken = pieces.send(piece.map_err(std::io::Error::other)).await;
            if is_last || is_taken.is_err() {
                break;
            }
        }
    };
    let content = ReceiverStream::new(arrived);
    let upload = files::upload(&app.services, &permit, &path, arriving, content);
    let (done, ()) = join(upload, bring).await;
    if done.is_err() {
        let rest = async { while let Some(Ok(_)) = body.next().await {} };
        let _in_time = tokio::time::timeout(DRAIN_TIME, rest).await;
    }
    match done {
        Ok(()) => Ok(StatusCode::CREATED.into_response()),
        Err(services::Error::InTheWay(Obstacle::NameTaken)) => Ok(taken(&frame)),
        Err(error) => Err(error.into()),
    }
}

fn length(headers: &HeaderMap) -> Result<u64> {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
    length.ok_or_else(|| Error::Malformed {
        message: "a file says its length before it is sent".to_owned(),
    })
}

/// Says in a word for scripts that the name is taken: they offer to replace what has it.
fn taken(frame: &Frame) -> Response {
    let body = serde_json::json!({
        "problem": "name-taken",
        "message": frame.reader.words.t("obstacle-name-taken"),
    });
    let mut response = (StatusCode::CONFLICT, Json(body)).into_response();
    mark_drawn(&mut response);
    response
}
