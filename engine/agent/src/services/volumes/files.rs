//! A volume's files, for people: listed, read, written, whether a container runs with them or not.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine_api::containers::{Directory, PathStat};
use engine_api::volumes::FileChange;
use engine_runtime::Source;
use engine_storage::volume_files::{self, Expected, FileError};
use engine_storage::{
    AskedPath, Backing, IdMap, ListQuery, LocateError, OwnerNames, PackError, PlaceError,
    PlaceOptions, TreeRoot, list, pack, place,
};
use tokio::sync::oneshot;

use super::service::Volumes;
use super::using::backing;
use crate::ids;
use crate::services::chunks::{self, Chunks};
use crate::services::error::{Result, ServiceError, chain};
use crate::services::looking::{Waiting, file_entry, stat_of};
use crate::tasks::{on_own_thread, own_thread};

/// How long a directory may take: it may lie on a file system of somebody who does not answer.
const LIST_LIMIT: Duration = Duration::from_secs(20);
/// What is read of a body that nobody takes any more.
const DRAIN_BYTES: u64 = 64 << 20;

/// An archive that goes into a volume.
#[derive(Debug, Clone)]
pub(crate) struct Extraction {
    pub(crate) path: String,
    pub(crate) keep_kinds: bool,
}

/// A volume whose files are there as long as this lives.
pub(super) struct Present {
    volumes: Arc<Volumes>,
    name: String,
    by: String,
    pub(super) root: TreeRoot,
}

impl Drop for Present {
    fn drop(&mut self) {
        self.volumes.put_down(&self.name, &self.by);
    }
}

impl Volumes {
    /// Opens a volume's files, mounted where that is needed. Blocks.
    pub(super) fn present(self: &Arc<Self>, name: &str) -> Result<Present> {
        let by = format!("files-{}", ids::stream_id());
        self.begin(name, &by)?;
        let opened = self.open_root(name);
        if opened.is_err() {
            self.put_down(name, &by);
        }
        Ok(Present {
            volumes: Arc::clone(self),
            name: name.to_owned(),
            by,
            root: opened?,
        })
    }

    fn open_root(&self, name: &str) -> Result<TreeRoot> {
        let failed = "open the volume's files";
        let path = self.root_of(name)?;
        let source = Source::open(&path).map_err(ServiceError::failed(failed))?;
        let is_elsewhere = matches!(backing(&*self.record(name)?)?, Backing::Directory { .. });
        if is_elsewhere && !self.may_show(source.location()) {
            let message = "the profile of this host does not allow to look into this volume";
            return Err(ServiceError::Forbidden(message.to_owned()));
        }
        TreeRoot::open(source.location()).map_err(ServiceError::failed(failed))
    }

    /// Who the owners of files are, where those are not the host's own.
    pub(super) fn map(&self) -> Option<IdMap> {
        self.remap.map(Into::into)
    }

