//! Single files of a volume: read, replaced where nobody changed them meanwhile, moved and taken away.
//!
//! **Invariant:** a path is looked up below the volume's root alone, and a change is made by the open
//! directory and one name in it. Whatever links a container puts there meanwhile, nothing outside is
//! touched.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use engine_sys::dir::{Dir, FileType, Metadata, set_mode_of, set_owner_of};
use engine_sys::path::Root;
use engine_sys::pinned::Pinned;
use engine_sys::{Errno, SysError};

const BUFFER_BYTES: usize = 256 * 1024;
/// Files that are written beside another one at a time.
const ASIDE_TRIES: u32 = 64;

/// What is expected of a file that is to be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Whatever is there.
    Anything,
    /// Nothing of that name.
    Nothing,
    /// The file as it was when its mark was this.
    Mark(String),
}

/// A file that was not changed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Somebody changed it meanwhile, or made or removed it.
    #[error("it was changed meanwhile")]
    Changed,
    /// It is a directory, a link, a device: nothing that has content of its own.
    #[error("it is no regular file")]
    NotAFile,
    /// The content broke off, or was longer than may be.
    #[error("failed to read the new content")]
    Source(#[source] io::Error),
    /// The volume could not be read or written.
    #[error(transparent)]
    Sys(#[from] SysError),
}

/// Opens the regular file at a path, links followed inside the root.
///
/// # Errors
/// When there is none.
pub fn read_file(root: &Root, path: &Path) -> Result<(File, Metadata), FileError> {
    let pinned = Pinned::below(root, path)?;
    let metadata = pinned.metadata()?;
    if metadata.kind != FileType::RegularFile {
        return Err(FileError::NotAFile);
    }
    Ok((pinned.read()?, metadata))
}

/// What a file is known by: another one as soon as it is replaced or written.
pub fn mark_of(metadata: &Metadata) -> String {
    let (seconds, nanoseconds) = metadata.modified;
    let (inode, size) = (metadata.inode, metadata.size_bytes);
    format!("{inode:x}-{size:x}-{seconds:x}.{nanoseconds:x}")
}

/// Writes a file beside the one at `path` and takes its place when it is whole and on the disk; it keeps
/// that one's owner and bits. A new one belongs to `owner`. Returns its facts.
///
/// # Errors
/// See [`FileError`]; the old file is there then.
pub fn write_file(
    root: &Root,
    path: &Path,
    source: &mut dyn Read,
    expected: &Expected,
    owner: u32,
) -> Result<Metadata, FileError> {
    let (parent, name) = root.parent(path)?;
    let old = check(&parent, &name, expected)?;
    let (aside, mut file) = create_aside(&parent)?;
    let written = (|| {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let n_read = source.read(&mut buffer).map_err(FileError::Source)?;
            if n_read == 0 {
                break;
            }
            io::Write::write_all(&mut file, &buffer[..n_read])
                .map_err(|error| SysError::from_io("write", path.display(), &error))?;
        }
        let (uid, gid, mode) =
            old.map_or((owner, owner, 0o644), |old| (old.uid, old.gid, old.mode));
        set_owner_of(&file, uid, gid)?;
        set_mode_of(&file, mode)?;
        file.sync_all()
            .map_err(|error| SysError::from_io("fsync", path.display(), &error))?;
        let metadata = engine_sys::dir::metadata_of(&file)?;
        check(&parent, &name, expected)?;
        match expected {
            Expected::Nothing => match parent.rename(&aside, &parent, &name) {
                Err(error) if error.errno == Errno::EXIST => return Err(FileError::Changed),
                other => other?,
            },
            _ => parent.replace(&aside, &name)?,
        }
        parent.sync()?;
        Ok(metadata)
    })();
    if written.is_err() {
        // The failure is what there is to tell; the container may have taken it away itself.
        let _ = parent.remove_file(&aside);
    }
    written
}

/// Returns what is there, if that is what is expected.
fn check(dir: &Dir, name: &OsStr, expected: &Expected) -> Result<Option<Metadata>, FileError> {
    let there = match dir.metadata(name) {
        Err(error) if error.errno == Errno::NOENT => None,
        other => Some(other?),
    };
    match (&there, expected) {
        (Some(there), _) if there.kind != FileType::RegularFile => Err(FileError::NotAFile),
        (Some(there), Expected::Mark(mark)) if mark_of(there) != *mark => Err(FileError::Changed),
        (None, Expected::Mark(_)) | (Some(_), Expected::Nothing) => Err(FileError::Changed),
        _ => Ok(there),
    }
}

