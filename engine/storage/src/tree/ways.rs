//! Directories of a tree, looked through, made and taken away.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use engine_sys::dir::{Dir, FileType, Metadata};
use engine_sys::path::Root;
use engine_sys::pinned::Listing;
use engine_sys::users::{self, IdMap};
use engine_sys::{Errno, SysError};

use super::gather::{DEPTH_MAX, LeavesOut};
use super::locate::FoundKind;
use super::owner::Owner;

/// Names of one directory; they are in memory while it is read, in order.
const NAMES_MAX: usize = 1_000_000;

/// Says something of a path.
type Judge<'a> = &'a dyn Fn(&Path) -> bool;

/// Returns every path below `root` that fits, in order; only directories below which something
/// `may_fit` are looked into.
///
/// # Errors
/// When a directory cannot be read.
pub fn find(root: &Root, fits: Judge<'_>, may_fit: Judge<'_>) -> Result<Vec<PathBuf>, SysError> {
    let mut found = Vec::new();
    find_below(
        root.dir(),
        Path::new(""),
        DEPTH_MAX,
        (fits, may_fit),
        &mut found,
    )?;
    Ok(found)
}

fn find_below(
    dir: &Dir,
    path: &Path,
    depth_left: usize,
    (fits, may_fit): (Judge<'_>, Judge<'_>),
    found: &mut Vec<PathBuf>,
) -> Result<(), SysError> {
    let Some(depth_left) = depth_left.checked_sub(1) else {
        return Ok(());
    };
    for name in names_of(dir)? {
        let below = path.join(&name);
        let is_directory = dir.metadata(&name)?.kind == FileType::Directory;
        if fits(&below) {
            found.push(below.clone());
        }
        if is_directory && may_fit(&below) {
            let inner = dir.open_dir(&name)?;
            find_below(&inner, &below, depth_left, (fits, may_fit), found)?;
        }
    }
    Ok(())
}

/// Says what lies at a path, links followed; `None` when there is nothing.
///
/// # Errors
/// When it cannot be looked at.
pub fn kind_at(root: &Root, path: &Path) -> Result<Option<FoundKind>, SysError> {
    match root.metadata(path) {
        Ok(metadata) => Ok(Some(FoundKind::of(&metadata))),
        Err(error) if matches!(error.errno, Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a directory of a container and what is missing above it, for an owner.
///
/// # Errors
/// `ENOTDIR` when something else is in the way.
pub fn make_directories(
    root: &Root,
    path: &Path,
    owner: Owner,
    map: Option<IdMap>,
) -> Result<(), SysError> {
    if let Some(map) = map {
        users::make_files_of(map.first, map.first)?;
    }
    let outside = |id: u32| map.map_or(Some(id), |map| map.outside(id));
    let mut so_far = PathBuf::new();
    for name in engine_sys::path::relative(path) {
        let above = root.open_dir(&so_far)?;
        so_far.push(name);
        match root.open_dir(&so_far) {
            Err(error) if error.errno == Errno::NOENT => {
                above.create_dir(name, 0o755)?;
                let (Some(uid), Some(gid)) = (outside(owner.uid), outside(owner.gid)) else {
                    return Err(SysError::new("chown", so_far.display(), Errno::INVAL));
                };
                above.set_owner(name, uid, gid)?;
                above.set_mode(name, 0o755)?;
            }
            other => drop(other?),
        }
    }
    Ok(())
}

/// Removes each link on the way to a directory, and at its end: a layer that depends on none below
/// has directories there.
///
/// # Errors
/// When one cannot be removed.
pub fn remove_links(root: &Root, path: &Path) -> Result<(), SysError> {
    let mut so_far = PathBuf::new();
    for name in engine_sys::path::relative(path) {
        so_far.push(name);
        match root.link_metadata(&so_far) {
            Err(error) if error.errno == Errno::NOENT => return Ok(()),
            Ok(metadata) if metadata.kind == FileType::Symlink => return root.remove_all(&so_far),
            other => drop(other?),
        }
    }
    Ok(())
}

/// Removes what is left out of a tree; a directory goes when nothing is left in it.
///
/// # Errors
/// When something cannot be removed.
pub fn leave_out(root: &Root, leaves_out: LeavesOut<'_>) -> Result<(), SysError> {
    leave_out_below(root.dir(), Path::new(""), leaves_out).map(drop)
}

/// Returns whether the directory is empty now.
fn leave_out_below(dir: &Dir, path: &Path, leaves_out: LeavesOut<'_>) -> Result<bool, SysError> {
    let mut is_empty = true;
    for name in names_of(dir)? {
        let below = path.join(&name);
        let metadata: Metadata = dir.metadata(&name)?;
        if metadata.kind == FileType::Directory {
            let inner = dir.open_dir(&name)?;
            let is_bare = leave_out_below(&inner, &below, leaves_out)?;
            if is_bare && leaves_out(&below, true) {
                dir.remove_dir(&name)?;
                continue;
            }
        } else if leaves_out(&below, false) {
            dir.remove_file(&name)?;
            continue;
        }
        is_empty = false;
    }
    Ok(is_empty)
}

pub(super) fn names_of(dir: &Dir) -> Result<Vec<OsString>, SysError> {
    let mut listing = Listing::of(dir)?;
    let names = listing.next_names(NAMES_MAX)?;
    if names.len() == NAMES_MAX {
        return Err(SysError::new("read", dir.path().display(), Errno::TOOBIG));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_left_out_goes_and_what_is_excepted_stays_with_its_directory() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a/b/keep", "a/b/go", "c/go"] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let root = Root::open(dir.path()).unwrap();
        leave_out(&root, &|path, _| !path.ends_with("keep")).unwrap();
        let all = find(&root, &|_| true, &|_| true).unwrap();
        assert_eq!(all, ["a", "a/b", "a/b/keep"].map(PathBuf::from));
    }
}
