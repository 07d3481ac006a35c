//! Files that a power cut leaves old or new, never half; and locks.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{self, CWD, FlockOperation, Mode, OFlags};
use rustix::process::{Flock, FlockType, Pid, fcntl_getlk};

use crate::dir::{Dir, FileType};
use crate::error::{Errno, Result, SysError};

const LEFTOVER_PREFIX: &[u8] = b".gantry-new-";

/// Puts `bytes` at `path`, readable for the owner alone: written beside it, synced, renamed over
/// it, the directory synced. Readers see the old content or the new, also after a power cut.
///
/// # Errors
/// When any step fails; the old content is still there and nothing lies beside it.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let (parent, name) = split(path)?;
    replace_in(&Dir::open(parent)?, name, bytes)
}

/// Does what [`replace`] does, for `name` in an open directory.
///
/// # Errors
/// As [`replace`].
pub fn replace_in(dir: &Dir, name: &OsStr, bytes: &[u8]) -> Result<()> {
    let temporary = temporary_name(name);
    let written = write_new(dir, &temporary, bytes).and_then(|()| {
        fs::renameat(dir, temporary.as_os_str(), dir, name)
            .map_err(|errno| dir.failed("renameat", name, errno))
    });
    if let Err(error) = written {
        // The first failure is the one to tell; a leftover is swept at the next start.
        let _ = dir.remove_file(&temporary);
        return Err(error);
    }
    dir.sync()
}

/// Removes what an interrupted [`replace`] left in the directory; call it before the first use.
///
/// # Errors
/// When the directory cannot be read or changed.
pub fn remove_leftovers(dir: &Path) -> Result<()> {
    let dir = Dir::open(dir)?;
    for entry in dir.entries()? {
        if entry.name.as_bytes().starts_with(LEFTOVER_PREFIX) {
            dir.remove_file(&entry.name)?;
        }
    }
    Ok(())
}

/// Reads the regular file at `path`, the last component not followed.
///
/// # Errors
/// `EFBIG` when it is longer than `max_bytes`, `EINVAL` when it is not a regular file.
pub fn read(path: &Path, max_bytes: u64) -> Result<Vec<u8>> {
    let (parent, name) = split(path)?;
    let dir = Dir::open(parent)?;
    let file = dir.open_file(name)?;
    if crate::dir::metadata_of(&file)?.kind != FileType::RegularFile {
        return Err(dir.failed("read", name, Errno::INVAL));
    }
    let mut content = Vec::new();
    file.take(max_bytes.saturating_add(1))
        .read_to_end(&mut content)
        .map_err(|error| SysError::from_io("read", path.display(), &error))?;
    if u64::try_from(content.len()).is_ok_and(|length| length > max_bytes) {
        return Err(dir.failed("read", name, Errno::FBIG));
    }
    Ok(content)
}

/// Makes the names in the directory at `path` durable.
///
/// # Errors
/// When the disk fails.
pub fn sync_dir(path: &Path) -> Result<()> {
    Dir::open(path)?.sync()
}

/// Makes everything written so far to the file system of `fd` durable.
///
/// # Errors
/// When the disk fails. `fd` must be open for reading, not only naming a path.
pub fn sync_filesystem(fd: impl AsFd) -> Result<()> {
    fs::syncfs(fd).map_err(|errno| SysError::new("syncfs", "a file system", errno))
}

/// Makes the directory at `path` for the owner alone (0700), with what is missing above it.
///
/// # Errors
/// When something else is in the way.
pub fn create_private_dir(path: &Path) -> Result<Dir> {
    std::fs::create_dir_all(path)
        .map_err(|error| SysError::from_io("mkdir", path.display(), &error))?;
    let dir = Dir::open(path)?;
    fs::chmodat(CWD, path, Mode::from_raw_mode(0o700), fs::AtFlags::empty())
        .map_err(|errno| SysError::new("chmod", path.display(), errno))?;
    Ok(dir)
}