fn create_aside(parent: &Dir) -> Result<(OsString, File), SysError> {
    let mut last = Errno::EXIST;
    for n in 0..ASIDE_TRIES {
        let name = OsString::from(format!(".gantry-new-{}-{n}", std::process::id()));
        match parent.create_file(&name, 0o600) {
            Err(error) if error.errno == Errno::EXIST => last = error.errno,
            other => return Ok((name, other?)),
        }
    }
    Err(SysError::new("create", parent.path().display(), last))
}

/// Gives what is at `from` the name `to`, which nothing has; a link itself is moved.
///
/// # Errors
/// When there is nothing, or the name is taken.
pub fn rename(root: &Root, from: &Path, to: &Path) -> Result<(), SysError> {
    let (from_parent, from_name) = root.parent(from)?;
    let (to_parent, to_name) = root.parent(to)?;
    from_parent.rename(&from_name, &to_parent, &to_name)
}

/// Removes what is at `path` with everything in it; a link itself, not what it leads to.
///
/// # Errors
/// When there is nothing, or it cannot be removed.
pub fn remove(root: &Root, path: &Path) -> Result<(), SysError> {
    let (parent, name) = root.parent(path)?;
    parent.metadata(&name)?;
    parent.remove_all(&name)
}

/// Makes a new directory.
///
/// # Errors
/// When the name is taken, or there is no directory to make it in.
pub fn make_directory(root: &Root, path: &Path, owner: u32) -> Result<(), SysError> {
    let (parent, name) = root.parent(path)?;
    parent.create_dir(&name, 0o755)?;
    parent.set_owner(&name, owner, owner)?;
    parent.set_mode(&name, 0o755)
}

/// Sets the permission bits of what is at `path`.
///
/// # Errors
/// When there is nothing, or a link.
pub fn set_mode(root: &Root, path: &Path, mode: u32) -> Result<(), SysError> {
    let (parent, name) = root.parent(path)?;
    parent.set_mode(&name, mode)
}

/// Gives what is at `path` away; a link itself. Set-id bits go, as everywhere.
///
/// # Errors
/// When there is nothing.
pub fn set_owner(root: &Root, path: &Path, uid: u32, gid: u32) -> Result<(), SysError> {
    let (parent, name) = root.parent(path)?;
    parent.set_owner(&name, uid, gid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(
        root: &Root,
        path: &str,
        text: &str,
        expected: &Expected,
    ) -> Result<String, FileError> {
        let written = write_file(root, Path::new(path), &mut text.as_bytes(), expected, 0)?;
        Ok(mark_of(&written))
    }

    #[test]
    fn a_file_is_replaced_only_as_it_was_seen() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap();
        let first = write(&root, "f", "one", &Expected::Nothing).unwrap();
        assert!(matches!(
            write(&root, "f", "two", &Expected::Nothing),
            Err(FileError::Changed)
        ));
        set_mode(&root, Path::new("f"), 0o4750).unwrap();
        let second = write(&root, "f", "two", &Expected::Mark(first.clone())).unwrap();
        assert_ne!(first, second);
        let late = write(&root, "f", "three", &Expected::Mark(first));
        assert!(matches!(late, Err(FileError::Changed)));
        let (mut file, metadata) = read_file(&root, Path::new("f")).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), metadata.mode), ("two", 0o4750));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_no_way_out_and_is_not_written_through() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("f"), "theirs").unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), dir.path().join("out")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("f"), dir.path().join("file")).unwrap();
        let root = Root::open(dir.path()).unwrap();
        for path in ["out/f", "file", "../f", "out/../../f"] {
            assert!(read_file(&root, Path::new(path)).is_err(), "{path}");
        }
        assert!(write(&root, "out/f", "ours", &Expected::Anything).is_err());
        let through = write(&root, "file", "ours", &Expected::Anything);
        assert!(matches!(through, Err(FileError::NotAFile)));
        remove(&root, Path::new("out")).unwrap();
        let text = std::fs::read_to_string(outside.path().join("f")).unwrap();
        assert_eq!(text, "theirs");
    }
}
