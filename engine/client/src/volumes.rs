//! Calls about volumes.

use std::time::Duration;

use bytes::Bytes;
use engine_api::containers::{Directory, PathStat};
use engine_api::filter::Filters;
use engine_api::operation;
use engine_api::usage::Pruned;
use engine_api::volumes::{CloneBody, FileChange, Volume, VolumeCreateBody, VolumeList};
use futures_util::{Stream, TryStreamExt};
use http::header;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use crate::client::EngineClient;
use crate::error::Result;
use crate::files::{DirectoryQuery, stat};
use crate::request::{Body, Call};
use crate::stream::Chunks;
use crate::system::PRUNE_DEADLINE;

/// How long an archive may take to arrive.
const COPY_DEADLINE: Duration = Duration::from_secs(3600);
/// How long a directory may take: longer than the engine gives it.
const LIST_DEADLINE: Duration = Duration::from_secs(30);

/// What is expected of a file that is to be written.
#[derive(Debug, Clone, Copy)]
pub enum Before<'m> {
    /// Whatever is there.
    Anything,
    /// Nothing of that name.
    Nothing,
    /// What had this mark.
    Mark(&'m str),
}

impl EngineClient {
    /// Lists the volumes that the filters choose.
    ///
    /// # Errors
    /// When a filter is refused.
    pub async fn volumes(&self, filters: &Filters) -> Result<VolumeList> {
        let call = Call::new(&operation::VOLUME_LIST, "");
        self.fetch(call.query("filters", filters.to_json())).await
    }

    /// Describes a volume.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn volume(&self, name: &str) -> Result<Volume> {
        self.fetch(Call::new(&operation::VOLUME_INSPECT, name))
            .await
    }

    /// Makes a volume, or returns the one that has the name.
    ///
    /// # Errors
    /// When the name, the driver or an option is refused.
    pub async fn create_volume(&self, body: &VolumeCreateBody) -> Result<Volume> {
        self.fetch(Call::new(&operation::VOLUME_CREATE, "").json(body)?)
            .await
    }

    /// Removes a volume that nobody has; with `force`, one that is not there is no failure.
    ///
    /// # Errors
    /// When a container has it.
    pub async fn remove_volume(&self, name: &str, force: bool) -> Result<()> {
        let call = Call::new(&operation::VOLUME_REMOVE, name).query("force", force);
        self.run(call).await
    }

    /// Removes the volumes that nobody has and that the filters choose.
    ///
    /// # Errors
    /// When a filter is refused.
    pub async fn prune_volumes(&self, filters: &Filters) -> Result<Pruned> {
        let call = Call::new(&operation::VOLUME_PRUNE, "").query("filters", filters.to_json());
        self.fetch(call.within(PRUNE_DEADLINE)).await
    }
}

impl EngineClient {
    /// Lists a directory of a volume; links to it are followed inside the volume.
    ///
    /// # Errors
    /// When the volume or the directory is not there, or the engine is not one of ours.
    pub async fn volume_files(
        &self,
        name: &str,
        path: &str,
        query: &DirectoryQuery,
    ) -> Result<Directory> {
        let minus = if query.is_descending { "-" } else { "" };
        let call = Call::new(&operation::VOLUME_FILES, name)
            .query("path", path)
            .query("filter", &query.filter)
            .query("sort", format_args!("{minus}{}", query.order.as_str()))
            .query("skip", query.skip)
            .query("limit", query.limit)
            .within(LIST_DEADLINE);
        self.fetch(call).await
    }