/// A file or directory that is locked as long as this lives, against every other process and opener.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at `path`, making the file if needed; `None` when somebody else has it.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn try_take(path: &Path) -> Result<Option<Self>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = fs::openat(CWD, path, flags, Mode::from_raw_mode(0o600))
            .map_err(|errno| SysError::new("openat", path.display(), errno))?;
        Self::try_on(fd, path)
    }

    /// Takes the lock of the directory at `path`, which has to be there; `None` when somebody else
    /// has it.
    ///
    /// # Errors
    /// When the directory cannot be opened.
    pub fn try_take_dir(path: &Path) -> Result<Option<Self>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = fs::openat(CWD, path, flags, Mode::empty())
            .map_err(|errno| SysError::new("openat", path.display(), errno))?;
        Self::try_on(fd, path)
    }

    fn try_on(fd: OwnedFd, path: &Path) -> Result<Option<Self>> {
        match fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self {
                _file: File::from(fd),
            })),
            Err(Errno::AGAIN) => Ok(None),
            Err(errno) => Err(SysError::new("flock", path.display(), errno)),
        }
    }
}

/// Opens an existing file and claims it for this process; `None` when another process has it.
///
/// The claim ends with the process, whatever its children hold, and when this process closes any
/// descriptor of the file: it opens the file once.
///
/// # Errors
/// When the file is not there or cannot be written.
pub fn claim(path: &Path) -> Result<Option<File>> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = fs::openat(CWD, path, flags, Mode::empty())
        .map_err(|errno| SysError::new("openat", path.display(), errno))?;
    match fs::fcntl_lock(&fd, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(File::from(fd))),
        Err(Errno::AGAIN | Errno::ACCESS) => Ok(None),
        Err(errno) => Err(SysError::new("fcntl", path.display(), errno)),
    }
}

/// Returns the id of the process that has claimed a file; 0 when it cannot be named from here.
///
/// # Errors
/// When the file is not there.
pub fn claimed_by(path: &Path) -> Result<Option<i32>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = fs::openat(CWD, path, flags, Mode::empty())
        .map_err(|errno| SysError::new("openat", path.display(), errno))?;
    let holder = fcntl_getlk(&fd, &Flock::from(FlockType::WriteLock))
        .map_err(|errno| SysError::new("fcntl", path.display(), errno))?;
    Ok(holder.map(|lock| Pid::as_raw(lock.pid)))
}

fn write_new(dir: &Dir, name: &OsStr, bytes: &[u8]) -> Result<()> {
    let mut file = dir.create_file(name, 0o600)?;
    file.write_all(bytes)
        .map_err(|error| io_failed("write", dir, name, &error))?;
    file.sync_all()
        .map_err(|error| io_failed("fsync", dir, name, &error))
}

fn temporary_name(name: &OsStr) -> OsString {
    static N_NAMES: AtomicU64 = AtomicU64::new(0);
    let n = N_NAMES.fetch_add(1, Ordering::Relaxed);
    let mut temporary = OsStr::from_bytes(LEFTOVER_PREFIX).to_owned();
    temporary.push(format!("{}-{n}-", std::process::id()));
    // Only for a person who finds it; cut so that the whole stays a legal name.
    temporary.push(OsStr::from_bytes(&name.as_bytes()[..name.len().min(128)]));
    temporary
}

fn split(path: &Path) -> Result<(&Path, &OsStr)> {
    let Some(name) = path.file_name() else {
        return Err(SysError::new("path", path.display(), Errno::INVAL));
    };
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => Ok((parent, name)),
        _ => Ok((Path::new("."), name)),
    }
}

fn io_failed(call: &'static str, dir: &Dir, name: &OsStr, error: &std::io::Error) -> SysError {
    dir.failed(call, name, Errno::from_io_error(error).unwrap_or(Errno::IO))
}
