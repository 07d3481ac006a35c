//! Pseudo terminals of one particular devpts.

use std::os::fd::{AsFd, OwnedFd};

use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;

use crate::{During as _, Errno, Result, SysError, mount};

/// The two sides of a terminal.
#[derive(Debug)]
pub struct Terminal {
    /// The side that is kept outside.
    pub master: OwnedFd,
    /// The side that the program gets.
    pub slave: OwnedFd,
}

/// Makes a terminal from an open `ptmx`; both sides belong to the devpts that it lies on.
///
/// # Errors
/// `ENOTTY` when `ptmx` is not one: the container has put something else in its place.
pub fn open(ptmx: OwnedFd) -> Result<Terminal> {
    if mount::file_system(&ptmx)? != mount::DEVPTS {
        return Err(SysError::new("open", "/dev/pts/ptmx", Errno::NOTTY));
    }
    rustix::pty::unlockpt(&ptmx).during("ioctl(TIOCSPTLCK)", "a terminal")?;
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let slave =
        rustix::pty::ioctl_tiocgptpeer(&ptmx, flags).during("ioctl(TIOCGPTPEER)", "a terminal")?;
    Ok(Terminal {
        master: ptmx,
        slave,
    })
}

/// Sets the size of a terminal.
///
/// # Errors
/// `ENOTTY` when it is none.
pub fn set_size(terminal: impl AsFd, rows: u16, columns: u16) -> Result<()> {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    rustix::termios::tcsetwinsize(terminal, size).during("ioctl(TIOCSWINSZ)", "a terminal")
}

/// Makes a terminal the controlling one of the session that this process leads.
///
/// # Errors
/// `EPERM` when another session has it.
pub fn control(terminal: impl AsFd) -> Result<()> {
    rustix::process::ioctl_tiocsctty(terminal).during("ioctl(TIOCSCTTY)", "a terminal")
}
