//! Files in and out of a container: `docker cp`, in any state.
//!
//! Of a container that runs, the files are reached by a descriptor of its program's root, as the
//! program sees them; the engine enters no namespace and mounts nothing. Of one that rests, the
//! overlay is mounted for one thread alone. Either way, every path is resolved below that root by
//! the kernel, and the pace is the client's: a bounded channel stands between it and the thread.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine_api::containers::{Change, PathStat};
use engine_runtime::{Held, MountKind};
use engine_storage::{
    Access, AskedPath, Bind, ChangeKind, Judge, LocateError, Merged, PackError, PlaceError,
    PlaceOptions, TreeRoot, open_root_of, owner_of, pack, pack_contents, place,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::registry::{Containers, Handle, Site};
use super::view::View;
use super::{spec, users, volumes};
use crate::records::{ContainerRecord, VolumeUse};
use crate::services::chunks::{self, Chunks};
use crate::services::error::{Result, ServiceError, chain};
use crate::services::looking::stat_of;
use crate::tasks::{blocking, on_own_thread, own_thread};

/// How long a start waits for files that are being written, and the reverse.
const ALONE_LIMIT: Duration = Duration::from_secs(30);

/// How long an end that has happened may take to be known.
const END_LIMIT: Duration = Duration::from_secs(10);

/// What is read of a refused archive so that its sender gets to read the answer.
const DRAIN_BYTES: u64 = 256 << 20;

/// How an archive goes into a container.
#[derive(Debug, Clone)]
pub(crate) struct Extraction {
    pub(crate) path: String,
    /// Never replace a directory by something else, or the reverse.
    pub(crate) keep_kinds: bool,
    /// Everything belongs to the container's user.
    pub(crate) as_user: bool,
}

/// Where a container's files are to be found now.
pub(super) enum Files {
    Running(TreeRoot),
    Resting(Merged, Option<Alone>),
}

/// A resting container's files are written by nobody else, and it does not start.
pub(super) struct Alone {
    _permit: OwnedSemaphorePermit,
    /// The monitor of its last life has let go of its mounts.
    _place: Held,
}

/// Waits until nobody else writes a resting container's files, or starts it.
///
/// # Errors
/// When that takes too long.
pub(super) async fn alone(files: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    let permit = Arc::clone(files).acquire_owned();
    match tokio::time::timeout(ALONE_LIMIT, permit).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(ServiceError::Conflict(
            "files are being copied into the container; try again when that is done".to_owned(),
        )),
    }
}

impl Containers {
    /// Returns the facts of a path inside a container.
    ///
    /// # Errors
    /// When the container or the path is not there.
    pub(crate) async fn path_stat(&self, reference: &str, path: &str) -> Result<PathStat> {
        let handle = self.find(reference)?;
        let copy = self.copy_permit()?;
        let files = self.readable(&handle).await?;
        let (asked, reference) = (AskedPath::new(path), reference.to_owned());
        on_own_thread("path stat", move || {
            let _copy = copy;
            files.with(false, |root| {
                let found = asked.locate(root);
                found
                    .map(|found| stat_of(&found))
                    .map_err(|error| not_located(error, &reference, &asked))
            })?
        })
        .await
        .map_err(ServiceError::failed("look at the container's files"))?
    }

    /// Begins to read a path inside a container as an archive.
    ///
    /// # Errors
    /// When the container or the path is not there.
    pub(crate) async fn archive(&self, reference: &str, path: &str) -> Result<(PathStat, Chunks)> {
        let handle = self.find(reference)?;
        let copy = self.copy_permit()?;
        let files = self.readable(&handle).await?;
        let (asked, name) = (AskedPath::new(path), reference.to_owned());
        let map = users::map(&handle.view().record);
        let (head, begun) = oneshot::channel();
        let (sender, chunks) = chunks::channel();
        own_thread("archive", move || {
            let _copy = copy;
            let mut head = Some(head);
            let done = files.with(false, |root| match asked.locate(root) {
                Ok(found) => {
                    answer(&mut head, Ok(stat_of(&found)));
                    chunks::send(&sender, |target| packed(pack(found, map, target)));
                }
                Err(error) => answer(&mut head, Err(not_located(error, &name, &asked))),
            });
            if let Err(error) = done {
                answer(&mut head, Err(error));
            }
        })
        .map_err(ServiceError::failed("begin to read the container's files"))?;
        let gone = |_| ServiceError::Unavailable("reading the files broke off".to_owned());
        let stat = begun.await.map_err(gone)??;
        self.tell(&handle, "archive-path", []);
        Ok((stat, chunks))
    }

