//! Paths below a root that nothing can lead out of: the only way to touch a container's files.
//!
//! **Invariant:** every lookup is one `openat2` with `RESOLVE_IN_ROOT` and `NO_MAGICLINKS`: `..`
//! and absolute links stop at the root, links into `/proc` do not resolve. Changes are made by the
//! parent's descriptor and a single name ([`Dir`]), so the last component is never followed.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{self, ResolveFlags};
pub use rustix::fs::{FileType, Mode, OFlags};

use crate::dir::{Dir, Entry, Metadata, metadata_of};
use crate::error::{Errno, Result, SysError};

const INSIDE: ResolveFlags = ResolveFlags::IN_ROOT.union(ResolveFlags::NO_MAGICLINKS);
/// Tries while somebody keeps renaming directories under a path with `..` in it.
const TRIES_MAX: usize = 64;
/// Components of one path; the kernel's own limit on its length comes first for sane ones.
const COMPONENTS_MAX: usize = 2048;

/// A directory that is the whole world for paths given to it.
#[derive(Debug)]
pub struct Root {
    dir: Dir,
}

impl Root {
    /// Takes the directory at `path`, a path of the host, as a root.
    ///
    /// # Errors
    /// When it is not there or is not a directory.
    pub fn open(path: &Path) -> Result<Self> {
        Dir::open(path).map(Self::new)
    }

    /// Takes an open directory as a root.
    pub fn new(dir: Dir) -> Self {
        Self { dir }
    }

    /// Takes a descriptor as a root; `path` is only for messages.
    pub fn from_fd(fd: OwnedFd, path: impl Into<PathBuf>) -> Self {
        Self::new(Dir::from_fd(fd, path))
    }

