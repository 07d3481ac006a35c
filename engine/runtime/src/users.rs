//! The user namespace of a container whose users are others on the host.
//!
//! It is begun by a process that does nothing else, together with the namespaces that shall belong
//! to it. Init comes from the host: it makes the container's mounts with the host's rights, from
//! layers that are shown as the namespace's own files, and only then becomes one of its users.
//!
//! The namespace of processes belongs to the host: its first process needs the host's rights until
//! the root is made. A program that may mount can thus not mount a further procfs of it.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::Duration;

use engine_sys::namespace::Namespaces;
use engine_sys::process::{self, Child, Forked};
use engine_sys::users::{self, IdMap};
use engine_sys::{SysError, fd, socket};

/// A user namespace, and the process that holds it until somebody else is in it.
#[derive(Debug)]
pub(crate) struct Seed {
    child: Child,
    namespace: OwnedFd,
    /// The process ends by itself when this is closed, by whatever end of ours.
    _line: OwnedFd,
}

impl Seed {
    /// Begins a user namespace, and with it the others.
    ///
    /// # Errors
    /// When the kernel or its settings allow none.
    pub(crate) fn begin(map: IdMap, others: Namespaces) -> Result<Self, SysError> {
        let (line, theirs) = socket::packet_pair()?;
        let child = match process::fork_into(Namespaces::USER.and(others), None)? {
            Forked::Child => wait_for_end(&theirs),
            Forked::Parent(child) => child,
        };
        let known = users::set_map(child.pid, map).and_then(|()| users::of_process(child.pid));
        match known {
            Ok(namespace) => Ok(Self {
                child,
                namespace,
                _line: line,
            }),
            Err(error) => {
                process::end(&child);
                Err(error)
            }
        }
    }

    /// The process, to enter its namespaces by.
    pub(crate) fn process(&self) -> BorrowedFd<'_> {
        self.child.pidfd.as_fd()
    }

    /// The user namespace alone.
    pub(crate) fn namespace(&self) -> BorrowedFd<'_> {
        self.namespace.as_fd()
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        process::end(&self.child);
    }
}

fn wait_for_end(line: &OwnedFd) -> ! {
    if fd::keep_only(&[line.as_fd()]).is_ok() {
        // Nothing is ever sent: it is closed.
        let _ = socket::receive(line, &mut [0; 1]);
    }
    process::exit_now(0)
}

/// How long a child may take to begin a user namespace.
const BEGIN_LIMIT: Duration = Duration::from_secs(10);

/// What the monitor's program is called with to hold a user namespace for the engine.
pub const HOLD: &str = "hold-user-namespace";

/// Leaves the user namespace for a new one, says so on standard input, which is a socket, and
/// stays until that is closed.
pub fn hold() -> std::process::ExitCode {
    let line = std::io::stdin();
    let begun = engine_sys::namespace::unshare(Namespaces::USER)
        .and_then(|()| socket::send(&line, b"begun", &[]));
    if begun.is_err() {
        return std::process::ExitCode::FAILURE;
    }
    let _ = socket::receive(&line, &mut [0; 1]);
    std::process::ExitCode::SUCCESS
}

/// Waits until a child that holds a namespace has it; then says who its users are and opens it.
///
/// # Errors
/// When it has none.
pub(crate) fn take(pid: i32, line: &OwnedFd, map: IdMap) -> Result<OwnedFd, SysError> {
    let gone = || SysError::new("unshare", "a user namespace", engine_sys::Errno::NOSPC);
    if !socket::wait_readable(line, BEGIN_LIMIT)? {
        return Err(gone());
    }
    match socket::receive(line, &mut [0; 16])? {
        socket::Received::Packet(..) => {}
        _ => return Err(gone()),
    }
    users::set_map(pid, map)?;
    users::of_process(pid)
}
