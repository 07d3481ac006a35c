//! Calls about the files of a container, and about what they become.

use std::time::Duration;

use bytes::Bytes;
use engine_api::containers::{Change, Directory, FileOrder, IdAnswer, PATH_STAT_HEADER, PathStat};
use engine_api::operation;
use futures_util::{Stream, TryStreamExt};
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};

use crate::client::EngineClient;
use crate::error::{ClientError, Result};
use crate::request::Call;
use crate::stream::Chunks;

/// How long an archive may take to arrive.
const COPY_DEADLINE: Duration = Duration::from_secs(3600);

/// How long a directory may take: longer than the engine gives it.
const LIST_DEADLINE: Duration = Duration::from_secs(30);

/// What is wanted of a directory.
#[derive(Debug, Clone, Default)]
pub struct DirectoryQuery {
    /// Only names with this in them.
    pub filter: String,
    /// In which order.
    pub order: FileOrder,
    /// The other way round.
    pub is_descending: bool,
    /// How many to leave out at the beginning.
    pub skip: usize,
    /// How many at most; [`engine_api::containers::ENTRIES_MAX`] in any case.
    pub limit: usize,
}

/// How an archive goes into a container.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExtractOptions {
    /// Never replace a directory by something else, or the reverse.
    pub keep_kinds: bool,
    /// Everything belongs to the container's user.
    pub as_user: bool,
}

impl EngineClient {
    /// Returns the facts of a path inside a container.
    ///
    /// # Errors
    /// When the container or the path is not there.
    pub async fn container_path_stat(&self, id: &str, path: &str) -> Result<PathStat> {
        let call = Call::new(&operation::CONTAINER_PATH_STAT, id).query("path", path);
        stat(&self.send(call).await?)
    }

    /// Lists a directory inside a container; links to it are followed.
    ///
    /// # Errors
    /// When the container or the directory is not there, or the engine is not one of ours.
    pub async fn container_files(
        &self,
        id: &str,
        path: &str,
        query: &DirectoryQuery,
    ) -> Result<Directory> {
        let minus = if query.is_descending { "-" } else { "" };
        let call = Call::new(&operation::CONTAINER_FILES, id)
            .query("path", path)
            .query("filter", &query.filter)
            .query("sort", format_args!("{minus}{}", query.order.as_str()))
            .query("skip", query.skip)
            .query("limit", query.limit)
            .within(LIST_DEADLINE);
        self.fetch(call).await
    }

    /// Reads a path inside a container as a tar archive.
    ///
    /// # Errors
    /// When the container or the path is not there.
    pub async fn container_archive(&self, id: &str, path: &str) -> Result<(PathStat, Chunks)> {
        let call = Call::new(&operation::CONTAINER_ARCHIVE, id)
            .query("path", path)
            .within(COPY_DEADLINE);
        let answer = self.send(call).await?;
        Ok((stat(&answer)?, Chunks::new(answer)))
    }

    /// Puts a tar archive into a directory of a container.
    ///
    /// # Errors
    /// When the container or the directory is not there, or the archive is refused.
    pub async fn extract_to_container(
        &self,
        id: &str,
        path: &str,
        options: ExtractOptions,
        archive: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    ) -> Result<()> {
        let body = BodyExt::boxed_unsync(StreamBody::new(archive.map_ok(Frame::data)));
        let call = Call::new(&operation::CONTAINER_EXTRACT, id)
            .query("path", path)
            .query("noOverwriteDirNonDir", options.keep_kinds)
            .query("copyUIDGID", options.as_user)
            .within(COPY_DEADLINE)
            .stream(body, "application/x-tar")?;
        self.run(call).await
    }

    /// Lists what a container changed against its image.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn container_changes(&self, id: &str) -> Result<Vec<Change>> {
        // Docker says null where nothing changed.
        let changes: Option<Vec<Change>> = self
            .fetch(Call::new(&operation::CONTAINER_CHANGES, id))
            .await?;
        Ok(changes.unwrap_or_default())
    }

    /// Reads all of a container's own files as a tar archive.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn export_container(&self, id: &str) -> Result<Chunks> {
        let call = Call::new(&operation::CONTAINER_EXPORT, id).within(COPY_DEADLINE);
        Ok(Chunks::new(self.send(call).await?))
    }
}

/// What is said of the image that a container becomes.
#[derive(Debug, Clone, Default)]
pub struct CommitOptions {
    /// Its name; without one it has only its id.
    pub repository: Option<String>,
    /// Its tag; `latest` goes without saying.
    pub tag: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// A word about it.
    pub comment: Option<String>,
    /// Instructions of a Dockerfile that change its configuration.
    pub changes: Vec<String>,
    /// The container goes on while its files are read.
    pub without_pause: bool,
}

impl EngineClient {
    /// Makes an image of a container and returns its id.
    ///
    /// # Errors
    /// When the container is not there, or a name or a change is refused.
    pub async fn commit_container(&self, id: &str, options: &CommitOptions) -> Result<String> {
        let mut call = Call::new(&operation::CONTAINER_COMMIT, "")
            .query("container", id)
            .query("pause", !options.without_pause)
            .query_some("repo", options.repository.as_ref())
            .query_some("tag", options.tag.as_ref())
            .query_some("author", options.author.as_ref())
            .query_some("comment", options.comment.as_ref())
            .within(COPY_DEADLINE);
        for change in &options.changes {
            call = call.query("changes", change);
        }
        let answer: IdAnswer = self.fetch(call).await?;
        Ok(answer.id)
    }

    /// Reads images as one archive.
    ///
    /// # Errors
    /// When one of them is not there.
    pub async fn save_images(&self, names: &[&str]) -> Result<Chunks> {
        let mut call = Call::new(&operation::IMAGE_SAVE_ALL, "").within(COPY_DEADLINE);
        for name in names {
            call = call.query("names", name);
        }
        Ok(Chunks::new(self.send(call).await?))
    }
}

pub(crate) fn stat(answer: &Response<Incoming>) -> Result<PathStat> {
    let header = answer.headers().get(PATH_STAT_HEADER);
    header
        .and_then(|value| PathStat::from_header(value.to_str().ok()?))
        .ok_or_else(|| ClientError::Request {
            operation: operation::CONTAINER_PATH_STAT.name,
            reason: "the answer says nothing of the path".to_owned(),
        })
}
