//! What can go wrong with networks.

use std::net::IpAddr;

use engine_sys::{Errno, SysError};
use ipnet::IpNet;

/// The result of everything here that asks the kernel.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Something about a network that could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel refused a question or a change.
    #[error("failed to {action} {subject}")]
    Kernel {
        /// What was tried.
        action: &'static str,
        /// The link, address or table.
        subject: String,
        /// The kernel's reason.
        #[source]
        errno: Errno,
    },
    /// The kernel answered what nobody can read.
    #[error("failed to {action}: the kernel's answer cannot be read: {reason}")]
    Answer {
        /// What was asked.
        action: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting below `/proc/sys` cannot be written.
    #[error("failed to set {path}")]
    Setting {
        /// The setting.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A call that failed.
    #[error(transparent)]
    Sys(#[from] SysError),
    /// The link is there and somebody else made it.
    #[error("an interface named {0} is there already, and this engine did not make it")]
    ForeignLink(String),
}

impl Error {
    /// Records that the kernel refused.
    pub(crate) fn kernel(action: &'static str, subject: impl Into<String>, errno: Errno) -> Self {
        Self::Kernel {
            action,
            subject: subject.into(),
            errno,
        }
    }

    /// Returns the kernel's number, if it is what failed.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Kernel { errno, .. } => Some(*errno),
            Self::Sys(error) => Some(error.errno),
            Self::Setting { source, .. } => Errno::from_io_error(source),
            Self::Answer { .. } | Self::ForeignLink(_) => None,
        }
    }
}

/// Why a subnet or an address is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Every pool is used up.
    #[error(
        "all predefined address pools have been fully subnetted: name a subnet, remove a network \
         or give the engine another --default-address-pool"
    )]
    NoSubnet,
    /// Every address of the range is taken.
    #[error("no available addresses in {0}: all of them are taken")]
    NoAddress(IpNet),
    /// Somebody has this address.
    #[error("Address already in use: {0}")]
    Taken(IpAddr),
    /// The address is not one that a container could have.
    #[error("{address} {why} {subnet}")]
    Unfit {
        /// The address.
        address: IpAddr,
        /// The subnet.
        subnet: IpNet,
        /// What it is there.
        why: &'static str,
    },
}
