//! A directory by descriptor: operations on single names in it, none of which follows a link.
//!
//! **Invariant:** a name is one path component. What it is at the moment of the call may be
//! anything, a link included; the call then acts on the link itself or fails.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, CWD, Mode, OFlags, RawDir, ResolveFlags, Stat};
pub use rustix::fs::{FileType, Timespec, Timestamps};
use rustix::process::{Gid, Uid};

use crate::error::{Errno, Result, SysError};

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const LIST_BUFFER_BYTES: usize = 32 * 1024;

/// An open directory. It stays the same directory however the tree around it changes.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

/// What a directory holds under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, one component.
    pub name: OsString,
    /// What it is; a link is a link.
    pub kind: FileType,
}

/// The facts of an inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub kind: FileType,
    /// Permission bits with set-id and sticky bits (`0o7777`).
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Length of the content.
    pub size_bytes: u64,
    /// Room taken on the disk.
    pub allocated_bytes: u64,
    /// Names that lead to it.
    pub n_links: u64,
    /// Its number in the file system.
    pub inode: u64,
    /// The file system.
    pub file_system: u64,
    /// For a device: which one.
    pub device: u64,
    /// Last change of the content, seconds and nanoseconds since 1970.
    pub modified: (i64, u32),
}

impl Dir {
    /// Opens the directory at `path`, a path of the host.
    ///
    /// # Errors
    /// When it is not there or is not a directory.
    pub fn open(path: &Path) -> Result<Self> {
        let fd = fs::openat(CWD, path, DIRECTORY, Mode::empty())
            .map_err(|errno| SysError::new("openat", path.display(), errno))?;
        Ok(Self::from_fd(fd, path))
    }

    /// Takes an open directory; `path` is only for messages.
    pub fn from_fd(fd: OwnedFd, path: impl Into<PathBuf>) -> Self {
        Self {
            fd,
            path: path.into(),
        }
    }