    /// Does something with a volume's files on a thread of its own.
    pub(super) async fn with_files<T: Send + 'static>(
        self: &Arc<Self>,
        name: &str,
        work: impl FnOnce(&Present) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (volumes, name) = (Arc::clone(self), name.to_owned());
        let done = on_own_thread("volume", move || work(&volumes.present(&name)?));
        done.await
            .map_err(ServiceError::failed("look at the volume's files"))?
    }

    /// Lists a directory of a volume.
    ///
    /// # Errors
    /// When the volume or the directory is not there, or it takes too long.
    pub(crate) async fn files(
        self: &Arc<Self>,
        name: &str,
        path: &str,
        query: ListQuery,
    ) -> Result<Directory> {
        let asked = AskedPath::new(path);
        let waiting = Waiting::default();
        let is_given_up = waiting.is_given_up();
        let (map, shown) = (self.map(), name.to_owned());
        let work = self.with_files(name, move |present| {
            let listed = list(&present.root, &asked, &query, is_given_up);
            let listed = listed.map_err(|error| not_located(error, &shown))?;
            let names = OwnerNames::in_texts(String::new(), String::new());
            let inside = |id: u32| map.map_or(id, |map| map.inside(id));
            Ok(Directory {
                uid: inside(listed.metadata.uid),
                gid: inside(listed.metadata.gid),
                read_only: listed.is_on_readonly_mount || present.volumes.is_readonly(&shown),
                total: listed.n_matching,
                is_cut: listed.is_cut,
                entries: listed
                    .entries
                    .into_iter()
                    .map(|entry| file_entry(entry, &names, inside))
                    .collect(),
            })
        });
        let listed = tokio::time::timeout(LIST_LIMIT, work).await;
        drop(waiting);
        listed.map_err(|_| {
            ServiceError::Unavailable("the directory takes too long to read".to_owned())
        })?
    }

    /// Returns the facts of a path in a volume.
    ///
    /// # Errors
    /// When the volume or the path is not there.
    pub(crate) async fn path_stat(self: &Arc<Self>, name: &str, path: &str) -> Result<PathStat> {
        let (asked, shown) = (AskedPath::new(path), name.to_owned());
        self.with_files(name, move |present| {
            let found = asked.locate(&present.root);
            found
                .map(|found| stat_of(&found))
                .map_err(|error| not_located(error, &shown))
        })
        .await
    }

    /// Begins to read a path in a volume as an archive.
    ///
    /// # Errors
    /// When the volume or the path is not there.
    pub(crate) async fn archive(
        self: &Arc<Self>,
        name: &str,
        path: &str,
    ) -> Result<(PathStat, Chunks)> {
        let (asked, shown, map) = (AskedPath::new(path), name.to_owned(), self.map());
        let volumes = Arc::clone(self);
        let (head, begun) = oneshot::channel();
        let (sender, chunks) = chunks::channel();
        own_thread("archive", move || {
            let present = match volumes.present(&shown) {
                Ok(present) => present,
                Err(error) => return drop(head.send(Err(error))),
            };
            match asked.locate(&present.root) {
                Ok(found) => {
                    // Whoever asked may have gone.
                    let _ = head.send(Ok(stat_of(&found)));
                    chunks::send(&sender, |target| packed(pack(found, map, target)));
                }
                Err(error) => drop(head.send(Err(not_located(error, &shown)))),
            }
        })
        .map_err(ServiceError::failed("begin to read the volume's files"))?;
        let gone = |_| ServiceError::Unavailable("reading the files broke off".to_owned());
        Ok((begun.await.map_err(gone)??, chunks))
    }

    /// Puts an archive into a directory of a volume.
    ///
    /// # Errors
    /// When the volume or the directory is not there, or the archive is refused. What came before the
    /// member that is refused is there.
    pub(crate) async fn extract(
        self: &Arc<Self>,
        name: &str,
        extraction: Extraction,
        mut source: impl Read + Send + 'static,
    ) -> Result<()> {
        let shown = name.to_owned();
        let options = PlaceOptions {
            keep_kinds: extraction.keep_kinds,
            map: self.map(),
            ..PlaceOptions::default()
        };
        self.with_files(name, move |present| {
            let asked = AskedPath::new(&extraction.path);
            let written = present.writable().and_then(|()| {
                let placed = place(&present.root, &asked, &mut source, options);
                placed.map_err(|error| not_placed(error, &shown))
            });
            // A client that is still sending would not read the answer.
            let _ = io::copy(&mut source.take(DRAIN_BYTES), &mut io::sink());
            written
        })
        .await
    }

    /// Begins to read a file; returns its mark and length with what it holds.
    ///
    /// # Errors
    /// When there is no regular file at the path.
    pub(crate) async fn read_file(
        self: &Arc<Self>,
        name: &str,
        path: &str,
    ) -> Result<(String, u64, Chunks)> {
        let (path, shown) = (inside(path), name.to_owned());
        let volumes = Arc::clone(self);
        let (head, begun) = oneshot::channel();
        let (sender, chunks) = chunks::channel();
        own_thread("file", move || {
            let opened = volumes.present(&shown).and_then(|present| {
                let opened = volume_files::read_file(&present.root, &path);
                let (file, metadata) = opened.map_err(|error| not_changed(error, &path, &shown))?;
                Ok((present, file, metadata))
            });
            let (_present, file, metadata) = match opened {
                Ok(opened) => opened,
                Err(error) => return drop(head.send(Err(error))),
            };
            let length = metadata.size_bytes;
            // Whoever asked may have gone.
            let _ = head.send(Ok((volume_files::mark_of(&metadata), length)));
            // A file that grows meanwhile is not longer than was said.
            chunks::send(&sender, |target| {
                io::copy(&mut file.take(length), target).map(drop)
            });
        })
        .map_err(ServiceError::failed("begin to read the volume's files"))?;
        let gone = |_| ServiceError::Unavailable("reading the files broke off".to_owned());
        let (mark, length) = begun.await.map_err(gone)??;
        Ok((mark, length, chunks))
    }

    /// Writes a file, if what is there is what is expected; returns its new mark.
    ///
    /// # Errors
    /// When somebody changed it meanwhile, or it cannot be written; the old one is there then.
    pub(crate) async fn write_file(
        self: &Arc<Self>,
        name: &str,
        path: &str,
        expected: Expected,
        mut source: impl Read + Send + 'static,
    ) -> Result<String> {
        let (path, shown, owner) = (inside(path), name.to_owned(), self.owner);
        self.with_files(name, move |present| {
            let written = present.writable().and_then(|()| {
                let root = &present.root;
                volume_files::write_file(root, &path, &mut source, &expected, owner)
                    .map_err(|error| not_changed(error, &path, &shown))
            });
            let _ = io::copy(&mut source.take(DRAIN_BYTES), &mut io::sink());
            Ok(volume_files::mark_of(&written?))
        })
        .await
    }

    /// Makes one change of a volume's files.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) async fn change_files(
        self: &Arc<Self>,
        name: &str,
        change: FileChange,
    ) -> Result<()> {
        let (shown, owner, map) = (name.to_owned(), self.owner, self.map());
        self.with_files(name, move |present| {
            present.writable()?;
            let root = &present.root;
            let (path, done) = match change {
                FileChange::Rename { path, to } => {
                    let path = inside(&path);
                    let done = volume_files::rename(root, &path, &inside(&to));
                    (path, done)
                }
                FileChange::Remove { path } => {
                    let path = inside(&path);
                    let done = volume_files::remove(root, &path);
                    (path, done)
                }
                FileChange::MakeDirectory { path } => {
                    let path = inside(&path);
                    let done = volume_files::make_directory(root, &path, owner);
                    (path, done)
                }
                FileChange::SetMode { path, mode } => {
                    if mode > 0o7777 {
                        let message = format!("the mode {mode:o} is more than 7777");
                        return Err(ServiceError::BadRequest(message));
                    }
                    let path = inside(&path);
                    let done = volume_files::set_mode(root, &path, mode);
                    (path, done)
                }
                FileChange::SetOwner { path, uid, gid } => {
                    let outside = |id: u32| map.map_or(Some(id), |map| map.outside(id));
                    let (Some(uid), Some(gid)) = (outside(uid), outside(gid)) else {
                        let message = format!("{uid}:{gid} is nobody in containers of this host");
                        return Err(ServiceError::BadRequest(message));
                    };
                    let path = inside(&path);
                    let done = volume_files::set_owner(root, &path, uid, gid);
                    (path, done)
                }
            };
            done.map_err(|error| not_changed(error.into(), &path, &shown))
        })
        .await
    }
}

