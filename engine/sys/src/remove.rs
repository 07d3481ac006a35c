//! Removes a tree of any depth without following a link and without running out of descriptors.

use std::ffi::{OsStr, OsString};

use rustix::fs::FileType;

use crate::dir::Dir;
use crate::error::{Errno, Result, SysError};

/// How deep the walk goes before it moves what lies deeper up to the top.
const DEPTH_MAX: usize = 32;
/// Passes over the top directory before the walk gives up against someone who keeps adding.
const PASSES_MAX: usize = 1 << 20;

impl Dir {
    /// Removes `name` and everything below it. What is not there is as good as removed.
    ///
    /// A tree deeper than [`DEPTH_MAX`] is flattened on the way: its lower parts are renamed into
    /// the top of the tree, so that the number of open descriptors stays small.
    ///
    /// # Errors
    /// When something cannot be removed, or another file system is mounted inside.
    pub fn remove_all(&self, name: &OsStr) -> Result<()> {
        match self.remove_file(name) {
            Err(error) if matches!(error.errno, Errno::ISDIR | Errno::PERM) => {}
            Err(error) if error.errno == Errno::NOENT => return Ok(()),
            other => return other,
        }
        match self.remove_dir(name) {
            Err(error) if matches!(error.errno, Errno::NOTEMPTY | Errno::EXIST) => {}
            other => return other,
        }
        let top = self.open_dir(name)?;
        let mut moved = Moved {
            top: &top,
            n_moved: 0,
        };
        for _ in 0..PASSES_MAX {
            empty(&top, &mut moved, 0)?;
            match self.remove_dir(name) {
                Err(error) if matches!(error.errno, Errno::NOTEMPTY | Errno::EXIST) => {}
                other => return other,
            }
        }
        Err(self.failed("remove_all", name, Errno::NOTEMPTY))
    }
}

/// Where too deep directories go.
struct Moved<'a> {
    top: &'a Dir,
    n_moved: u64,
}

impl Moved<'_> {
    fn take(&mut self, from: &Dir, name: &OsStr) -> Result<()> {
        loop {
            let flat = OsString::from(format!(".gantry-remove-{}", self.n_moved));
            self.n_moved += 1;
            match from.rename(name, self.top, &flat) {
                Err(error) if error.errno == Errno::EXIST => {}
                other => return other,
            }
        }
    }
}

fn empty(dir: &Dir, moved: &mut Moved<'_>, depth: usize) -> Result<()> {
    for entry in dir.entries()? {
        if entry.kind != FileType::Directory {
            ignore_missing(dir.remove_file(&entry.name))?;
            continue;
        }
        match dir.remove_dir(&entry.name) {
            Err(error) if matches!(error.errno, Errno::NOTEMPTY | Errno::EXIST) => {}
            other => {
                ignore_missing(other)?;
                continue;
            }
        }
        if depth == DEPTH_MAX {
            moved.take(dir, &entry.name)?;
            continue;
        }
        empty(&dir.open_dir(&entry.name)?, moved, depth + 1)?;
        ignore_missing(dir.remove_dir(&entry.name))?;
    }
    Ok(())
}

fn ignore_missing(result: Result<()>) -> Result<()> {
    match result {
        Err(SysError {
            errno: Errno::NOENT,
            ..
        }) => Ok(()),
        other => other,
    }
}