    /// The path it was opened by, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A second handle on the same directory.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn try_clone(&self) -> Result<Self> {
        let fd = rustix::io::fcntl_dupfd_cloexec(&self.fd, 3)
            .map_err(|errno| SysError::new("fcntl", self.path.display(), errno))?;
        Ok(Self::from_fd(fd, &self.path))
    }

    /// Opens the directory `name` in this one.
    ///
    /// # Errors
    /// Also when `name` is a link to a directory or the root of another file system.
    pub fn open_dir(&self, name: &OsStr) -> Result<Self> {
        single(name)?;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        let fd = fs::openat2(&self.fd, name, DIRECTORY, Mode::empty(), resolve)
            .map_err(|errno| self.failed("openat2", name, errno))?;
        Ok(Self::from_fd(fd, self.path.join(name)))
    }

    /// Opens the existing file `name` for reading.
    ///
    /// # Errors
    /// Also when `name` is a link. A device or pipe opens without waiting; see [`Self::metadata`].
    pub fn open_file(&self, name: &OsStr) -> Result<File> {
        single(name)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        fs::openat(&self.fd, name, flags, Mode::empty())
            .map(File::from)
            .map_err(|errno| self.failed("openat", name, errno))
    }

    /// Makes the new file `name` with exactly `mode`.
    ///
    /// # Errors
    /// Also when the name is taken, by whatever.
    pub fn create_file(&self, name: &OsStr, mode: u32) -> Result<File> {
        single(name)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = fs::openat(&self.fd, name, flags, Mode::from_raw_mode(0o600))
            .map_err(|errno| self.failed("openat", name, errno))?;
        if mode != 0o600 {
            fs::fchmod(&fd, Mode::from_raw_mode(mode))
                .map_err(|errno| self.failed("fchmod", name, errno))?;
        }
        Ok(File::from(fd))
    }

    /// Makes the new directory `name`; the process's mask applies to `mode`.
    ///
    /// # Errors
    /// Also when the name is taken, by whatever.
    pub fn create_dir(&self, name: &OsStr, mode: u32) -> Result<()> {
        single(name)?;
        fs::mkdirat(&self.fd, name, Mode::from_raw_mode(mode))
            .map_err(|errno| self.failed("mkdirat", name, errno))
    }

    /// Makes the new symbolic link `name` with any text as its target.
    ///
    /// # Errors
    /// Also when the name is taken.
    pub fn symlink(&self, target: &OsStr, name: &OsStr) -> Result<()> {
        single(name)?;
        fs::symlinkat(target, &self.fd, name).map_err(|errno| self.failed("symlinkat", name, errno))
    }

    /// Gives the inode that is `existing` in `from` the further name `name` here.
    ///
    /// # Errors
    /// Also when the name is taken or `existing` is a directory. A link is linked, not followed.
    pub fn hard_link(&self, from: &Dir, existing: &OsStr, name: &OsStr) -> Result<()> {
        single(existing)?;
        single(name)?;
        fs::linkat(&from.fd, existing, &self.fd, name, AtFlags::empty())
            .map_err(|errno| self.failed("linkat", name, errno))
    }

    /// Makes the new device, pipe or socket `name` with exactly `mode`.
    ///
    /// # Errors
    /// Also when the name is taken.
    pub fn make_node(&self, name: &OsStr, kind: FileType, mode: u32, device: u64) -> Result<()> {
        single(name)?;
        fs::mknodat(&self.fd, name, kind, Mode::from_raw_mode(mode), device)
            .map_err(|errno| self.failed("mknodat", name, errno))?;
        self.set_mode(name, mode)
    }

    /// Removes the name of anything but a directory.
    ///
    /// # Errors
    /// When it is a directory or not there.
    pub fn remove_file(&self, name: &OsStr) -> Result<()> {
        single(name)?;
        fs::unlinkat(&self.fd, name, AtFlags::empty())
            .map_err(|errno| self.failed("unlinkat", name, errno))
    }

    /// Removes the empty directory `name`.
    ///
    /// # Errors
    /// When it is not empty, not a directory or not there.
    pub fn remove_dir(&self, name: &OsStr) -> Result<()> {
        single(name)?;
        fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR)
            .map_err(|errno| self.failed("unlinkat", name, errno))
    }

    /// Moves `name` to `new_name` in `to`, which must not exist yet.
    ///
    /// # Errors
    /// Also when the new name is taken.
    pub fn rename(&self, name: &OsStr, to: &Dir, new_name: &OsStr) -> Result<()> {
        single(name)?;
        single(new_name)?;
        let flags = fs::RenameFlags::NOREPLACE;
        fs::renameat_with(&self.fd, name, &to.fd, new_name, flags)
            .map_err(|errno| self.failed("renameat2", name, errno))
    }

    /// Moves `name` to `new_name` here in one step, in place of what has that name now.
    ///
    /// # Errors
    /// When a directory with something in it has that name, or something is mounted on it.
    pub fn replace(&self, name: &OsStr, new_name: &OsStr) -> Result<()> {
        single(name)?;
        single(new_name)?;
        fs::renameat(&self.fd, name, &self.fd, new_name)
            .map_err(|errno| self.failed("renameat", new_name, errno))
    }

    /// Gives two names here each other's content, in one step.
    ///
    /// # Errors
    /// When one of them is not there, or something is mounted on it.
    pub fn exchange(&self, one: &OsStr, other: &OsStr) -> Result<()> {
        single(one)?;
        single(other)?;
        let flags = fs::RenameFlags::EXCHANGE;
        fs::renameat_with(&self.fd, one, &self.fd, other, flags)
            .map_err(|errno| self.failed("renameat2", other, errno))
    }

    /// The facts of `name`; a link is a link.
    ///
    /// # Errors
    /// When it is not there.
    pub fn metadata(&self, name: &OsStr) -> Result<Metadata> {
        single(name)?;
        fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)
            .map(|stat| Metadata::from(&stat))
            .map_err(|errno| self.failed("fstatat", name, errno))
    }

    /// The facts of this directory itself.
    ///
    /// # Errors
    /// Practically never.
    pub fn own_metadata(&self) -> Result<Metadata> {
        metadata_of(&self.fd).map_err(|error| SysError {
            subject: self.subject(),
            ..error
        })
    }

    /// The text of the link `name`.
    ///
    /// # Errors
    /// When it is not a link.
    pub fn read_link(&self, name: &OsStr) -> Result<OsString> {
        single(name)?;
        let target = fs::readlinkat(&self.fd, name, Vec::new())
            .map_err(|errno| self.failed("readlinkat", name, errno))?;
        Ok(OsStr::from_bytes(target.as_bytes()).to_owned())
    }

    /// Gives `name` to this owner and group; a link itself is given away. Clears set-id bits.
    ///
    /// # Errors
    /// When it is not there.
    pub fn set_owner(&self, name: &OsStr, uid: u32, gid: u32) -> Result<()> {
        single(name)?;
        let (owner, group) = ids(uid, gid);
        fs::chownat(&self.fd, name, owner, group, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|errno| self.failed("fchownat", name, errno))
    }

    /// Sets the permission bits of `name`.
    ///
    /// # Errors
    /// `ELOOP` when it is a link: links have no bits of their own.
    pub fn set_mode(&self, name: &OsStr, mode: u32) -> Result<()> {
        single(name)?;
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let pinned = fs::openat(&self.fd, name, flags, Mode::empty())
            .map_err(|errno| self.failed("openat", name, errno))?;
        let found = metadata_of(&pinned)?;
        if found.kind == FileType::Symlink {
            return Err(self.failed("chmod", name, Errno::LOOP));
        }
        if found.mode == mode {
            return Ok(());
        }
        // Why by /proc: fchmod refuses a descriptor that only names an inode, and fchmodat2
        // needs Linux 6.6. The descriptor pins what was looked at, so nothing can be swapped in.
        fs::chmodat(
            CWD,
            by_descriptor(&pinned),
            Mode::from_raw_mode(mode),
            AtFlags::empty(),
        )
        .map_err(|errno| self.failed("chmod", name, errno))
    }

    /// Sets the access and change times of `name`; a link's own times for a link.
    ///
    /// # Errors
    /// When it is not there.
    pub fn set_times(&self, name: &OsStr, times: &Timestamps) -> Result<()> {
        single(name)?;
        fs::utimensat(&self.fd, name, times, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|errno| self.failed("utimensat", name, errno))
    }

    /// Everything in the directory, in the file system's order.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = fs::openat(&self.fd, ".", flags, Mode::empty())
            .map_err(|errno| SysError::new("openat", self.subject(), errno))?;
        let mut buffer = Vec::with_capacity(LIST_BUFFER_BYTES);
        let mut directory = RawDir::new(fd, buffer.spare_capacity_mut());
        let mut entries = Vec::new();
        while let Some(entry) = directory.next() {
            let entry =
                entry.map_err(|errno| SysError::new("getdents64", self.subject(), errno))?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => self.metadata(name)?.kind,
                known => known,
            };
            entries.push(Entry {
                name: name.to_owned(),
                kind,
            });
        }
        Ok(entries)
    }

    /// Makes the directory and its names durable.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn sync(&self) -> Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = fs::openat(&self.fd, ".", flags, Mode::empty())
            .map_err(|errno| SysError::new("openat", self.subject(), errno))?;
        fs::fsync(&fd).map_err(|errno| SysError::new("fsync", self.subject(), errno))
    }

    /// The path of `name` by descriptor, for the calls that know no descriptors.
    pub(crate) fn path_by_descriptor(&self, name: &OsStr) -> PathBuf {
        by_descriptor(&self.fd).join(name)
    }

    pub(crate) fn failed(&self, call: &'static str, name: &OsStr, errno: Errno) -> SysError {
        SysError::new(call, self.path.join(name).display(), errno)
    }

    fn subject(&self) -> String {
        self.path.display().to_string()
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<&Stat> for Metadata {
    fn from(stat: &Stat) -> Self {
        Self {
            kind: FileType::from_raw_mode(stat.st_mode),
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            size_bytes: u64::try_from(stat.st_size).unwrap_or(0),
            allocated_bytes: u64::try_from(stat.st_blocks).unwrap_or(0) * 512,
            n_links: stat.st_nlink,
            inode: stat.st_ino,
            file_system: stat.st_dev,
            device: stat.st_rdev,
            modified: (
                stat.st_mtime,
                u32::try_from(stat.st_mtime_nsec).unwrap_or(0),
            ),
        }
    }
}

/// The facts of an open file.
///
/// # Errors
/// Practically never.
pub fn metadata_of(fd: impl AsFd) -> Result<Metadata> {
    fs::fstat(fd)
        .map(|stat| Metadata::from(&stat))
        .map_err(|errno| SysError::new("fstat", "an open file", errno))
}

/// Gives an open file away.
///
/// # Errors
/// When the process may not.
pub fn set_owner_of(fd: impl AsFd, uid: u32, gid: u32) -> Result<()> {
    let (owner, group) = ids(uid, gid);
    fs::fchown(fd, owner, group).map_err(|errno| SysError::new("fchown", "an open file", errno))
}

/// Sets the permission bits of an open file.
///
/// # Errors
/// When the process may not.
pub fn set_mode_of(fd: impl AsFd, mode: u32) -> Result<()> {
    fs::fchmod(fd, Mode::from_raw_mode(mode))
        .map_err(|errno| SysError::new("fchmod", "an open file", errno))
}

/// Sets the times of an open file.
///
/// # Errors
/// When the process may not.
pub fn set_times_of(fd: impl AsFd, times: &Timestamps) -> Result<()> {
    fs::futimens(fd, times).map_err(|errno| SysError::new("futimens", "an open file", errno))
}

/// The number of the device with this major and minor number.
pub fn device_number(major: u32, minor: u32) -> u64 {
    fs::makedev(major, minor)
}

/// The major and minor number of a device.
pub fn device_parts(device: u64) -> (u32, u32) {
    (fs::major(device), fs::minor(device))
}

/// Refuses everything but one plain component.
pub(crate) fn single(name: &OsStr) -> Result<()> {
    let bytes = name.as_bytes();
    let plain = !matches!(bytes, b"" | b"." | b"..")
        && !bytes.contains(&b'/')
        && !bytes.contains(&0)
        && bytes.len() <= 255;
    if plain {
        return Ok(());
    }
    Err(SysError::new(
        "name",
        format!("{:?}", name.to_string_lossy()),
        Errno::INVAL,
    ))
}

pub(crate) fn by_descriptor(fd: impl AsFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()))
}

fn ids(uid: u32, gid: u32) -> (Option<Uid>, Option<Gid>) {
    // The kernel reads all ones as "leave it"; so does this.
    let owner = (uid != u32::MAX).then(|| Uid::from_raw(uid));
    let group = (gid != u32::MAX).then(|| Gid::from_raw(gid));
    (owner, group)
}
