//! Descriptors: sealed copies, pipes, and what a program inherits.

use std::io::Write as _;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, OFlags, SealFlags};
use rustix::io::FdFlags;
use rustix::pipe::PipeFlags;

use crate::{During as _, Errno, Result, SysError};

/// Copies `bytes` into an anonymous file that nobody can change afterwards.
///
/// A program executed from it cannot be overwritten through `/proc/<pid>/exe`, whatever the
/// container does.
pub fn sealed(name: &str, bytes: &[u8]) -> Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = rustix::fs::memfd_create(name, flags)
        .map_err(|errno| SysError::new("memfd_create", name, errno))?;
    let mut file = std::fs::File::from(fd);
    file.write_all(bytes)
        .map_err(|error| SysError::from_io("write", name, &error))?;
    let fd = OwnedFd::from(file);
    rustix::fs::fcntl_add_seals(
        &fd,
        SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE,
    )
    .map_err(|errno| SysError::new("fcntl(F_ADD_SEALS)", name, errno))?;
    Ok(fd)
}

/// Reads a whole file from its beginning, wherever others who hold it have read to.
///
/// # Errors
/// When it is not a file.
pub fn read_sealed(fd: impl AsFd) -> Result<Vec<u8>> {
    let length = rustix::fs::fstat(&fd)
        .during("fstat", "a sealed file")?
        .st_size;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let mut n_read = 0;
    while n_read < bytes.len() {
        let offset = u64::try_from(n_read).unwrap_or(0);
        match rustix::io::pread(&fd, &mut bytes[n_read..], offset) {
            Ok(0) => break,
            Ok(n_bytes) => n_read += n_bytes,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno).during("pread", "a sealed file"),
        }
    }
    bytes.truncate(n_read);
    Ok(bytes)
}

/// Makes a pipe; both ends are closed on exec. Returns the reading end first.
pub fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(PipeFlags::CLOEXEC)
        .map_err(|errno| SysError::new("pipe2", "a pipe", errno))
}

/// Asks for a larger buffer in a pipe; the kernel may give less.
pub fn grow_pipe(pipe: impl AsFd, bytes: usize) -> Result<usize> {
    rustix::pipe::fcntl_setpipe_size(pipe, bytes)
        .map_err(|errno| SysError::new("fcntl(F_SETPIPE_SZ)", "a pipe", errno))
}

/// Makes reads and writes return instead of waiting, or the reverse.
pub fn set_nonblocking(fd: impl AsFd, nonblocking: bool) -> Result<()> {
    let flags = rustix::fs::fcntl_getfl(&fd)
        .map_err(|errno| SysError::new("fcntl(F_GETFL)", "a descriptor", errno))?;
    let mut wanted = flags;
    wanted.set(OFlags::NONBLOCK, nonblocking);
    if wanted == flags {
        return Ok(());
    }
    rustix::fs::fcntl_setfl(&fd, wanted)
        .map_err(|errno| SysError::new("fcntl(F_SETFL)", "a descriptor", errno))
}

/// Lets a descriptor live on through an exec, or not.
pub fn set_inherited(fd: impl AsFd, inherited: bool) -> Result<()> {
    let flags = if inherited {
        FdFlags::empty()
    } else {
        FdFlags::CLOEXEC
    };
    rustix::io::fcntl_setfd(fd, flags)
        .map_err(|errno| SysError::new("fcntl(F_SETFD)", "a descriptor", errno))
}

/// Duplicates a descriptor; the copy is closed on exec.
pub fn duplicate(fd: impl AsFd) -> Result<OwnedFd> {
    rustix::io::fcntl_dupfd_cloexec(fd, 3)
        .map_err(|errno| SysError::new("fcntl(F_DUPFD_CLOEXEC)", "a descriptor", errno))
}

