//! An image looked through: what its layers did, its directories and files after a layer; and one file
//! taken away, which the audit notes.
//!
//! What an image holds is foreign. Paths are resolved by the engine alone, inside the image.

use bytes::Bytes;
use engine_api::containers::FileKind;
use engine_api::layers::{ImageDirectory, ImageLayers};
use futures_util::Stream;
use futures_util::stream::BoxStream;

use super::files::{self, Content, VIEW_BYTES_MAX};
use super::held::cut_off;
use super::{Error, Result, Services, audit};
use crate::access::{Permit, image};
use crate::domain::InsidePath;
use crate::fleet::{Chunks, ClientError, EngineClient, ImageFilesQuery, ImagePath};

/// Rows of a page.
pub const ROWS: usize = 100;

/// A place in an image.
#[derive(Clone, Debug)]
pub struct At {
    /// The path.
    pub path: InsidePath,
    /// As it is after this layer, counted from 0; after all of them if none is chosen.
    pub layer: Option<usize>,
}

impl At {
    fn asked(&self) -> ImagePath<'_> {
        ImagePath {
            path: self.path.as_str(),
            layer: self.layer,
        }
    }
}

/// How a directory is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// A part of the names.
    pub filter: String,
    /// Only what the layer added, changed or removed.
    pub only_changes: bool,
    /// The page, from 1.
    pub page: usize,
}

/// What is at a path after a layer.
#[derive(Debug)]
pub enum Found {
    /// A directory and a page of what is in it, or one entry and what it holds.
    Something(Box<ImageDirectory>, Option<Content>),
    /// Nothing.
    Nothing,
}

/// A file that is taken, as it comes.
pub struct Taken {
    /// Its length.
    pub size_bytes: u64,
    /// The bytes; an error in the end says that they are not all.
    pub bytes: BoxStream<'static, std::io::Result<Bytes>>,
}

/// Tells what each layer did, and what of it is wasted.
///
/// # Errors
/// When the image is gone, or the engine is away or too busy.
pub async fn layers(services: &Services, permit: &Permit<image::Files>) -> Result<ImageLayers> {
    let client = services.link().client(permit);
    let layers = client.image_layers(permit.place().id.as_str()).await;
    layers.map_err(of_image)
}

/// Finds what is at a path; a directory by a page of its entries, a file by its text.
///
/// # Errors
/// When there is no such layer, or the engine is away or too busy.
pub async fn look(
    services: &Services,
    permit: &Permit<image::Files>,
    at: &At,
    query: &Query,
) -> Result<Found> {
    let client = services.link().client(permit);
    let id = permit.place().id.as_str();
    match find(&client, id, at, query).await {
        Err(ClientError::Refused { status: 404, .. }) => Ok(Found::Nothing),
        found => Ok(found?),
    }
}

async fn find(
    client: &EngineClient,
    id: &str,
    at: &At,
    query: &Query,
) -> Result<Found, ClientError> {
    let query = ImageFilesQuery {
        filter: query.filter.clone(),
        only_changes: query.only_changes,
        skip: query.page.saturating_sub(1).saturating_mul(ROWS),
        limit: ROWS,
    };
    let listed = client.image_files(id, at.asked(), &query).await?;
    let content = match &listed.file {
        Some(file) if file.entry.kind == FileKind::File => {
            Some(Content::of(text(client, id, at).await?))
        }
        _ => None,
    };
    Ok(Found::Something(Box::new(listed), content))
}

/// Reads a file that is short enough to be shown.
async fn text(client: &EngineClient, id: &str, at: &At) -> Result<Option<Vec<u8>>, ClientError> {
    let (size_bytes, mut chunks) = client.image_file(id, at.asked()).await?;
    if size_bytes > VIEW_BYTES_MAX {
        return Ok(None);
    }
    let mut content = Vec::new();
    while let Some(piece) = chunks.next().await? {
        content.extend_from_slice(&piece);
        if content.len() as u64 > VIEW_BYTES_MAX {
            return Ok(None);
        }
    }
    Ok(Some(content))
}

/// Begins to take a file away.
///
/// # Errors
/// When it is gone or no file, or the engine is away.
pub async fn take(
    services: &Services,
    permit: &Permit<image::DownloadFiles>,
    at: &At,
) -> Result<Taken> {
    let client = services.link().client(permit);
    let (id, asked) = (permit.place().id.clone(), at.clone());
    let layer = at
        .layer
        .map_or("last".to_owned(), |layer| (layer + 1).to_string());
    let detail = format!("path={} layer={layer}", at.path.shown());
    let (size_bytes, chunks) = audit::bracket(services, permit, detail, async move {
        let file = client.image_file(id.as_str(), asked.asked()).await;
        file.map_err(|error| match error {
            ClientError::Refused { status: 404, .. } => Error::NotFound { kind: "file" },
            other => other.into(),
        })
    })
    .await?;
    Ok(Taken {
        size_bytes,
        bytes: Box::pin(cut_off(pieces(chunks), permit.revoked())),
    })
}

fn pieces(chunks: Chunks) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    files::pieces(files::Source::Archive(chunks))
}

fn of_image(error: ClientError) -> Error {
    match error {
        ClientError::Refused { status: 404, .. } => Error::NotFound { kind: "image" },
        other => other.into(),
    }
}
