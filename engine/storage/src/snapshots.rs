//! What belongs to one container: the writable top of its root file system.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use engine_sys::SysError;
use engine_sys::dir::Dir;
use engine_sys::users::IdMap;

use crate::error::StoreError;
use crate::size;
use crate::usage::{Usage, usage};

pub(crate) const UPPER: &str = "upper";
pub(crate) const WORK: &str = "work";

/// The upper and work directory of a container's overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    dir: PathBuf,
    /// Who the container's users are on the host, where those are others.
    pub(crate) map: Option<IdMap>,
    /// The most that may be written, in bytes.
    size: Option<u64>,
}

impl Snapshot {
    /// Names the snapshot in the container's directory `dir`, which may not exist yet.
    pub fn at(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            map: None,
            size: None,
        }
    }

    /// Says how much may be written, where that is limited.
    #[must_use]
    pub fn limited_to(self, size_bytes: Option<u64>) -> Self {
        Self {
            size: size_bytes,
            ..self
        }
    }

    /// Sees to it that the limit holds: whatever happened to the file system since it was set. What
    /// the engine writes beside the root at a start has a small limit of its own, and is begun anew.
    ///
    /// # Errors
    /// When the file system keeps none any more, or what was written is not counted.
    pub fn keep_size(&self) -> Result<(), StoreError> {
        let Some(size_bytes) = self.size else {
            return Ok(());
        };
        size::check(&self.dir)?;
        let kept = Dir::open(&self.dir).and_then(|dir| size::keep(&dir, size_bytes));
        match kept.map_err(|source| self.failed("limit", source))? {
            true => Dir::open(&self.dir)
                .and_then(|dir| size::renew_etc(&dir))
                .map_err(|source| self.failed("limit", source)),
            false => Err(StoreError::Uncounted {
                path: self.dir.clone(),
            }),
        }
    }

    /// Says who the container's users are on the host: what it writes belongs to those.
    #[must_use]
    pub fn of_users(self, map: Option<IdMap>) -> Self {
        Self { map, ..self }
    }

    /// Makes both directories. `lowers` is the list that the overlay will have, top first: the
    /// root's owner and bits come from the image.
    ///
    /// # Errors
    /// When they cannot be made; nothing is left then.
    pub fn create(&self, lowers: &[PathBuf]) -> Result<(), StoreError> {
        self.try_create(lowers).map_err(|source| {
            // The first failure is the one to tell.
            let _ = self.try_remove();
            self.failed("create", source)
        })
    }

    /// The directory that holds both.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What the container wrote.
    pub fn upper(&self) -> PathBuf {
        self.dir.join(UPPER)
    }

    /// The overlay's own scratch directory, on the same file system as the upper one.
    pub fn work(&self) -> PathBuf {
        self.dir.join(WORK)
    }

    /// How much the container wrote.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn usage(&self) -> Result<Usage, StoreError> {
        usage(&self.upper()).map_err(|source| self.failed("measure", source))
    }

    /// Removes both directories and everything in them; absent ones are as good as removed.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn remove(&self) -> Result<(), StoreError> {
        self.try_remove()
            .map_err(|source| self.failed("remove", source))
    }

    fn try_create(&self, lowers: &[PathBuf]) -> Result<(), SysError> {
        let dir = Dir::open(&self.dir)?;
        dir.create_dir(OsStr::new(UPPER), 0o755)?;
        dir.create_dir(OsStr::new(WORK), 0o700)?;
        if let Some(size_bytes) = self.size {
            size::begin(&dir, size_bytes)?;
        }
        let (mode, uid, gid) = match lowers.first() {
            Some(lower) => {
                let metadata = Dir::open(lower)?.own_metadata()?;
                (metadata.mode, metadata.uid, metadata.gid)
            }
            None => (0o755, 0, 0),
        };
        let outside = |id: u32| match self.map {
            Some(map) => map.outside(id).unwrap_or(map.first),
            None => id,
        };
        let (uid, gid) = (outside(uid), outside(gid));
        dir.set_owner(OsStr::new(UPPER), uid, gid)?;
        dir.set_mode(OsStr::new(UPPER), mode)
    }

    fn try_remove(&self) -> Result<(), SysError> {
        let dir = match Dir::open(&self.dir) {
            Err(error) if error.is_not_found() => return Ok(()),
            other => other?,
        };
        if self.size.is_some() {
            size::give_back(&self.dir);
        }
        dir.remove_all(OsStr::new(UPPER))?;
        dir.remove_all(OsStr::new(WORK))
    }

    pub(crate) fn failed(&self, action: &'static str, source: SysError) -> StoreError {
        StoreError::Snapshot {
            action,
            path: self.dir.clone(),
            source,
        }
    }
}
