//! Calls about images. An image is named by a reference, its id, or a prefix of the id.

use std::time::Duration;

use bytes::Bytes;
use engine_api::filter::Filters;
use engine_api::images::{
    HistoryItem, Image, ImageSummary, Progress, REGISTRY_AUTH_HEADER, RemovedItem,
};
use engine_api::layers::{ImageDirectory, ImageLayers};
use engine_api::operation;
use futures_util::{Stream, TryStreamExt};
use http::header::CONTENT_LENGTH;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use crate::client::EngineClient;
use crate::error::{ClientError, Result};
use crate::request::{Body, Call};
use crate::stream::{Chunks, JsonLines};

/// How long an upload may go on before the engine answers.
pub(crate) const UPLOAD_DEADLINE: Duration = Duration::from_secs(3600);

/// How long the walk through all layers may take: longer than the engine gives it.
const LAYERS_DEADLINE: Duration = Duration::from_secs(150);

/// What to pull.
#[derive(Debug, Clone, Default)]
pub struct PullOptions {
    /// The reference without tag or digest.
    pub image: String,
    /// A tag or a digest.
    pub tag: String,
    /// As `linux/arm64`; the host's own if none is given.
    pub platform: Option<String>,
    /// The value of the credentials header: base64 of JSON.
    pub auth: Option<String>,
}

/// What to push.
#[derive(Debug, Clone, Default)]
pub struct PushOptions {
    /// The reference without its tag.
    pub image: String,
    /// The tag.
    pub tag: String,
    /// The value of the credentials header: base64 of JSON.
    pub auth: Option<String>,
}

/// A place in an image.
#[derive(Debug, Clone, Copy)]
pub struct ImagePath<'a> {
    /// The path.
    pub path: &'a str,
    /// As it is after this layer, counted from 0; after all of them if none is given.
    pub layer: Option<usize>,
}

impl ImagePath<'_> {
    fn of(self, call: Call) -> Call {
        call.query("path", self.path)
            .query_some("layer", self.layer)
    }
}

/// What is wanted of a directory of an image.
#[derive(Debug, Clone, Default)]
pub struct ImageFilesQuery {
    /// Only names with this in them.
    pub filter: String,
    /// Only what the layer added, changed or removed.
    pub only_changes: bool,
    /// How many to leave out at the beginning.
    pub skip: usize,
    /// How many at most; [`engine_api::containers::ENTRIES_MAX`] in any case.
    pub limit: usize,
}

/// Bytes that are sent to an engine: an archive.
pub trait ImageSource: Stream<Item = std::io::Result<Bytes>> + Send + 'static {}

impl<T: Stream<Item = std::io::Result<Bytes>> + Send + 'static> ImageSource for T {}

impl EngineClient {
    /// Lists images, with what of each others share.
    ///
    /// # Errors
    /// When a filter is refused or nobody answers.
    pub async fn images(&self, filters: &Filters) -> Result<Vec<ImageSummary>> {
        let mut call = Call::new(&operation::IMAGE_LIST, "").query("shared-size", true);
        if !filters.is_empty() {
            call = call.query("filters", filters.to_json());
        }
        self.fetch(call).await
    }

