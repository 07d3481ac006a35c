//! A volume as one archive, back from one, and copied into another volume.
//!
//! ```text
//!   restore: archive ── into a directory beside the files, checked whole ── exchange ── delete the old
//! ```

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use engine_api::volumes::Volume;
use engine_storage::{
    AskedPath, Backing, Content, Fill, PlaceOptions, Taken, TreeRoot, carry, copy_content, gather,
    pack_compressed, place,
};

use super::files::{not_placed, packed};
use super::service::{Volumes, Wish, parse};
use super::using::backing;
use crate::faults;
use crate::services::chunks::{self, Chunks};
use crate::services::error::{Result, ServiceError, chain};
use crate::tasks::{on_own_thread, own_thread};
use tokio::sync::oneshot;

/// What is read of a body that nobody takes any more.
const DRAIN_BYTES: u64 = 64 << 20;

const RESTORE: &str = "restore the volume";
const CLONE: &str = "clone the volume";

impl Volumes {
    /// Begins to read all of a volume as an archive compressed by zstd.
    ///
    /// # Errors
    /// When the volume is not there.
    pub(crate) async fn backup(self: &Arc<Self>, name: &str) -> Result<Chunks> {
        let (volumes, name, map) = (Arc::clone(self), name.to_owned(), self.map());
        let (head, begun) = oneshot::channel();
        let (sender, chunks) = chunks::channel();
        own_thread("backup", move || {
            let present = match volumes.present(&name) {
                Ok(present) => present,
                Err(error) => return drop(head.send(Err(error))),
            };
            // Whoever asked may have gone.
            let _ = head.send(Ok(()));
            chunks::send(&sender, |target| {
                packed(pack_compressed(&present.root, map, target))
            });
        })
        .map_err(ServiceError::failed("begin to read the volume"))?;
        let gone = |_| ServiceError::Unavailable("reading the volume broke off".to_owned());
        begun.await.map_err(gone)??;
        Ok(chunks)
    }

    /// Puts what an archive holds in the place of everything in a volume, or one thing of it in the place
    /// of that. The old files are kept until the new ones are whole and on the disk.
    ///
    /// # Errors
    /// When a container runs with the volume, its files lie elsewhere, or the archive is damaged; the
    /// volume is as it was then.
    pub(crate) async fn restore(
        self: &Arc<Self>,
        name: &str,
        only: Option<String>,
        mut source: impl Read + Send + 'static,
    ) -> Result<()> {
        let (volumes, name) = (Arc::clone(self), name.to_owned());
        let done = on_own_thread("restore", move || {
            let restored = volumes.restore_from(&name, only.as_deref(), &mut source);
            // A client that is still sending would not read the answer.
            let _ = io::copy(&mut source.take(DRAIN_BYTES), &mut io::sink());
            restored
        });
        done.await.map_err(ServiceError::failed(RESTORE))?
    }

    fn restore_from(
        self: &Arc<Self>,
        name: &str,
        only: Option<&str>,
        source: &mut (impl Read + Send),
    ) -> Result<()> {
        let entry = self.entry(name)?;
        if backing(&*self.record(name)?)? != Backing::Own {
            return Err(ServiceError::BadRequest(format!(
                "volume {name} does not lie in a directory of its own, so its old files could not be kept \
                 until the new ones are there; put the archive into it instead"
            )));
        }
        let _work = entry.work();
        let active: Vec<String> = entry.state().active.iter().cloned().collect();
        if only.is_none() && !active.is_empty() {
            let who = active.join(", ");
            return Err(ServiceError::Conflict(format!(
                "restore {name}: volume is in use - [{who}]; stop what runs with it first"
            )));
        }
        let staged = self
            .store
            .stage(name)
            .map_err(ServiceError::failed(RESTORE))?;
        let options = PlaceOptions {
            map: self.map(),
            ..PlaceOptions::default()
        };
        let placed = place(&staged, &AskedPath::new("/"), source, options);
        faults::point("restore.staged");
        let taken = placed
            .map_err(|error| not_placed(error, name))
            .and_then(|()| self.take_restored(name, only, &staged));
        drop(staged);
        if taken.is_err() || only.is_some() {
            self.store.drop_staged(name);
        }
        taken?;
        faults::point("restore.done");
        self.change(&entry, |record| record.fill = Fill::Used)
    }

