//! An inode that is held before it is opened: looked at first, read only when it is a plain file.
//!
//! Opening a device, a pipe or a socket can wait for ever or start something; what a container
//! has under a name may be any of them, and another one in the next moment. A pinned inode stays
//! the one that was looked at.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{self, CWD, FileType, Mode, OFlags, StatVfsMountFlags};

use crate::dir::{Dir, Entry, Metadata, by_descriptor, metadata_of, single};
use crate::error::{Errno, Result, SysError};
use crate::path::Root;

/// An inode, held by a descriptor that can neither read nor write it.
#[derive(Debug)]
pub struct Pinned {
    fd: OwnedFd,
    path: PathBuf,
}

impl Pinned {
    /// Holds what is `name` in `dir` now: a link itself, the root of a mount that lies there.
    ///
    /// # Errors
    /// When there is nothing of that name.
    pub fn at(dir: &Dir, name: &OsStr) -> Result<Self> {
        single(name)?;
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = fs::openat(dir, name, flags, Mode::empty())
            .map_err(|errno| dir.failed("openat", name, errno))?;
        let path = dir.path().join(name);
        Ok(Self { fd, path })
    }

    /// Holds what `path` leads to, links followed inside the root.
    ///
    /// # Errors
    /// When it leads to nothing; `ELOOP` also when a link of procfs is in the way.
    pub fn below(root: &Root, path: &Path) -> Result<Self> {
        let fd = root.open_at(path, OFlags::PATH, Mode::empty())?;
        let path = root.dir().path().join(crate::path::relative(path));
        Ok(Self { fd, path })
    }

    /// The facts of the inode.
    ///
    /// # Errors
    /// Practically never.
    pub fn metadata(&self) -> Result<Metadata> {
        metadata_of(&self.fd)
    }

    /// The type of the file system that it lies on, as `statfs` tells it.
    ///
    /// # Errors
    /// Practically never.
    pub fn file_system(&self) -> Result<i64> {
        crate::mount::file_system(&self.fd)
    }

    /// Says whether the mount that it was reached by lets nothing be written.
    ///
    /// # Errors
    /// Practically never.
    pub fn is_on_readonly_mount(&self) -> Result<bool> {
        fs::fstatvfs(&self.fd)
            .map(|status| status.f_flag.contains(StatVfsMountFlags::RDONLY))
            .map_err(|errno| SysError::new("fstatvfs", self.path.display(), errno))
    }

    /// Opens the regular file for reading.
    ///
    /// # Errors
    /// `EINVAL` for anything but a regular file.
    pub fn read(&self) -> Result<File> {
        let failed = |call, errno| SysError::new(call, self.path.display(), errno);
        if self.metadata()?.kind != FileType::RegularFile {
            return Err(failed("read", Errno::INVAL));
        }
        // By descriptor: the very inode that was looked at, whatever has its name by now.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
        fs::openat(CWD, by_descriptor(&self.fd), flags, Mode::empty())
            .map(File::from)
            .map_err(|errno| failed("openat", errno))
    }

    /// The text of the link.
    ///
    /// # Errors
    /// When it is none.
    pub fn read_link(&self) -> Result<OsString> {
        let text = fs::readlinkat(&self.fd, "", Vec::new())
            .map_err(|errno| SysError::new("readlinkat", self.path.display(), errno))?;
        Ok(OsStr::from_bytes(text.as_bytes()).to_owned())
    }

    /// Takes it as a directory.
    ///
    /// # Errors
    /// `ENOTDIR` when it is none.
    pub fn into_dir(self) -> Result<Dir> {
        if self.metadata()?.kind != FileType::Directory {
            return Err(SysError::new("open", self.path.display(), Errno::NOTDIR));
        }
        Ok(Dir::from_fd(self.fd, self.path))
    }
}

impl AsFd for Pinned {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Where the kernel says an open thing lies; of a mount of another namespace, as seen from that
/// namespace's root.
///
/// # Errors
/// Practically never.
pub fn location(fd: impl AsFd) -> Result<PathBuf> {
    let text = fs::readlinkat(CWD, by_descriptor(&fd), Vec::new())
        .map_err(|errno| SysError::new("readlinkat", "an open file", errno))?;
    Ok(PathBuf::from(OsStr::from_bytes(text.as_bytes())))
}

/// Reads a directory piece by piece, however long it is.
#[derive(Debug)]
pub struct Listing {
    entries: fs::Dir,
    path: PathBuf,
}

impl Listing {
    /// Begins to read `dir`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(dir: &Dir) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let failed = |call, errno| SysError::new(call, dir.path().display(), errno);
        let fd =
            fs::openat(dir, ".", flags, Mode::empty()).map_err(|errno| failed("openat", errno))?;
        let entries = fs::Dir::new(fd).map_err(|errno| failed("fdopendir", errno))?;
        Ok(Self {
            entries,
            path: dir.path().to_owned(),
        })
    }

    /// Returns up to `max` further names, in order among themselves; none at the end.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn next_names(&mut self, max: usize) -> Result<Vec<OsString>> {
        let entries = self.next_entries(max)?.into_iter();
        let mut names: Vec<_> = entries.map(|entry| entry.name).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Returns up to `max` further entries, in no order; none at the end. What the file system does
    /// not say at once is [`FileType::Unknown`].
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn next_entries(&mut self, max: usize) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        while entries.len() < max
            && let Some(entry) = self.entries.next()
        {
            let entry =
                entry.map_err(|errno| SysError::new("getdents64", self.path.display(), errno))?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                entries.push(Entry {
                    name: OsStr::from_bytes(name).to_owned(),
                    kind: entry.file_type(),
                });
            }
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn only_a_regular_file_is_opened() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("file"), "text").expect("written");
        std::os::unix::fs::symlink("file", dir.path().join("link")).expect("linked");
        let dir = Dir::open(dir.path()).expect("open");
        let mut text = String::new();
        let file = Pinned::at(&dir, OsStr::new("file")).expect("pinned");
        file.read()
            .expect("open")
            .read_to_string(&mut text)
            .expect("read");
        let link = Pinned::at(&dir, OsStr::new("link")).expect("pinned");
        let refused = link.read().expect_err("a link is no file");

        assert_eq!(text, "text");
        assert_eq!(refused.errno, Errno::INVAL);
        assert_eq!(link.read_link().expect("text"), "file");
    }

    #[test]
    fn a_directory_is_read_in_pieces() {
        let dir = tempfile::tempdir().expect("a directory");
        for n in 0..5 {
            std::fs::write(dir.path().join(n.to_string()), "").expect("written");
        }
        let dir = Dir::open(dir.path()).expect("open");
        let mut listing = Listing::of(&dir).expect("listing");
        let mut names = Vec::new();
        loop {
            let piece = listing.next_names(2).expect("names");
            assert!(piece.len() <= 2);
            if piece.is_empty() {
                break;
            }
            names.extend(piece);
        }
        names.sort();
        assert_eq!(names, ["0", "1", "2", "3", "4"]);
    }
}
