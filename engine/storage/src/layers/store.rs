//! The directory of layers.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine_sys::dir::Dir;
use engine_sys::path::Root;
use engine_sys::{SysError, file};
use engine_tar::Digest;
use serde::{Deserialize, Serialize};

use super::apply::{self, Limits};
use crate::browse::Stack;
use crate::diff_id::DiffId;
use crate::error::{ApplyError, StoreError, Subject};

const TEMPORARY: &str = "tmp";
const RECORD: &str = "layer.json";
const RECORD_BYTES_MAX: u64 = 4096;

/// What is known of an unpacked layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Bytes of content in its files.
    pub size_bytes: u64,
    /// Entries in its archive.
    pub n_entries: u64,
}

/// All unpacked layers. Cheap to share; every method takes `&self`.
#[derive(Debug)]
pub struct Layers {
    path: PathBuf,
    dir: Dir,
    temporary: Dir,
    limits: Limits,
    n_temporary: AtomicU64,
    known: Mutex<HashMap<DiffId, Layer>>,
    /// One lock for each layer that somebody is unpacking, so that the next one waits and finds it.
    busy: Mutex<HashMap<DiffId, Arc<Mutex<()>>>>,
}

impl Layers {
    /// Opens the store at `path`, making it if needed, and sweeps what a crash left.
    ///
    /// # Errors
    /// When the directory cannot be used. A damaged layer is no error: it counts as missing.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        let dir = file::create_private_dir(path).map_err(failed)?;
        let temporary = file::create_private_dir(&path.join(TEMPORARY)).map_err(failed)?;
        let n_temporary = sweep(&temporary).map_err(failed)?;
        let known = read_records(&dir).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            dir,
            temporary,
            limits,
            n_temporary: AtomicU64::new(n_temporary),
            known: Mutex::new(known),
            busy: Mutex::default(),
        })
    }

    /// Unpacks the layer whose archive `source` yields, compressed or not, unless it is there.
    ///
    /// Blocks until it is durable. To cancel, let `source` fail. Whoever asks for a layer that
    /// somebody else is unpacking waits for that one; `source` is then not read.
    ///
    /// # Errors
    /// When the archive is refused, is not what `diff_id` says, or cannot be written. Nothing of
    /// it is left then.
    pub fn apply(&self, diff_id: DiffId, source: impl Read + Send) -> Result<Layer, ApplyError> {
        self.in_turn(diff_id, || match self.layer(diff_id) {
            Some(layer) => Ok(layer),
            None => self.unpack(diff_id, source),
        })
    }

    /// Unpacks a layer whose archive is still being written, so that nobody knows its digest yet.
    ///
    /// Blocks until `source` ends. What comes out is no layer before it is [kept](Unpacked::keep).
    ///
    /// # Errors
    /// When the archive is refused or cannot be written. Nothing of it is left then.
    pub fn unpack_new(self: &Arc<Self>, source: impl Read + Send) -> Result<Unpacked, ApplyError> {
        let place = Temporary {
            layers: Arc::clone(self),
            name: self.temporary_name(),
        };
        let (layer, diff_id) = self.fill(&place.name, Subject::New, source)?;
        Ok(Unpacked {
            place,
            layer,
            diff_id,
        })
    }

    /// Does something to a layer while nobody else adds or removes it.
    fn in_turn<T>(&self, diff_id: DiffId, work: impl FnOnce() -> T) -> T {
        let busy = Arc::clone(lock(&self.busy).entry(diff_id).or_default());
        let turn = lock(&busy);
        let done = work();
        drop(turn);
        lock(&self.busy).retain(|_, waiting| Arc::strong_count(waiting) > 1);
        done
    }

    /// What is known of the layer; `None` when it is not here.
    pub fn layer(&self, diff_id: DiffId) -> Option<Layer> {
        lock(&self.known).get(&diff_id).copied()
    }

    /// Every layer that is here.
    pub fn list(&self) -> Vec<(DiffId, Layer)> {
        lock(&self.known)
            .iter()
            .map(|(diff_id, layer)| (*diff_id, *layer))
            .collect()
    }

    /// The lower directories of an overlay of these layers, given bottom first, returned top
    /// first as the kernel wants them. A layer that an image names twice is listed once, where
    /// it is on top: the overlay refuses a directory twice, and the lower one is hidden anyway.
    ///
    /// # Errors
    /// When one of them is missing.
    pub fn paths(&self, diff_ids: &[DiffId]) -> Result<Vec<PathBuf>, StoreError> {
        let mut paths = Vec::with_capacity(diff_ids.len());
        for diff_id in diff_ids.iter().rev() {
            let path = self.path_of(*diff_id)?;
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        Ok(paths)
    }

    /// Opens these layers, bottom first, to be looked through. Whoever asks has said before that he
    /// needs them; see [`Self::remove_unless`].
    ///
    /// # Errors
    /// When one of them is missing or cannot be opened.
    pub fn stack(&self, diff_ids: &[DiffId]) -> Result<Stack, StoreError> {
        let roots = diff_ids.iter().map(|diff_id| {
            let path = self.path_of(*diff_id)?;
            Root::open(&path).map_err(|source| StoreError::Open { path, source })
        });
        Ok(Stack::new(roots.collect::<Result<_, _>>()?))
    }

    fn path_of(&self, diff_id: DiffId) -> Result<PathBuf, StoreError> {
        match self.layer(diff_id) {
            Some(_) => Ok(self.path.join(diff_id.hex()).join(apply::DIFF)),
            None => Err(StoreError::Missing { diff_id }),
        }
    }

    /// Removes a layer unless somebody needs it.
    ///
    /// `is_needed` is asked while [`Self::layer`] waits. So whoever first says that he needs a
    /// layer, where `is_needed` looks, and then finds it here, keeps it.
    ///
    /// # Errors
    /// When it cannot be removed. It is gone for [`Self::layer`] nevertheless.
    pub fn remove_unless(
        &self,
        diff_id: DiffId,
        is_needed: impl FnOnce() -> bool,
    ) -> Result<(), StoreError> {
        self.in_turn(diff_id, || {
            let mut known = lock(&self.known);
            if !known.contains_key(&diff_id) || is_needed() {
                return Ok(());
            }
            known.remove(&diff_id);
            drop(known);
            let temporary = self.temporary_name();
            self.dir
                .rename(OsStr::new(&diff_id.hex()), &self.temporary, &temporary)
                .and_then(|()| self.temporary.remove_all(&temporary))
                .map_err(|source| StoreError::Remove { diff_id, source })
        })
    }

    fn unpack(&self, diff_id: DiffId, source: impl Read + Send) -> Result<Layer, ApplyError> {
        let name = self.temporary_name();
        let unpacked = self
            .fill(&name, Subject::Named(diff_id), source)
            .and_then(|(layer, found)| self.settle(&name, (diff_id, found), layer));
        if unpacked.is_err() {
            // The first failure is the one to tell; what is left is swept at the next start.
            let _ = self.temporary.remove_all(&name);
        }
        unpacked
    }

    /// Unpacks into a temporary directory.
    fn fill(
        &self,
        name: &OsStr,
        subject: Subject,
        source: impl Read + Send,
    ) -> Result<(Layer, DiffId), ApplyError> {
        let write = |source| ApplyError::Write {
            layer: subject,
            source,
        };
        self.temporary.create_dir(name, 0o700).map_err(write)?;
        let dir = self.temporary.open_dir(name).map_err(write)?;
        apply::apply(&dir, subject, source, &self.limits)
    }

    /// Makes what was unpacked durable and gives it its name, if it is what it should be.
    fn settle(
        &self,
        name: &OsStr,
        (diff_id, found): (DiffId, DiffId),
        layer: Layer,
    ) -> Result<Layer, ApplyError> {
        if found != diff_id {
            return Err(ApplyError::WrongDigest {
                expected: diff_id,
                found,
            });
        }
        let write = |source| ApplyError::Write {
            layer: Subject::Named(diff_id),
            source,
        };
        let dir = self.temporary.open_dir(name).map_err(write)?;
        let record = serde_json::to_vec(&layer).unwrap_or_default();
        let file = dir.create_file(OsStr::new(RECORD), 0o600).map_err(write)?;
        std::io::Write::write_all(&mut &file, &record)
            .map_err(|error| write(SysError::from_io("write", RECORD, &error)))?;
        file::sync_filesystem(&file).map_err(write)?;

        // A damaged layer of that name may be in the way; it goes first.
        let hex = diff_id.hex();
        self.dir.remove_all(OsStr::new(&hex)).map_err(write)?;
        self.temporary
            .rename(name, &self.dir, OsStr::new(&hex))
            .map_err(write)?;
        self.dir.sync().map_err(write)?;
        lock(&self.known).insert(diff_id, layer);
        Ok(layer)
    }

    fn temporary_name(&self) -> OsString {
        self.n_temporary
            .fetch_add(1, Ordering::Relaxed)
            .to_string()
            .into()
    }
}