    fn take_restored(&self, name: &str, only: Option<&str>, staged: &TreeRoot) -> Result<()> {
        let root = TreeRoot::open(&self.store.data(name)).map_err(ServiceError::failed(RESTORE))?;
        let Some(only) = only else {
            let old = root
                .dir()
                .own_metadata()
                .map_err(ServiceError::failed(RESTORE))?;
            self.store
                .settle_staged(name, (old.uid, old.gid), old.mode)
                .map_err(ServiceError::failed(RESTORE))?;
            return self
                .store
                .exchange_staged(name)
                .map_err(ServiceError::failed(RESTORE));
        };
        let asked = AskedPath::new(only);
        let path = asked.path().strip_prefix("/").unwrap_or(asked.path());
        if path.as_os_str().is_empty() || staged.link_metadata(path).is_err() {
            return Err(ServiceError::NotFound(format!(
                "the archive holds nothing at {}",
                asked.path().display()
            )));
        }
        let taken = [Taken::whole(path, path)];
        let carried = carry(
            |writer| {
                gather(
                    staged,
                    &taken,
                    engine_storage::GatherOptions::default(),
                    writer,
                )
                .map(drop)
            },
            |reader| place(&root, &AskedPath::new("/"), reader, PlaceOptions::default()),
        );
        let (read, written) = carried.map_err(ServiceError::failed(RESTORE))?;
        written.map_err(|error| not_placed(error, name))?;
        read.map_err(ServiceError::failed(RESTORE))
    }

    /// Copies a volume's files into a new one, with its labels.
    ///
    /// # Errors
    /// When the name cannot be or is taken, or the files cannot be copied; there is no new volume then.
    pub(crate) async fn duplicate(self: &Arc<Self>, name: &str, to: &str) -> Result<Volume> {
        let wish = Wish::named(parse(to)?);
        if self.record(to).is_ok() {
            return Err(ServiceError::Conflict(format!(
                "volume name {to} is in use"
            )));
        }
        let (volumes, name) = (Arc::clone(self), name.to_owned());
        let done = on_own_thread("clone", move || volumes.duplicate_as(&name, wish));
        done.await.map_err(ServiceError::failed(CLONE))?
    }

    fn duplicate_as(self: &Arc<Self>, name: &str, wish: Wish) -> Result<Volume> {
        let from = self.present(name)?;
        let labels = self.record(name)?.labels.clone();
        let wish = Wish { labels, ..wish };
        let to = wish.name.as_str();
        self.make_unless_there(&wish)?;
        let entry = self.entry(to)?;
        let work = entry.work();
        faults::point("clone.made");
        let copied = (|| {
            let staged = self.store.stage(to).map_err(ServiceError::failed(CLONE))?;
            let content: Option<Content> = copy_content(&from.root, Path::new("/"), &staged, None)
                .map_err(ServiceError::failed(CLONE))?;
            if let Some(content) = content {
                self.store
                    .settle_staged(to, content.owner, content.mode)
                    .map_err(ServiceError::failed(CLONE))?;
            }
            faults::point("clone.copied");
            self.store
                .take_staged(to)
                .map_err(ServiceError::failed(CLONE))?;
            self.change(&entry, |record| record.fill = Fill::Used)
        })();
        drop(work);
        if let Err(error) = copied {
            self.remove_with(to);
            tracing::debug!(volume = to, reason = chain(&error), "a clone was not made");
            return Err(error);
        }
        let record = self.record(to)?;
        Ok(self.wire(&record))
    }
}
