//! An image looked through: its layers, its files after a layer, one file taken away.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use frontend::paths;
use frontend::ui::View;

use super::away;
use super::files::inside;
use super::frame::{Frame, go};
use crate::access::{Permit, image};
use crate::app::App;
use crate::http::present::image_files::{self as present, Where};
use crate::http::present::layers as present_layers;
use crate::http::present::lists::Asked;
use crate::http::{Error, Result, as_is};
use crate::services::image_files::{self, At, Found};

/// The word of the filter that leaves out what a layer did not touch.
const CHANGES: &str = "changes";

/// Which path after which layer, and how it is looked at.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct AskedLayer {
    path: String,
    /// Counted from 1; 0 is the uppermost.
    layer: usize,
    only: String,
    filter: String,
    page: usize,
}

impl AskedLayer {
    fn at(&self) -> Result<At> {
        Ok(At {
            path: inside(&self.path)?,
            layer: self.layer.checked_sub(1),
        })
    }
}

pub(super) async fn layers(
    permit: Permit<image::Files>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let id = permit.place().id.as_str();
    let fact = app.services.index().find_image(id).ok_or(Error::NotFound)?;
    let told = image_files::layers(&app.services, &permit).await?;
    Ok(frame.draw(&present_layers::page(&frame.reader, &fact, &told)))
}

pub(super) async fn show(
    permit: Permit<image::Files>,
    State(app): State<App>,
    Query(asked): Query<AskedLayer>,
    frame: Frame,
) -> Result<Response> {
    let id = permit.place().id.as_str();
    let fact = app.services.index().find_image(id).ok_or(Error::NotFound)?;
    let at = asked.at()?;
    let query = image_files::Query {
        filter: asked.filter.clone(),
        only_changes: asked.only == CHANGES,
        page: asked.page,
    };
    let found = image_files::look(&app.services, &permit, &at, &query).await?;
    let Found::Something(listed, content) = found else {
        let page = present::nothing(&frame.reader, &fact, &at);
        return Ok(frame.draw_as(StatusCode::NOT_FOUND, &page));
    };
    let really = inside(&listed.path)?;
    if really != at.path {
        // A link led there; its own address shows what everybody else sees.
        let files = paths::ImageFiles(id);
        let layer = listed.layer + 1;
        return Ok(go(&paths::inside_layer(&files, really.as_str(), layer)));
    }
    let place = Where {
        fact: &fact,
        path: &at.path,
        listed: &listed,
        only_changes: query.only_changes,
    };
    let drawn = match &listed.file {
        Some(file) => frame.draw(&present::file(
            &frame.reader,
            &place,
            file,
            content.as_ref(),
        )),
        None => {
            let list = Asked {
                filter: asked.filter,
                sort: String::new(),
                page: asked.page,
            };
            let view = View {
                inside: at.path.to_string(),
                also: present::also(&place),
                ..list.view(paths::ImageFiles(id).to_string())
            };
            frame.draw(&present::directory(&frame.reader, &place, &view))
        }
    };
    // What a file holds may be a secret, or a stranger's.
    Ok(as_is(drawn))
}

pub(super) async fn download(
    permit: Permit<image::DownloadFiles>,
    State(app): State<App>,
    Query(asked): Query<AskedLayer>,
) -> Result<Response> {
    let at = asked.at()?;
    let taken = image_files::take(&app.services, &permit, &at).await?;
    let (name, kind) = (at.path.name(), "application/octet-stream");
    Ok(away::download(
        name,
        kind,
        Some(taken.size_bytes),
        taken.bytes,
    ))
}
