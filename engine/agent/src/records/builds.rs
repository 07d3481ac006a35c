//! Builds on disk: what is kept between them, and what one leaves behind when it is cut.
//!
//! ```text
//! builds/
//!   cache.log        a line of JSON for each step that was done; appended and synced
//!   mounts/<name>    what RUN --mount=type=cache keeps
//!   work/<id>/       one build: swept at start
//!     steps/<id>     the container of a step, by its name alone: written before it is made
//!     context/       the files that were sent
//! ```

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use engine_api::id::ContainerId;
use engine_sys::dir::Dir;
use engine_sys::path::Root;
use engine_sys::{SysError, file};

const LOG: &str = "cache.log";
const WORK: &str = "work";
const STEPS: &str = "steps";
const MOUNTS: &str = "mounts";
/// Longest log that is read; it is written anew long before.
const LOG_BYTES_MAX: u64 = 256 << 20;

/// The directory of builds.
#[derive(Debug)]
pub(crate) struct BuildStore {
    dir: PathBuf,
    log: Mutex<Option<File>>,
}

impl BuildStore {
    /// Opens the directory, making it if needed.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn open(data: &Path) -> Result<Self, SysError> {
        let dir = data.join("builds");
        file::create_private_dir(&dir)?;
        file::remove_leftovers(&dir)?;
        file::create_private_dir(&dir.join(WORK))?;
        file::create_private_dir(&dir.join(MOUNTS))?;
        Ok(Self {
            dir,
            log: Mutex::new(None),
        })
    }

    /// The containers of steps that were being done when an engine ended.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn left_steps(&self) -> Result<Vec<ContainerId>, SysError> {
        let mut ids = Vec::new();
        let work = Dir::open(&self.dir.join(WORK))?;
        for build in work.entries()? {
            let steps = work
                .open_dir(&build.name)
                .and_then(|dir| dir.open_dir(STEPS.as_ref())?.entries());
            // Half made or half removed: it has no step.
            for step in steps.unwrap_or_default() {
                ids.extend(step.name.to_str().and_then(|name| name.parse().ok()));
            }
        }
        Ok(ids)
    }

    /// Removes what cut builds left; says how many there were.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub(crate) fn sweep(&self) -> Result<usize, SysError> {
        let work = Dir::open(&self.dir.join(WORK))?;
        let entries = work.entries()?;
        for build in &entries {
            work.remove_all(&build.name)?;
        }
        Ok(entries.len())
    }

    /// Begins the directory of a build.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn begin(&self, name: &str) -> Result<BuildDir, SysError> {
        let work = Dir::open(&self.dir.join(WORK))?;
        work.create_dir(OsStr::new(name), 0o700)?;
        let path = self.dir.join(WORK).join(name);
        let dir = BuildDir { path };
        Dir::open(&dir.path)?.create_dir(STEPS.as_ref(), 0o700)?;
        work.sync()?;
        Ok(dir)
    }

    /// Reads the lines of the log.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub(crate) fn read_log(&self) -> Result<Vec<u8>, SysError> {
        match file::read(&self.dir.join(LOG), LOG_BYTES_MAX) {
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            other => other,
        }
    }

    /// Adds lines to the log; they are there after a power cut too.
    ///
    /// # Errors
    /// When the disk fails. A line that was cut is no line when it is read.
    pub(crate) fn append_log(&self, lines: &[u8]) -> io::Result<()> {
        let mut log = self.log();
        if log.is_none() {
            let path = self.dir.join(LOG);
            let opened = File::options().create(true).append(true).open(&path)?;
            file::sync_dir(&self.dir)?;
            *log = Some(opened);
        }
        let Some(open) = log.as_mut() else {
            return Ok(());
        };
        // What a cut line before it has left does not spoil the first of these.
        let written = open
            .write_all(&[b"\n", lines].concat())
            .and_then(|()| open.sync_data());
        if written.is_err() {
            *log = None;
        }
        written
    }

    /// Writes the log anew.
    ///
    /// # Errors
    /// When the disk fails; it is as it was then.
    pub(crate) fn replace_log(&self, lines: &[u8]) -> Result<(), SysError> {
        let mut log = self.log();
        *log = None;
        file::replace(&self.dir.join(LOG), lines)
    }

    /// The directory that a named cache of `RUN --mount` has, made with this owner and mode if it
    /// is new.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn mount_dir(
        &self,
        name: &str,
        (uid, gid, mode): (u32, u32, u32),
    ) -> Result<(PathBuf, Root, bool), SysError> {
        let path = self.dir.join(MOUNTS).join(name);
        let mounts = Dir::open(&self.dir.join(MOUNTS))?;
        let is_new = match mounts.create_dir(OsStr::new(name), 0o755) {
            Err(error) if error.errno == engine_sys::Errno::EXIST => false,
            other => other.map(|()| true)?,
        };
        if is_new {
            mounts.set_owner(OsStr::new(name), uid, gid)?;
            mounts.set_mode(OsStr::new(name), mode)?;
        }
        let root = Root::new(mounts.open_dir(OsStr::new(name))?);
        Ok((path, root, is_new))
    }

    /// Names and sizes of the caches of `RUN --mount`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn mounts(&self) -> Result<Vec<(String, PathBuf)>, SysError> {
        let dir = self.dir.join(MOUNTS);
        let entries = Dir::open(&dir)?.entries()?;
        let names = entries
            .into_iter()
            .filter_map(|entry| entry.name.into_string().ok());
        Ok(names.map(|name| (name.clone(), dir.join(&name))).collect())
    }

    /// Removes a cache of `RUN --mount`.
    ///
    /// # Errors
    /// When something of it cannot be removed.
    pub(crate) fn remove_mount(&self, name: &str) -> Result<(), SysError> {
        Dir::open(&self.dir.join(MOUNTS))?.remove_all(OsStr::new(name))
    }

    fn log(&self) -> MutexGuard<'_, Option<File>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The directory of one build. Dropped, it is removed, unless a step is still noted; that blocks.
