//! A container's changes become an image.
//!
//! The container stands still while they are read, unless it is asked otherwise, and no longer. A
//! mark in the passing directory says who stands still for that: an engine that was killed meanwhile
//! lets it go on when it begins again. A client that goes away does not break it off; an engine that
//! ends does, and lets it go on before.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine_api::containers::ContainerConfig;
use engine_api::id::ContainerId;
use engine_storage::{LayerError, PackError};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::registry::{Containers, Handle, Site};
use super::{pausing, process, users};
use crate::faults;
use crate::services::error::{Result, ServiceError, chain};
use crate::services::images::Commit;
use crate::tasks::blocking;

/// How long a commit waits for another one of the same container.
const TURN_LIMIT: Duration = Duration::from_secs(300);

/// What is asked of a commit beside the container.
#[derive(Debug, Clone, Default)]
pub(crate) struct CommitRequest {
    pub(crate) repo: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) author: String,
    pub(crate) comment: String,
    pub(crate) changes: Vec<String>,
    /// The container may go on while its files are read.
    pub(crate) without_pause: bool,
    /// Lies over the container's own configuration.
    pub(crate) config: ContainerConfig,
}

impl Containers {
    /// Makes an image of a container; returns its id.
    ///
    /// # Errors
    /// When the container or the image that it was made of is not there, or a name or a change is
    /// malformed.
    pub(crate) async fn commit(
        self: &Arc<Self>,
        reference: &str,
        asked: CommitRequest,
    ) -> Result<String> {
        let handle = self.find(reference)?;
        let copy = self.copy_permit()?;
        let containers = Arc::clone(self);
        let (done, made) = oneshot::channel();
        self.site.tasks.spawn_to_end("commit", async move {
            // Whoever asked may have gone.
            let _ = done.send(containers.commit_to_end(&handle, asked, copy).await);
        });
        made.await.map_err(|_| stopping())?
    }

    async fn commit_to_end(
        &self,
        handle: &Handle,
        asked: CommitRequest,
        copy: OwnedSemaphorePermit,
    ) -> Result<String> {
        // Two at once would share one pause, and the first to end it would let both go on.
        let turn = tokio::time::timeout(TURN_LIMIT, handle.standing.acquire()).await;
        let Ok(Ok(turn)) = turn else {
            let message = "another commit of the container goes on; try again when that is done";
            return Err(ServiceError::Conflict(message.to_owned()));
        };
        let view = handle.view();
        let paused = if asked.without_pause || !view.is_running() || view.paused {
            None
        } else {
            Some(StandsStill::begin(self, handle).await?)
        };
        faults::point("commit.paused");
        let record = Arc::clone(&view.record);
        let snapshot = users::snapshot(&self.site, &record);
        let commit = Commit {
            base: record.image_id.clone(),
            repo: asked.repo,
            tag: asked.tag,
            author: asked.author,
            comment: asked.comment.clone(),
            changes: asked.changes,
            created_by: process::arguments(&record.config).join(" "),
            config: over(asked.config, &record.config),
        };
        // Gone as soon as the files are read, or nobody will read them any more.
        let (reading, is_read) = oneshot::channel::<()>();
        let making = self.images.commit(commit, move |target| {
            let _while_it_reads = (copy, reading);
            match snapshot.write_layer(&record.layers, target) {
                Ok(_) => Ok(()),
                Err(LayerError::Pack(PackError::Write(error))) => Err(error),
                Err(error) => Err(io::Error::other(chain(&error))),
            }
        });
        let going_on = async {
            tokio::select! {
                _ = is_read => {}
                () = self.site.tasks.stopping() => {}
            }
            if let Some(paused) = paused {
                paused.end(self, handle).await;
            }
            drop(turn);
        };
        // What is made when the engine ends would hold files of another moment; the reader fails at
        // its next write, and the next engine sweeps what there is.
        let making = async {
            tokio::select! {
                made = making => made,
                () = self.site.tasks.stopping() => Err(stopping()),
            }
        };
        let (made, ()) = tokio::join!(making, going_on);
        let (id, name) = made?;
        let said = [
            ("comment", asked.comment),
            ("imageID", id.clone()),
            ("imageRef", name.unwrap_or_default()),
        ];
        self.tell(handle, "commit", said);
        faults::point("commit.told");
        Ok(id)
    }