    /// The root itself.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Opens `path`, links followed inside the root.
    ///
    /// # Errors
    /// When the kernel refuses it; `EINVAL` for a path with too many components.
    pub fn open_at(&self, path: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd> {
        self.resolve(path, flags, mode, INSIDE)
    }

    /// Opens the directory `path`, links followed inside the root.
    ///
    /// # Errors
    /// When it is not there or not a directory.
    pub fn open_dir(&self, path: &Path) -> Result<Dir> {
        let fd = self.open_at(path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
        Ok(Dir::from_fd(fd, self.dir.path().join(relative(path))))
    }

    /// Opens the directory `path`; a link anywhere in it is refused.
    ///
    /// # Errors
    /// `ELOOP` for a link.
    pub fn open_dir_without_links(&self, path: &Path) -> Result<Dir> {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let resolve = INSIDE | ResolveFlags::NO_SYMLINKS;
        let fd = self.resolve(path, flags, Mode::empty(), resolve)?;
        Ok(Dir::from_fd(fd, self.dir.path().join(relative(path))))
    }

    /// Opens the regular file `path` for reading, links followed inside the root.
    ///
    /// # Errors
    /// `EINVAL` for anything but a regular file: reading a device or a pipe could wait for ever.
    pub fn open_file(&self, path: &Path) -> Result<File> {
        let file = self.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?;
        if metadata_of(&file)?.kind != FileType::RegularFile {
            return Err(self.failed("read", path, Errno::INVAL));
        }
        Ok(File::from(file))
    }

    /// Reads the regular file `path`, links followed inside the root.
    ///
    /// # Errors
    /// `EFBIG` when it is longer than `max_bytes`.
    pub fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        self.open_file(path)?
            .take(max_bytes.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|error| SysError::from_io("read", self.subject(path), &error))?;
        if u64::try_from(content.len()).is_ok_and(|length| length > max_bytes) {
            return Err(self.failed("read", path, Errno::FBIG));
        }
        Ok(content)
    }

    /// The directory that holds `path`, and the last name of `path`.
    ///
    /// # Errors
    /// `EINVAL` when `path` has no last name (`/`, `..`).
    pub fn parent(&self, path: &Path) -> Result<(Dir, OsString)> {
        let (parent, name) = self.split(path)?;
        Ok((self.open_dir(parent)?, name.to_owned()))
    }

    /// Makes `path` and what is missing above it; new directories get exactly `mode`.
    ///
    /// A link on the way is followed inside the root when it leads to a directory; one that
    /// leads nowhere is refused, since nobody asked for what would be made behind it.
    ///
    /// # Errors
    /// `ENOTDIR` when something else is in the way.
    pub fn create_dir_all(&self, path: &Path, mode: u32) -> Result<Dir> {
        match self.open_dir(path) {
            Err(error) if error.errno == Errno::NOENT => {}
            other => return other,
        }
        // Mostly only the last of them is missing, so the way is looked for from its end.
        let (above, name) = self.split(path)?;
        let above = self.create_dir_all(above, mode)?;
        create_or_keep(&above, name, mode)?;
        above.open_dir(name)
    }

    /// Makes the new file `path` with exactly `mode`.
    ///
    /// # Errors
    /// Also when the name is taken.
    pub fn create_file(&self, path: &Path, mode: u32) -> Result<File> {
        let (parent, name) = self.parent(path)?;
        parent.create_file(&name, mode)
    }

    /// Makes the new symbolic link `path`.
    ///
    /// # Errors
    /// Also when the name is taken.
    pub fn symlink(&self, target: &OsStr, path: &Path) -> Result<()> {
        let (parent, name) = self.parent(path)?;
        parent.symlink(target, &name)
    }

    /// Gives the inode `existing` the further name `path`. No link is followed to `existing`.
    ///
    /// # Errors
    /// `ELOOP` when a link stands in the way to `existing`.
    pub fn hard_link(&self, existing: &Path, path: &Path) -> Result<()> {
        let (existing_parent, existing_name) = self.split(existing)?;
        let from = self.open_dir_without_links(existing_parent)?;
        let (parent, name) = self.parent(path)?;
        parent.hard_link(&from, existing_name, &name)
    }

    /// Makes the new device, pipe or socket `path` with exactly `mode`.
    ///
    /// # Errors
    /// Also when the name is taken.
    pub fn make_node(&self, path: &Path, kind: FileType, mode: u32, device: u64) -> Result<()> {
        let (parent, name) = self.parent(path)?;
        parent.make_node(&name, kind, mode, device)
    }

    /// Removes `path` and everything below it; a link itself, not what it leads to.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn remove_all(&self, path: &Path) -> Result<()> {
        match self.parent(path) {
            Ok((parent, name)) => parent.remove_all(&name),
            Err(error) if error.errno == Errno::NOENT => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The facts of `path`, links followed inside the root.
    ///
    /// # Errors
    /// When it is not there.
    pub fn metadata(&self, path: &Path) -> Result<Metadata> {
        metadata_of(self.open_at(path, OFlags::PATH, Mode::empty())?)
    }

    /// The facts of `path`; a link is a link.
    ///
    /// # Errors
    /// When it is not there.
    pub fn link_metadata(&self, path: &Path) -> Result<Metadata> {
        metadata_of(self.open_at(path, OFlags::PATH | OFlags::NOFOLLOW, Mode::empty())?)
    }

    /// The text of the link `path`.
    ///
    /// # Errors
    /// When it is not a link.
    pub fn read_link(&self, path: &Path) -> Result<OsString> {
        let (parent, name) = self.parent(path)?;
        parent.read_link(&name)
    }

    /// Everything in the directory `path`.
    ///
    /// # Errors
    /// When it is not a directory.
    pub fn entries(&self, path: &Path) -> Result<Vec<Entry>> {
        self.open_dir(path)?.entries()
    }

    fn resolve(
        &self,
        path: &Path,
        flags: OFlags,
        mode: Mode,
        resolve: ResolveFlags,
    ) -> Result<OwnedFd> {
        if path.components().count() > COMPONENTS_MAX {
            return Err(self.failed("openat2", path, Errno::INVAL));
        }
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        for _ in 0..TRIES_MAX {
            match fs::openat2(&self.dir, path, flags | OFlags::CLOEXEC, mode, resolve) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(self.failed("openat2", path, errno)),
                Ok(fd) => return Ok(fd),
            }
        }
        Err(self.failed("openat2", path, Errno::AGAIN))
    }

    fn split<'a>(&self, path: &'a Path) -> Result<(&'a Path, &'a OsStr)> {
        match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => Ok((parent, name)),
            _ => Err(self.failed("path", path, Errno::INVAL)),
        }
    }

    fn failed(&self, call: &'static str, path: &Path, errno: Errno) -> SysError {
        SysError::new(call, self.subject(path), errno)
    }

    fn subject(&self, path: &Path) -> String {
        // A path may be thousands of foreign bytes; a message needs only its beginning.
        let shown: String = relative(path).to_string_lossy().chars().take(256).collect();
        format!("{shown:?} below {}", self.dir.path().display())
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

/// The path without its leading slashes: where it lies below a root.
pub fn relative(path: &Path) -> &Path {
    let bytes = path.as_os_str().as_bytes();
    let n_slashes = bytes.iter().take_while(|byte| **byte == b'/').count();
    Path::new(OsStr::from_bytes(&bytes[n_slashes..]))
}

fn create_or_keep(dir: &Dir, name: &OsStr, mode: u32) -> Result<()> {
    match dir.create_dir(name, mode) {
        Err(error) if error.errno == Errno::EXIST => Ok(()),
        Err(error) => Err(error),
        // Whatever the process's mask is: a root file system is read by other users than ours.
        Ok(()) => dir.set_mode(name, mode),
    }
}