/// Makes `stdin`, `stdout` and `stderr` this process's descriptors 0, 1 and 2, kept on exec.
pub fn install_stdio(
    stdin: BorrowedFd<'_>,
    stdout: BorrowedFd<'_>,
    stderr: BorrowedFd<'_>,
) -> Result<()> {
    // Copies above 2 first: a source may itself be one of the three.
    let (stdin, stdout, stderr) = (duplicate(stdin)?, duplicate(stdout)?, duplicate(stderr)?);
    rustix::stdio::dup2_stdin(&stdin)
        .map_err(|errno| SysError::new("dup2", "standard input", errno))?;
    rustix::stdio::dup2_stdout(&stdout)
        .map_err(|errno| SysError::new("dup2", "standard output", errno))?;
    rustix::stdio::dup2_stderr(&stderr)
        .map_err(|errno| SysError::new("dup2", "standard error", errno))
}

/// Marks every descriptor from 3 upwards to be closed on exec, whoever opened it.
pub fn close_others_on_exec() -> Result<()> {
    close_range(3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC)
}

/// Closes every descriptor but 0, 1, 2 and those of `kept`, whoever holds them.
///
/// For a forked copy of a process on its way to an exec: it begins with copies of everything that
/// its parent had open. Whatever else was held in the copy's memory must not be used any more.
///
/// # Errors
/// Practically never.
pub fn keep_only(kept: &[BorrowedFd<'_>]) -> Result<()> {
    let mut kept: Vec<u32> = kept
        .iter()
        .map(|fd| fd.as_raw_fd().unsigned_abs())
        .collect();
    kept.sort_unstable();
    let mut first = 3;
    for fd in kept {
        if fd > first {
            close_range(first, fd - 1, 0)?;
        }
        first = first.max(fd + 1);
    }
    close_range(first, u32::MAX, 0)
}

fn close_range(first: u32, last: u32, flags: u32) -> Result<()> {
    // SAFETY: close_range(2) takes three integers and touches no memory. Where it closes, the
    // caller has promised not to use what it closes.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
    nix::errno::Errno::result(result)
        .map(drop)
        .during("close_range", "descriptors")
}

/// Reads what is there; `None` when nothing is there yet, zero at the end.
pub fn read_some(fd: impl AsFd, buffer: &mut [u8]) -> Result<Option<usize>> {
    loop {
        match rustix::io::read(&fd, &mut *buffer) {
            Ok(n_bytes) => return Ok(Some(n_bytes)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(None),
            // A terminal's master side says EIO when the last user of the other side has gone.
            Err(Errno::IO) => return Ok(Some(0)),
            Err(errno) => {
                return Err(SysError::new("read", fd.as_fd().as_raw_fd(), errno));
            }
        }
    }
}

/// Writes what fits; `None` when nothing fits now.
pub fn write_some(fd: impl AsFd, bytes: &[u8]) -> Result<Option<usize>> {
    loop {
        match rustix::io::write(&fd, bytes) {
            Ok(n_bytes) => return Ok(Some(n_bytes)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(None),
            Err(errno) => {
                return Err(SysError::new("write", fd.as_fd().as_raw_fd(), errno));
            }
        }
    }
}

/// Gives the file behind a descriptor to a user and a group.
pub fn give_to(fd: impl AsFd, user: u32, group: u32) -> Result<()> {
    let user = rustix::fs::Uid::from_raw(user);
    let group = rustix::fs::Gid::from_raw(group);
    rustix::fs::fchown(fd, Some(user), Some(group))
        .map_err(|errno| SysError::new("fchown", "a descriptor", errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_copy_cannot_be_written() {
        let fd = sealed("test", b"abc").expect("memfd");
        assert_eq!(rustix::io::write(&fd, b"x"), Err(Errno::PERM));
    }

    #[test]
    fn an_empty_pipe_has_nothing_yet_and_a_closed_one_has_ended() {
        let (reader, writer) = pipe().expect("pipe");
        set_nonblocking(&reader, true).expect("non-blocking");
        let mut buffer = [0; 8];

        assert_eq!(read_some(&reader, &mut buffer), Ok(None));
        assert_eq!(write_some(&writer, b"abc"), Ok(Some(3)));
        assert_eq!(read_some(&reader, &mut buffer), Ok(Some(3)));
        drop(writer);
        assert_eq!(read_some(&reader, &mut buffer), Ok(Some(0)));
    }
}
