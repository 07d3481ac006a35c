//! The files of a container: looked through, read, edited, taken away; and what differs from the image.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use frontend::paths;
use frontend::ui::{Notice, View};

use super::away;
use super::containers::fact;
use super::frame::{Frame, go, said_and_go};
use crate::access::{Permit, container};
use crate::app::App;
use crate::domain::{FieldError, FileName, InsidePath, NoName, NoPath, Rule};
use crate::http::extract::Fields;
use crate::http::present::files::{self as present, Instead, Refused, Showing};
use crate::http::present::lists::Asked;
use crate::http::present::{changes as present_changes, problems};
use crate::http::{Error, Problem, Result, as_is};
use crate::services;
use crate::services::Obstacle;
use crate::services::files::{self, Content, EDIT_BYTES_MAX, FilesQuery, Found};

/// A text as a form sends it: most signs of other scripts take three times their bytes.
pub(super) const MOST_TEXT_BYTES: usize = 4 * EDIT_BYTES_MAX;

/// Which path, and how it is looked at.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct AskedFiles {
    path: String,
    edit: String,
    filter: String,
    sort: String,
    page: usize,
}

impl AskedFiles {
    pub(super) fn path(&self) -> Result<InsidePath> {
        inside(&self.path)
    }

    fn view(&self, id: &str, path: &InsidePath) -> View {
        let asked = Asked {
            filter: self.filter.clone(),
            sort: match self.sort.as_str() {
                "" => "name".to_owned(),
                sort => sort.to_owned(),
            },
            page: self.page,
        };
        View {
            inside: path.to_string(),
            ..asked.view(paths::ContainerFiles(id).to_string())
        }
    }
}

/// Reads a path of a query; none is the root.
pub(super) fn inside(path: &str) -> Result<InsidePath> {
    if path.is_empty() {
        return Ok(InsidePath::root());
    }
    path.parse().map_err(|error: NoPath| Error::Malformed {
        message: error.to_string(),
    })
}

pub(super) async fn show(
    permit: Permit<container::Files>,
    State(app): State<App>,
    Query(asked): Query<AskedFiles>,
    frame: Frame,
) -> Result<Response> {
    let showing = match asked.edit.as_str() {
        "" => Showing::Read,
        _ => Showing::Edit,
    };
    draw(&app, &permit, &frame, &asked, &showing, &Refused::default()).await
}

/// Draws what is at a path, with what its forms are told.
pub(super) async fn draw(
    app: &App,
    permit: &Permit<container::Files>,
    frame: &Frame,
    asked: &AskedFiles,
    showing: &Showing<'_>,
    refused: &Refused<'_>,
) -> Result<Response> {
    let path = asked.path()?;
    let fact = fact(app, permit)?;
    let reader = &frame.reader;
    let view = asked.view(fact.id.as_str(), &path);
    let query = FilesQuery {
        filter: view.filter.clone(),
        sort: view.sort.clone(),
        is_descending: view.descending,
        page: view.page,
    };
    let found = files::look(&app.services, permit, &path, &query).await?;
    let none = |status, what| {
        let page = present::instead(reader, &fact, &path, what);
        frame.draw_as(status, &page)
    };
    let drawn = match &found {
        Found::Directory(listed) => {
            let is_broken = refused.upload.is_some() || refused.folder.is_some();
            let mut page = present::directory(reader, &fact, &path, (&view, listed), refused);
            frame.greet(&mut page.shell);
            frame.draw_as(status(is_broken, StatusCode::UNPROCESSABLE_ENTITY), &page)
        }
        Found::File(file) => {
            let is_broken = matches!(showing, Showing::Again { .. });
            let mut page = present::file(reader, &fact, &path, file, showing);
            frame.greet(&mut page.shell);
            frame.draw_as(status(is_broken, StatusCode::CONFLICT), &page)
        }
        Found::Link(target) => {
            let files = paths::ContainerFiles(fact.id.as_str());
            go(&paths::inside(&files, target.as_str()))
        }
        Found::BrokenLink(target) => none(StatusCode::OK, Instead::BrokenLink(target)),
        Found::Special(stat) => none(StatusCode::OK, Instead::Special(stat)),
        Found::Kernels => none(StatusCode::OK, Instead::Kernels),
        Found::Nothing => none(StatusCode::NOT_FOUND, Instead::Nothing),
    };
    // What a file holds may be a secret, or a stranger's.
    Ok(as_is(drawn))
}

const fn status(is_broken: bool, broken: StatusCode) -> StatusCode {
    if is_broken { broken } else { StatusCode::OK }
}

/// The editor, for whoever asks again for an address that a refused text was sent to: a tab that
/// makes good what it missed, or a person by its address.
pub(super) async fn editor(
    permit: Permit<container::Files>,
    Query(asked): Query<AskedFiles>,
) -> Result<Response> {
    Ok(go(&format!("{}&edit=on", home(&permit, &asked)?)))
}

/// The directory, likewise for its forms.
pub(super) async fn directory(
    permit: Permit<container::Files>,
    Query(asked): Query<AskedFiles>,
) -> Result<Response> {
    Ok(go(&home(&permit, &asked)?))
}

fn home(permit: &Permit<container::Files>, asked: &AskedFiles) -> Result<String> {
    let files = paths::ContainerFiles(permit.place().id.as_str());
    Ok(paths::inside(&files, asked.path()?.as_str()))
}