    /// Lets go on what stood still for a commit of an engine that was killed.
    pub(crate) async fn end_broken_commits(&self) {
        let Ok(marks) = fs::read_dir(marks(&self.site)) else {
            return;
        };
        for mark in marks.flatten() {
            let id = mark.file_name().to_string_lossy().into_owned();
            // It may have ended since, or have been let go on.
            if let Err(error) = self.unpause(&id).await {
                tracing::debug!(container.id = id, reason = chain(&error), "not unpaused");
            }
            let _ = fs::remove_file(mark.path());
        }
    }
}

fn stopping() -> ServiceError {
    ServiceError::Unavailable("the engine is stopping".to_owned())
}

/// A container that stands still for as long as its files are read.
struct StandsStill {
    mark: PathBuf,
}

impl StandsStill {
    async fn begin(containers: &Containers, handle: &Handle) -> Result<Self> {
        let mark = mark(&containers.site, &handle.id)?;
        faults::point("commit.marked");
        if let Err(error) = containers.pause(handle.id.as_str()).await {
            if containers.site.tasks.are_stopping() {
                // Nobody says how far it came: the next engine finds the mark if this does not help.
                let _ = let_go(containers, handle).await;
                return Err(error);
            }
            let _ = fs::remove_file(&mark);
            // It ended in this moment: nothing runs that could change the files.
            if handle.view().is_running() {
                return Err(error);
            }
        }
        Ok(Self { mark })
    }

    async fn end(self, containers: &Containers, handle: &Handle) {
        let mut unpaused = Ok(());
        if handle.view().paused {
            unpaused = containers.unpause(handle.id.as_str()).await;
        }
        if unpaused.is_err() && containers.site.tasks.are_stopping() {
            // Its owner has ended before.
            unpaused = let_go(containers, handle).await;
        }
        if let Err(error) = unpaused {
            let reason = chain(&error);
            tracing::error!(
                container.id = handle.id.as_str(),
                reason,
                "not unpaused after a commit"
            );
        }
        faults::point("commit.unpaused");
        // It lies in memory; absent is as good as removed.
        let _ = fs::remove_file(&self.mark);
    }
}

/// Lets a container go on whose owner can no longer be asked.
async fn let_go(containers: &Containers, handle: &Handle) -> Result<()> {
    let (site, record) = (
        Arc::clone(&containers.site),
        Arc::clone(&handle.view().record),
    );
    let thawed = blocking(move || pausing::group(&site, &record)?.thaw());
    thawed
        .await
        .map_err(ServiceError::failed("let the container go on"))
}

fn marks(site: &Site) -> PathBuf {
    site.run.join("commits")
}

fn mark(site: &Site, id: &ContainerId) -> Result<PathBuf> {
    let dir = marks(site);
    let mark = dir.join(id.as_str());
    fs::create_dir_all(&dir)
        .and_then(|()| fs::write(&mark, b""))
        .map_err(ServiceError::failed("mark the container as standing still"))?;
    Ok(mark)
}

/// What is asked for replaces what the container has; lists of names are joined.
fn over(asked: ContainerConfig, own: &ContainerConfig) -> ContainerConfig {
    let mut config = own.clone();
    let text = |asked: String, own: &mut String| {
        if !asked.is_empty() {
            *own = asked;
        }
    };
    text(asked.user, &mut config.user);
    text(asked.working_dir, &mut config.working_dir);
    text(asked.stop_signal, &mut config.stop_signal);
    if let Some(entrypoint) = asked.entrypoint.filter(|words| !words.is_empty()) {
        // As in a create: the command belongs to the entrypoint it was given with.
        config.entrypoint = Some(entrypoint);
        config.cmd = asked.cmd;
    } else if asked.cmd.as_ref().is_some_and(|words| !words.is_empty()) {
        config.cmd = asked.cmd;
    }
    if let Some(env) = asked.env {
        let base = config.env.unwrap_or_default();
        config.env = Some(process::overlaid(&base, &env));
    }
    config.labels.extend(asked.labels);
    config.exposed_ports.extend(asked.exposed_ports);
    if let Some(volumes) = asked.volumes {
        config.volumes.get_or_insert_default().extend(volumes);
    }
    if asked.healthcheck.is_some() {
        config.healthcheck = asked.healthcheck;
    }
    config
}
