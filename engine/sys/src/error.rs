//! The one error of this crate: which call failed, on what, and why.

use std::fmt::Display;

pub use rustix::io::Errno;

/// The result of everything in this crate that asks the kernel.
pub type Result<T> = std::result::Result<T, SysError>;

/// A kernel call that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{call} failed on {subject}")]
pub struct SysError {
    /// The system call or operation, as its man page names it.
    pub call: &'static str,
    /// What it was called on: a path, a process id, a file.
    pub subject: String,
    /// The reason that the kernel gave.
    #[source]
    pub errno: Errno,
}

impl SysError {
    /// Records that `call` failed on `subject` with `errno`.
    pub fn new(call: &'static str, subject: impl Display, errno: Errno) -> Self {
        Self {
            call,
            subject: subject.to_string(),
            errno,
        }
    }

    /// Records a failure that `nix` reported.
    pub fn from_nix(call: &'static str, subject: impl Display, errno: nix::errno::Errno) -> Self {
        Self::new(call, subject, Errno::from_raw_os_error(errno as i32))
    }

    /// Records a failure that the standard library reported; one without a number becomes `EIO`.
    pub fn from_io(call: &'static str, subject: impl Display, error: &std::io::Error) -> Self {
        Self::new(
            call,
            subject,
            Errno::from_io_error(error).unwrap_or(Errno::IO),
        )
    }

    /// Says whether the thing was not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self.errno, Errno::NOENT | Errno::NOTDIR)
    }

    /// Says whether the disk, or the quota on it, was full.
    pub fn is_full(&self) -> bool {
        matches!(self.errno, Errno::NOSPC | Errno::DQUOT)
    }
}

impl From<SysError> for std::io::Error {
    fn from(error: SysError) -> Self {
        std::io::Error::new(std::io::Error::from(error.errno).kind(), error)
    }
}

/// Turns a failure of std, nix or rustix into a [`SysError`] with its call and subject.
pub trait During<T> {
    /// Adds what was tried and on what.
    ///
    /// # Errors
    /// The original failure, with its context.
    fn during(self, call: &'static str, subject: impl Display) -> Result<T>;
}

impl<T> During<T> for std::result::Result<T, Errno> {
    fn during(self, call: &'static str, subject: impl Display) -> Result<T> {
        self.map_err(|errno| SysError::new(call, subject, errno))
    }
}

impl<T> During<T> for nix::Result<T> {
    fn during(self, call: &'static str, subject: impl Display) -> Result<T> {
        self.map_err(|errno| SysError::from_nix(call, subject, errno))
    }
}

impl<T> During<T> for std::io::Result<T> {
    fn during(self, call: &'static str, subject: impl Display) -> Result<T> {
        self.map_err(|error| SysError::from_io(call, subject, &error))
    }
}