#[derive(Debug)]
pub(crate) struct BuildDir {
    path: PathBuf,
}

impl BuildDir {
    /// Makes a directory for files of somebody else.
    ///
    /// # Errors
    /// When it cannot be made, or is there.
    pub(crate) fn make(&self, name: &str) -> Result<Root, SysError> {
        let dir = Dir::open(&self.path)?;
        dir.create_dir(OsStr::new(name), 0o755)?;
        Ok(Root::new(dir.open_dir(OsStr::new(name))?))
    }

    /// Opens such a directory.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn open(&self, name: &str) -> Result<Root, SysError> {
        let dir = Dir::open(&self.path)?;
        Ok(Root::new(dir.open_dir(OsStr::new(name))?))
    }

    /// Moves the directory `from` into the directory `into`, under a name that is free there.
    ///
    /// # Errors
    /// When the name is taken.
    pub(crate) fn put_into(&self, from: &str, into: &str, name: &str) -> Result<(), SysError> {
        let dir = Dir::open(&self.path)?;
        let into = dir.open_dir(OsStr::new(into))?;
        dir.rename(OsStr::new(from), &into, OsStr::new(name))
    }

    /// Where a directory of this build lies.
    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes down that a step's container is about to be made: whatever happens, it is removed.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn note_step(&self, id: &ContainerId) -> Result<(), SysError> {
        let steps = Dir::open(&self.path.join(STEPS))?;
        steps.create_file(id.as_str().as_ref(), 0o600)?;
        steps.sync()
    }

    /// Forgets a step's container: it is gone, or is to stay.
    pub(crate) fn forget_step(&self, id: &ContainerId) {
        // One that stays noted is looked for in vain, at most.
        let _ = Dir::open(&self.path.join(STEPS))
            .and_then(|steps| steps.remove_file(id.as_str().as_ref()));
    }

    /// The containers that are noted.
    pub(crate) fn steps(&self) -> Vec<ContainerId> {
        let steps = Dir::open(&self.path.join(STEPS)).and_then(|steps| steps.entries());
        let names = steps.unwrap_or_default().into_iter();
        names
            .filter_map(|step| step.name.to_str()?.parse().ok())
            .collect()
    }
}

impl Drop for BuildDir {
    fn drop(&mut self) {
        // A step whose container could not be removed: the next engine reads it here.
        if !self.steps().is_empty() {
            return;
        }
        let (Some(parent), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return;
        };
        // What stays is swept at the next start.
        if let Err(error) = Dir::open(parent).and_then(|dir| dir.remove_all(name)) {
            tracing::warn!(error = %error, "the files of a build were not removed");
        }
    }
}

/// Writes a file of a build into one of its directories.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_file(root: &Root, name: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = root.create_file(name, mode)?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids;

    #[test]
    fn a_build_that_is_cut_names_its_steps_and_is_swept() {
        let data = tempfile::tempdir().unwrap();
        let store = BuildStore::open(data.path()).unwrap();
        let (kept, gone) = (ids::container_id(), ids::container_id());
        let build = store.begin("one").unwrap();
        build.note_step(&kept).unwrap();
        build.note_step(&gone).unwrap();
        build.forget_step(&gone);
        drop(build);
        drop(store.begin("two").unwrap());

        let again = BuildStore::open(data.path()).unwrap();
        assert_eq!(again.left_steps().unwrap(), [kept]);
        assert_eq!(again.sweep().unwrap(), 1);
        assert_eq!(again.left_steps().unwrap(), []);
    }

    #[test]
    fn the_log_keeps_what_was_appended() {
        let data = tempfile::tempdir().unwrap();
        let store = BuildStore::open(data.path()).unwrap();
        assert_eq!(store.read_log().unwrap(), b"");
        store.append_log(b"1\n").unwrap();
        store.append_log(b"2\n").unwrap();
        assert_eq!(store.read_log().unwrap(), b"\n1\n\n2\n");
        store.replace_log(b"3\n").unwrap();
        store.append_log(b"4\n").unwrap();
        assert_eq!(store.read_log().unwrap(), b"3\n\n4\n");
    }
}