pub(super) async fn save(
    permit: Permit<container::WriteFiles>,
    look: Permit<container::Files>,
    State(app): State<App>,
    Query(asked): Query<AskedFiles>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let path = asked.path()?;
    // Whoever was shown that somebody else wrote it, and means it, names what is there now.
    let read = match fields.text("over") {
        "" => fields.text("digest"),
        over => over,
    };
    let typed = fields.text("text");
    match files::save(&app.services, &permit, &path, typed, read).await {
        Ok(()) => {
            let file = paths::ContainerFiles(permit.place().id.as_str());
            let file = paths::inside(&file, path.as_str());
            Ok(said_and_go("done-file-saved", &path.shown(), &file))
        }
        Err(error) => again(&app, &look, &frame, &path, (typed, read), error).await,
    }
}

/// The editor again with what was typed, and why it was not saved.
async fn again(
    app: &App,
    look: &Permit<container::Files>,
    frame: &Frame,
    path: &InsidePath,
    (typed, read): (&str, &str),
    error: services::Error,
) -> Result<Response> {
    let is_changed = matches!(error, services::Error::InTheWay(Obstacle::FileChanged));
    let error = Error::from(error);
    if matches!(error, Error::NotFound | Error::Refused(_)) {
        return Err(error);
    }
    let reader = &frame.reader;
    let words = reader.words;
    let fact = fact(app, look)?;
    let mut why = Notice::failed(match is_changed {
        true => words.t("file-was-changed"),
        false => problems::sentence(words, &Problem::of(&error)),
    });
    let now = files::look(&app.services, look, path, &FilesQuery::default()).await;
    let now = match now {
        Ok(Found::File(file)) => file,
        // It is gone or the engine is away: what was typed is all there is.
        _ => files::ShownFile::unknown(),
    };
    if is_changed && matches!(now.content, Content::Text(_)) {
        let file = paths::inside(&paths::ContainerFiles(fact.id.as_str()), path.as_str());
        why.link = Some((words.t("file-look-now"), file));
    }
    let showing = Showing::Again {
        typed,
        read,
        why,
        is_changed,
    };
    let page = present::file(reader, &fact, path, &now, &showing);
    Ok(as_is(frame.draw_as(StatusCode::CONFLICT, &page)))
}

pub(super) async fn make_folder(
    permit: Permit<container::WriteFiles>,
    look: Permit<container::Files>,
    State(app): State<App>,
    Query(asked): Query<AskedFiles>,
    frame: Frame,
    fields: Fields,
) -> Result<Response> {
    let path = asked.path()?;
    let typed = fields.text("name");
    let made = match typed.parse::<FileName>() {
        Ok(name) => files::make_folder(&app.services, &permit, &path, name).await,
        Err(NoName) => Err(services::Error::field("name", Rule::FileName)),
    };
    match made {
        Ok(()) => {
            let files = paths::ContainerFiles(permit.place().id.as_str());
            let here = paths::inside(&files, path.as_str());
            let name = crate::domain::shown_name(typed);
            Ok(said_and_go("done-folder-made", &name, &here))
        }
        Err(error) => {
            let error = field_error(&frame, error, "name")?;
            let refused = Refused {
                name: typed,
                folder: Some(&error),
                upload: None,
            };
            draw(&app, &look, &frame, &asked, &Showing::Read, &refused).await
        }
    }
}

/// Says beside a field what stood in the way of what was asked there.
///
/// # Errors
/// With what says nothing of the directory: that it is gone, or the engine away.
pub(super) fn field_error(
    frame: &Frame,
    error: services::Error,
    field: &'static str,
) -> Result<FieldError> {
    match error {
        services::Error::Invalid(error) => Ok(error),
        services::Error::InTheWay(Obstacle::NameTaken) => Ok(FieldError::new(field, Rule::Taken)),
        error @ (services::Error::InTheWay(_)
        | services::Error::Engine { .. }
        | services::Error::Conflict { .. }) => {
            let problem = Problem::of(&Error::from(error));
            let message = problems::sentence(frame.reader.words, &problem);
            Ok(FieldError::new(field, Rule::Engine { message }))
        }
        other => Err(other.into()),
    }
}

pub(super) async fn download(
    permit: Permit<container::DownloadFiles>,
    State(app): State<App>,
    Query(asked): Query<AskedFiles>,
) -> Result<Response> {
    let path = asked.path()?;
    let taken = files::take(&app.services, &permit, &path).await?;
    let name = match path.name() {
        "" => permit.place().name.as_str(),
        name => name,
    };
    let (name, kind) = match taken.is_archive {
        true => (format!("{name}.tar"), "application/x-tar"),
        false => (name.to_owned(), "application/octet-stream"),
    };
    Ok(away::download(&name, kind, taken.size_bytes, taken.bytes))
}

pub(super) async fn changes(
    permit: Permit<container::Changes>,
    State(app): State<App>,
    Query(asked): Query<Asked>,
    frame: Frame,
) -> Result<Response> {
    let fact = fact(&app, &permit)?;
    let view = asked.view(paths::ContainerChanges(fact.id.as_str()).to_string());
    let all = files::changes(&app.services, &permit).await?;
    Ok(frame.draw(&present_changes::page(&frame.reader, &fact, &view, &all)))
}