impl Present {
    /// Checks that something may be written, and keeps images' content out from then on.
    fn writable(&self) -> Result<()> {
        if self.volumes.is_readonly(&self.name) {
            let message = format!("volume {} is read-only", self.name);
            return Err(ServiceError::Forbidden(message));
        }
        self.volumes.note_use(&self.name)
    }
}

/// A path clean by its text; what leads above the root begins at it.
fn inside(path: &str) -> PathBuf {
    AskedPath::new(path).path().to_owned()
}

/// What a broken archive says to its client.
pub(super) fn packed<W>(written: std::result::Result<W, PackError>) -> io::Result<()> {
    match written {
        Ok(_) => Ok(()),
        Err(PackError::Write(error)) => Err(error),
        Err(error) => Err(io::Error::other(chain(&error))),
    }
}

fn not_located(error: LocateError, name: &str) -> ServiceError {
    match error {
        LocateError::NotFound(path) => ServiceError::NotFound(format!(
            "Could not find the file {} in volume {name}",
            path.display()
        )),
        LocateError::NotADirectory(path) => {
            ServiceError::BadRequest(format!("{}: not a directory", path.display()))
        }
        LocateError::Kernels(_) => ServiceError::Forbidden(error.to_string()),
        LocateError::Failed { .. } => ServiceError::failed("look at the volume's files")(error),
    }
}

pub(super) fn not_placed(error: PlaceError, name: &str) -> ServiceError {
    if error.is_full() {
        return ServiceError::failed("write the volume's files, the disk is full")(error);
    }
    match error {
        PlaceError::Locate(LocateError::NotADirectory(_)) => {
            ServiceError::BadRequest("extraction point is not a directory".to_owned())
        }
        PlaceError::Locate(error) => not_located(error, name),
        PlaceError::ReadOnly { .. } => {
            ServiceError::Forbidden("mounted volume is marked read-only".to_owned())
        }
        PlaceError::Write { .. } => ServiceError::Conflict(chain(&error)),
        PlaceError::Archive(_) | PlaceError::Refused { .. } => {
            ServiceError::BadRequest(chain(&error))
        }
    }
}

fn not_changed(error: FileError, path: &std::path::Path, name: &str) -> ServiceError {
    use rustix::io::Errno;
    let shown = path.display();
    match error {
        FileError::Changed => ServiceError::Changed(format!(
            "{shown} in volume {name} was changed meanwhile; nothing was written"
        )),
        FileError::NotAFile => ServiceError::BadRequest(format!("{shown} is no regular file")),
        FileError::Source(_) => ServiceError::BadRequest(chain(&error)),
        FileError::Sys(ref cause) => match cause.errno {
            Errno::NOENT | Errno::NAMETOOLONG => {
                ServiceError::NotFound(format!("Could not find the file {shown} in volume {name}"))
            }
            Errno::NOTDIR => ServiceError::BadRequest(format!("{shown}: not a directory")),
            Errno::EXIST => ServiceError::Conflict(format!(
                "the name is taken in volume {name}; {shown} stays as it is"
            )),
            Errno::INVAL | Errno::LOOP | Errno::XDEV => ServiceError::BadRequest(format!(
                "{shown} in volume {name} cannot be changed so: {}",
                chain(&error)
            )),
            _ => ServiceError::failed("change the volume's files")(error),
        },
    }
}