/// A layer that is unpacked and not yet kept. Dropped, it was never there; that blocks.
#[derive(Debug)]
pub struct Unpacked {
    place: Temporary,
    layer: Layer,
    diff_id: DiffId,
}

#[derive(Debug)]
struct Temporary {
    layers: Arc<Layers>,
    name: OsString,
}

impl Unpacked {
    /// Keeps it, durably, under the digest that its archive should have; blocks.
    ///
    /// # Errors
    /// When it has another, or the disk fails.
    pub fn keep(self, diff_id: DiffId) -> Result<Layer, ApplyError> {
        let Temporary { layers, name } = &self.place;
        layers.in_turn(diff_id, || match layers.layer(diff_id) {
            Some(layer) => Ok(layer),
            None => layers.settle(name, (diff_id, self.diff_id), self.layer),
        })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Gone already when it was kept; swept at the next start if this fails.
        let _ = self.layers.temporary.remove_all(&self.name);
    }
}

/// Removes what a crash left, and returns the first number that is free for a temporary name: what
/// cannot be removed, on a failing disk say, stays and is no reason to do without the rest.
fn sweep(temporary: &Dir) -> Result<u64, SysError> {
    let mut free = 0;
    for entry in temporary.entries()? {
        let number = entry
            .name
            .to_str()
            .and_then(|name| name.parse::<u64>().ok());
        if temporary.remove_all(&entry.name).is_err() {
            free = free.max(number.map_or(0, |number| number.saturating_add(1)));
        }
    }
    Ok(free)
}

fn read_records(dir: &Dir) -> Result<HashMap<DiffId, Layer>, SysError> {
    let mut known = HashMap::new();
    for entry in dir.entries()? {
        let Some(digest) = entry.name.to_str().and_then(Digest::from_hex) else {
            continue;
        };
        if let Some(layer) = read_record(dir, &entry.name) {
            known.insert(digest.into(), layer);
        }
    }
    Ok(known)
}

/// Reads one record; a layer without a readable one is damaged and does not count.
fn read_record(dir: &Dir, name: &OsStr) -> Option<Layer> {
    let path = dir.path().join(name).join(RECORD);
    serde_json::from_slice(&file::read(&path, RECORD_BYTES_MAX).ok()?).ok()
}

/// Locks, also after a panic elsewhere: every change under these locks is a single step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