    /// Puts an archive into a directory of a container.
    ///
    /// # Errors
    /// When the container or the directory is not there, nothing may be written there, or the
    /// archive is refused. What came before the member that is refused is there.
    pub(crate) async fn extract(
        &self,
        reference: &str,
        extraction: Extraction,
        mut source: impl Read + Send + 'static,
    ) -> Result<()> {
        let handle = self.find(reference)?;
        let copy = self.copy_permit()?;
        let files = self.writable(&handle).await?;
        let record = Arc::clone(&handle.view().record);
        let name = reference.to_owned();
        on_own_thread("extract", move || {
            let _copy = copy;
            let readonly_root = record.host_config.readonly_rootfs;
            let done = files.with(readonly_root, |root| {
                extract(root, &record, &extraction, &mut source)
                    .map_err(|error| not_placed(error, &name, &extraction.path))
            });
            // A client that is still sending would not read the answer.
            let _ = io::copy(&mut source.take(DRAIN_BYTES), &mut io::sink());
            done?
        })
        .await
        .map_err(ServiceError::failed("write the container's files"))??;
        self.tell(&handle, "extract-to-dir", []);
        Ok(())
    }

    /// Begins to read all of a container's own files; what is mounted in it is not among them.
    ///
    /// # Errors
    /// When the container is not there.
    pub(crate) async fn export(&self, reference: &str) -> Result<Chunks> {
        let handle = self.find(reference)?;
        let copy = self.copy_permit()?;
        let map = users::map(&handle.view().record);
        let merged = Merged {
            binds: Vec::new(),
            ..merged(&self.site, &handle.view())?
        };
        let (head, begun) = oneshot::channel();
        let (sender, chunks) = chunks::channel();
        own_thread("export", move || {
            let _copy = copy;
            let mut head = Some(head);
            let done = Files::Resting(merged, None).with(false, |root| {
                answer(&mut head, Ok(()));
                chunks::send(&sender, |target| packed(pack_contents(root, map, target)));
            });
            if let Err(error) = done {
                answer(&mut head, Err(error));
            }
        })
        .map_err(ServiceError::failed("begin to read the container's files"))?;
        let gone = |_| ServiceError::Unavailable("reading the files broke off".to_owned());
        begun.await.map_err(gone)??;
        self.tell(&handle, "export", []);
        Ok(chunks)
    }

    /// Lists what a container changed against its image.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) async fn changes(&self, reference: &str) -> Result<Vec<Change>> {
        let handle = self.find(reference)?;
        let record = Arc::clone(&handle.view().record);
        let snapshot = users::snapshot(&self.site, &record);
        let changes = blocking(move || snapshot.changes(&record.layers))
            .await
            .map_err(ServiceError::failed("compare the container with its image"))?;
        let wire = changes.into_iter().map(|change| Change {
            path: change.path.to_string_lossy().into_owned(),
            kind: match change.kind {
                ChangeKind::Changed => 0,
                ChangeKind::Added => 1,
                ChangeKind::Deleted => 2,
            },
        });
        Ok(wire.collect())
    }

    /// Takes one of the copies that may go on at a time.
    pub(super) fn copy_permit(&self) -> Result<OwnedSemaphorePermit> {
        let copies = Arc::clone(&self.site.copies).try_acquire_owned();
        copies.map_err(|_| {
            let message = "too many copies of files are going on; try again when one is done";
            ServiceError::Unavailable(message.to_owned())
        })
    }

    /// Finds the files of a container, to read them.
    pub(super) async fn readable(&self, handle: &Handle) -> Result<Files> {
        match self.of_running(handle).await? {
            Some(root) => Ok(Files::Running(root)),
            None => Ok(Files::Resting(merged(&self.site, &handle.view())?, None)),
        }
    }

    /// Finds the files of a container, to write them: one that rests stays so until it is done.
    async fn writable(&self, handle: &Handle) -> Result<Files> {
        if let Some(root) = self.of_running(handle).await? {
            return Ok(Files::Running(root));
        }
        let permit = alone(&handle.files).await?;
        // It may have started while this waited.
        if let Some(root) = self.of_running(handle).await? {
            return Ok(Files::Running(root));
        }
        let bundle = self.site.bundle(&handle.id);
        let place = blocking(move || bundle.hold(END_LIMIT)).await;
        let alone = Alone {
            _permit: permit,
            _place: place.map_err(ServiceError::failed("write the container's files"))?,
        };
        let merged = merged(&self.site, &handle.view())?;
        Ok(Files::Resting(merged, Some(alone)))
    }

    /// Opens the root that a running container's program sees; `None` when it rests.
    async fn of_running(&self, handle: &Handle) -> Result<Option<TreeRoot>> {
        let Some(pid) = handle.view().pid() else {
            return Ok(None);
        };
        let error = match open_root_of(pid, handle.id.as_str()) {
            Ok(root) => return Ok(Some(root)),
            Err(error) => error,
        };
        // It has ended, and its owner is about to hear of it.
        let mut views = handle.watch();
        let ended = views.wait_for(|view| view.pid() != Some(pid));
        match tokio::time::timeout(END_LIMIT, ended).await {
            Ok(Ok(view)) if view.pid().is_none() => Ok(None),
            _ => Err(ServiceError::failed("open the container's root")(error)),
        }
    }
}