    /// Returns everything that is known of an image.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn image(&self, name: &str) -> Result<Image> {
        self.fetch(Call::new(&operation::IMAGE_INSPECT, name)).await
    }

    /// Returns how an image was made, newest step first.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn image_history(&self, name: &str) -> Result<Vec<HistoryItem>> {
        self.fetch(Call::new(&operation::IMAGE_HISTORY, name)).await
    }

    /// Returns what each layer of an image did, and what of it is wasted.
    ///
    /// # Errors
    /// When it is not there, goes through all of it for too long, or the engine is not one of ours.
    pub async fn image_layers(&self, name: &str) -> Result<ImageLayers> {
        let call = Call::new(&operation::IMAGE_LAYERS, name).within(LAYERS_DEADLINE);
        self.fetch(call).await
    }

    /// Returns what is at a path of an image after a layer; links are followed inside the image.
    ///
    /// # Errors
    /// When the image, the layer or the path is not there, or the engine is not one of ours.
    pub async fn image_files(
        &self,
        name: &str,
        at: ImagePath<'_>,
        query: &ImageFilesQuery,
    ) -> Result<ImageDirectory> {
        let call = at.of(Call::new(&operation::IMAGE_FILES, name));
        let call = call
            .query("filter", &query.filter)
            .query("changes", query.only_changes)
            .query("skip", query.skip)
            .query("limit", query.limit);
        self.fetch(call).await
    }

    /// Begins to read a regular file of an image as it is after a layer; with its length.
    ///
    /// # Errors
    /// When the image, the layer or the file is not there, or it is none.
    pub async fn image_file(&self, name: &str, at: ImagePath<'_>) -> Result<(u64, Chunks)> {
        let call = at.of(Call::new(&operation::IMAGE_FILE, name));
        let answer = self.send(call.within(UPLOAD_DEADLINE)).await?;
        let length = answer.headers().get(CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let length = length.ok_or_else(|| ClientError::Answer {
            operation: operation::IMAGE_FILE.name,
            reason: "it does not say how long the file is".to_owned(),
        })?;
        Ok((length, Chunks::new(answer)))
    }

    /// Pulls an image. A failure after the start comes as a line with `error`.
    ///
    /// # Errors
    /// When it is not there or the credentials are refused.
    pub async fn pull_image(&self, options: &PullOptions) -> Result<JsonLines<Progress>> {
        let mut call = Call::new(&operation::IMAGE_CREATE, "")
            .query("fromImage", &options.image)
            .query("tag", &options.tag)
            .query_some("platform", options.platform.as_ref())
            .within(UPLOAD_DEADLINE);
        if let Some(auth) = &options.auth {
            call = call.header(REGISTRY_AUTH_HEADER, auth)?;
        }
        Ok(JsonLines::new(
            operation::IMAGE_CREATE.name,
            self.send(call).await?,
        ))
    }

    /// Brings an image to the registry that its name says. A failure after the start comes as a line
    /// with `error`.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn push_image(&self, options: &PushOptions) -> Result<JsonLines<Progress>> {
        let mut call = Call::new(&operation::IMAGE_PUSH, &options.image)
            .query("tag", &options.tag)
            .within(UPLOAD_DEADLINE);
        if let Some(auth) = &options.auth {
            call = call.header(REGISTRY_AUTH_HEADER, auth)?;
        }
        Ok(JsonLines::new(
            operation::IMAGE_PUSH.name,
            self.send(call).await?,
        ))
    }

    /// Makes an image of a root file system's archive.
    ///
    /// # Errors
    /// When the archive or the name is refused.
    pub async fn import_image(
        &self,
        repository: &str,
        tag: &str,
        archive: impl ImageSource,
    ) -> Result<JsonLines<Progress>> {
        let call = Call::new(&operation::IMAGE_CREATE, "")
            .query("fromSrc", "-")
            .query("repo", repository)
            .query("tag", tag)
            .within(UPLOAD_DEADLINE)
            .stream(streamed(archive), "application/x-tar")?;
        Ok(JsonLines::new(
            operation::IMAGE_CREATE.name,
            self.send(call).await?,
        ))
    }

    /// Loads the images of an archive.
    ///
    /// # Errors
    /// When the archive is refused before its first byte is stored.
    pub async fn load_images(&self, archive: impl ImageSource) -> Result<JsonLines<Progress>> {
        let call = Call::new(&operation::IMAGE_LOAD, "")
            .within(UPLOAD_DEADLINE)
            .stream(streamed(archive), "application/x-tar")?;
        Ok(JsonLines::new(
            operation::IMAGE_LOAD.name,
            self.send(call).await?,
        ))
    }

    /// Gives an image one more name.
    ///
    /// # Errors
    /// When it is not there or the name is malformed.
    pub async fn tag_image(&self, name: &str, repository: &str, tag: &str) -> Result<()> {
        let call = Call::new(&operation::IMAGE_TAG, name)
            .query("repo", repository)
            .query("tag", tag);
        self.run(call).await
    }

    /// Takes a name from an image and, with its last name, the image.
    ///
    /// # Errors
    /// When it is not there or a container uses it.
    pub async fn remove_image(&self, name: &str, force: bool) -> Result<Vec<RemovedItem>> {
        self.fetch(Call::new(&operation::IMAGE_REMOVE, name).query("force", force))
            .await
    }
}

pub(crate) fn streamed(archive: impl ImageSource) -> Body {
    BodyExt::boxed_unsync(StreamBody::new(archive.map_ok(Frame::data)))
}
