//! Namespaces: which, entered by descriptor, and the names and interfaces inside.

use std::os::fd::{AsFd, AsRawFd as _};

use crate::{During as _, Result, SysError};

/// A set of namespace kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Namespaces(i32);

impl Namespaces {
    /// None at all.
    pub const NONE: Self = Self(0);
    /// Mount points.
    pub const MOUNT: Self = Self(libc::CLONE_NEWNS);
    /// Process ids.
    pub const PID: Self = Self(libc::CLONE_NEWPID);
    /// Host and domain name.
    pub const UTS: Self = Self(libc::CLONE_NEWUTS);
    /// System V objects and message queues.
    pub const IPC: Self = Self(libc::CLONE_NEWIPC);
    /// Interfaces, addresses, sockets.
    pub const NETWORK: Self = Self(libc::CLONE_NEWNET);
    /// Users, and the rights over everything that belongs to them.
    pub const USER: Self = Self(libc::CLONE_NEWUSER);
    /// The view of control groups.
    pub const CGROUP: Self = Self(libc::CLONE_NEWCGROUP);
    /// Offsets of the monotonic clocks.
    pub const TIME: Self = Self(0x80);

    /// Returns both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns this set without the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Says whether every kind of the other set is in this one.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) fn bits(self) -> u64 {
        u64::from(self.0.unsigned_abs())
    }
}

/// Leaves these namespaces for new ones.
///
/// # Errors
/// `EPERM` without the right.
pub fn unshare(namespaces: Namespaces) -> Result<()> {
    // SAFETY: unshare(2) takes one integer. No kind in `Namespaces` touches memory or descriptors.
    let result = unsafe { libc::unshare(namespaces.0) };
    nix::errno::Errno::result(result)
        .map(drop)
        .during("unshare", "namespaces")
}

/// Enters these namespaces of the process behind a pidfd, all or none.
///
/// # Errors
/// `ESRCH` when the process has ended.
pub fn enter(pidfd: impl AsFd, namespaces: Namespaces) -> Result<()> {
    // SAFETY: setns(2) takes a descriptor that is borrowed for the call, and an integer.
    let result = unsafe { libc::setns(pidfd.as_fd().as_raw_fd(), namespaces.0) };
    nix::errno::Errno::result(result)
        .map(drop)
        .during("setns", "a container's namespaces")
}

/// Sets the host name of this namespace.
///
/// # Errors
/// `EINVAL` when it is longer than 64 bytes.
pub fn set_hostname(name: &str) -> Result<()> {
    rustix::system::sethostname(name.as_bytes()).during("sethostname", name)
}

/// Sets the domain name of this namespace.
///
/// # Errors
/// `EINVAL` when it is longer than 64 bytes.
pub fn set_domainname(name: &str) -> Result<()> {
    rustix::system::setdomainname(name.as_bytes()).during("setdomainname", name)
}

/// Brings the loopback interface of this namespace up.
///
/// # Errors
/// Practically never.
pub fn raise_loopback() -> Result<()> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType};
    let kind = SocketType::DGRAM;
    let socket = rustix::net::socket_with(AddressFamily::INET, kind, SocketFlags::CLOEXEC, None)
        .during("socket", "lo")?;
    // SAFETY: an all-zero ifreq is a valid one: it holds numbers and arrays only.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (slot, byte) in request.ifr_name.iter_mut().zip(b"lo") {
        *slot = byte.cast_signed();
    }
    let flags = libc::IFF_UP | libc::IFF_RUNNING;
    request.ifr_ifru.ifru_flags = i16::try_from(flags).unwrap_or(0);
    // SAFETY: SIOCSIFFLAGS reads one ifreq, which lives through the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw mut request) };
    if result == 0 {
        return Ok(());
    }
    let error = std::io::Error::last_os_error();
    Err(SysError::from_io("ioctl(SIOCSIFFLAGS)", "lo", &error))
}