impl Files {
    /// Does `work` with the root, on this thread or on one that has the files mounted.
    pub(super) fn with<T: Send>(
        self,
        readonly_root: bool,
        work: impl FnOnce(&TreeRoot) -> T + Send,
    ) -> Result<T> {
        let mount = ServiceError::failed("mount the container's files");
        match self {
            Self::Running(root) => Ok(work(&root)),
            Self::Resting(merged, None) => merged.with(Access::Read, work).map_err(mount),
            Self::Resting(merged, Some(alone)) => {
                let access = Access::Write { readonly_root };
                let done = merged.with(access, work).map_err(mount);
                drop(alone);
                done
            }
        }
    }
}

fn extract(
    root: &TreeRoot,
    record: &ContainerRecord,
    extraction: &Extraction,
    source: &mut (impl Read + Send),
) -> std::result::Result<(), PlaceError> {
    let user = record.config.user.as_str();
    let owner = if extraction.as_user && !user.is_empty() {
        let owner = owner_of(root, user).ok_or_else(|| PlaceError::Refused {
            entry: user.to_owned(),
            reason: "is no user of the container".to_owned(),
        })?;
        Some(owner)
    } else {
        None
    };
    let options = PlaceOptions {
        keep_kinds: extraction.keep_kinds,
        owner,
        map: users::map(record),
        bounds: None,
    };
    place(root, &AskedPath::new(&extraction.path), source, options)
}

/// What a resting container's root is made of.
pub(super) fn merged(site: &Site, view: &View) -> Result<Merged> {
    let record = &view.record;
    let asked = volumes::asked(record)?;
    let guard = site.guard.clone();
    let judge = Judge::by(move |location| guard.may_show(location));
    let asked = asked
        .into_iter()
        .map(|one| (one.mount, Some(judge.clone())));
    let own = spec::etc_mounts(site, record).into_iter();
    let binds = own.map(|mount| (mount, None)).chain(asked);
    let binds = binds.filter_map(|(mount, judge)| match mount.kind {
        MountKind::Bind { source, .. } => Some(Bind {
            source,
            target: PathBuf::from(mount.target),
            readonly: mount.readonly,
            judge,
        }),
        MountKind::Tmpfs { .. } => None,
    });
    let of_volume = |volume: &VolumeUse| {
        let (source, judge) = site.volumes.resting(&volume.name, &volume.subpath)?;
        Some(Bind {
            source,
            target: PathBuf::from(&volume.target),
            readonly: volume.readonly || site.volumes.is_readonly(&volume.name),
            judge: Some(judge),
        })
    };
    let volumes = record.volumes.iter().filter_map(of_volume);
    let mut binds: Vec<Bind> = binds.chain(volumes).collect();
    binds.sort_by_key(|bind| bind.target.components().count());
    Ok(Merged {
        snapshot: users::snapshot(site, record),
        users: users::namespace(site, record)?,
        lowers: site.lowers(record),
        binds,
    })
}

/// What a broken archive says to its client.
fn packed<W>(written: std::result::Result<W, PackError>) -> io::Result<()> {
    match written {
        Ok(_) => Ok(()),
        Err(PackError::Write(error)) => Err(error),
        Err(error) => Err(io::Error::other(chain(&error))),
    }
}

fn answer<T>(head: &mut Option<oneshot::Sender<Result<T>>>, said: Result<T>) {
    if let Some(head) = head.take() {
        // Whoever asked may have gone.
        let _ = head.send(said);
    }
}

pub(super) fn not_located(error: LocateError, reference: &str, asked: &AskedPath) -> ServiceError {
    let path = asked.path().display();
    match error {
        LocateError::NotFound(_) => ServiceError::NotFound(format!(
            "Could not find the file {path} in container {reference}"
        )),
        LocateError::NotADirectory(_) => {
            ServiceError::BadRequest(format!("{path}: not a directory"))
        }
        LocateError::Kernels(_) => ServiceError::Forbidden(error.to_string()),
        LocateError::Failed { .. } => ServiceError::failed("look at the container's files")(error),
    }
}

fn not_placed(error: PlaceError, reference: &str, path: &str) -> ServiceError {
    if error.is_full() {
        return ServiceError::failed("write the container's files, the disk is full")(error);
    }
    match error {
        PlaceError::Locate(LocateError::NotADirectory(_)) => {
            ServiceError::BadRequest("extraction point is not a directory".to_owned())
        }
        PlaceError::Locate(error) => not_located(error, reference, &AskedPath::new(path)),
        PlaceError::ReadOnly { is_root, .. } => ServiceError::Forbidden(
            if is_root {
                "container rootfs is marked read-only"
            } else {
                "mounted volume is marked read-only"
            }
            .to_owned(),
        ),
        PlaceError::Write { .. } if error.is_readonly() => {
            ServiceError::Forbidden("mounted volume is marked read-only".to_owned())
        }
        PlaceError::Write { .. } => ServiceError::Conflict(chain(&error)),
        PlaceError::Archive(_) | PlaceError::Refused { .. } => {
            ServiceError::BadRequest(chain(&error))
        }
    }
}