    /// Makes one change of a volume's files.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn change_volume_files(&self, name: &str, change: &FileChange) -> Result<()> {
        self.run(Call::new(&operation::VOLUME_CHANGE, name).json(change)?)
            .await
    }

    /// Returns the facts of a path in a volume.
    ///
    /// # Errors
    /// When the volume or the path is not there.
    pub async fn volume_path_stat(&self, name: &str, path: &str) -> Result<PathStat> {
        let call = Call::new(&operation::VOLUME_PATH_STAT, name).query("path", path);
        stat(&self.send(call).await?)
    }

    /// Reads a path in a volume as a tar archive.
    ///
    /// # Errors
    /// When the volume or the path is not there.
    pub async fn volume_archive(&self, name: &str, path: &str) -> Result<(PathStat, Chunks)> {
        let call = Call::new(&operation::VOLUME_ARCHIVE, name)
            .query("path", path)
            .within(COPY_DEADLINE);
        let answer = self.send(call).await?;
        Ok((stat(&answer)?, Chunks::new(answer)))
    }

    /// Puts a tar archive into a directory of a volume.
    ///
    /// # Errors
    /// When the volume or the directory is not there, or the archive is refused.
    pub async fn extract_to_volume(
        &self,
        name: &str,
        path: &str,
        archive: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    ) -> Result<()> {
        let call = Call::new(&operation::VOLUME_EXTRACT, name)
            .query("path", path)
            .within(COPY_DEADLINE)
            .stream(body_of(archive), "application/x-tar")?;
        self.run(call).await
    }

    /// Reads a regular file of a volume; returns its mark too.
    ///
    /// # Errors
    /// When there is none.
    pub async fn volume_file(&self, name: &str, path: &str) -> Result<(String, Chunks)> {
        let call = Call::new(&operation::VOLUME_FILE, name)
            .query("path", path)
            .within(COPY_DEADLINE);
        let answer = self.send(call).await?;
        let mark = answer.headers().get(header::ETAG);
        let mark = mark.and_then(|mark| mark.to_str().ok()).unwrap_or_default();
        Ok((mark.trim_matches('"').to_owned(), Chunks::new(answer)))
    }

    /// Writes a regular file of a volume, if what is there is what is expected.
    ///
    /// # Errors
    /// When somebody changed it meanwhile, or it cannot be written.
    pub async fn write_volume_file(
        &self,
        name: &str,
        path: &str,
        before: Before<'_>,
        content: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    ) -> Result<()> {
        let call = Call::new(&operation::VOLUME_FILE_PUT, name)
            .query("path", path)
            .within(COPY_DEADLINE)
            .stream(body_of(content), "application/octet-stream")?;
        let call = match before {
            Before::Anything => call,
            Before::Nothing => call.header("if-none-match", "*")?,
            Before::Mark(mark) => call.header("if-match", &format!("\"{mark}\""))?,
        };
        self.run(call).await
    }

    /// Reads all of a volume as an archive compressed by zstd.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn back_up_volume(&self, name: &str) -> Result<Chunks> {
        let call = Call::new(&operation::VOLUME_BACKUP, name).within(COPY_DEADLINE);
        Ok(Chunks::new(self.send(call).await?))
    }

    /// Puts an archive in the place of everything in a volume, or one thing of it in the place of that.
    ///
    /// # Errors
    /// When the volume is in use or the archive is damaged; the volume is as it was then.
    pub async fn restore_volume(
        &self,
        name: &str,
        only: Option<&str>,
        archive: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    ) -> Result<()> {
        let call = Call::new(&operation::VOLUME_RESTORE, name)
            .query_some("path", only)
            .within(COPY_DEADLINE)
            .stream(body_of(archive), "application/x-tar")?;
        self.run(call).await
    }

    /// Copies a volume into a new one.
    ///
    /// # Errors
    /// When the name is taken.
    pub async fn clone_volume(&self, name: &str, to: &str) -> Result<Volume> {
        let body = CloneBody {
            name: to.to_owned(),
        };
        let call = Call::new(&operation::VOLUME_CLONE, name).json(&body)?;
        self.fetch(call.within(COPY_DEADLINE)).await
    }
}

fn body_of(content: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static) -> Body {
    BodyExt::boxed_unsync(StreamBody::new(content.map_ok(Frame::data)))
}
