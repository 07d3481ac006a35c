//! The firewall: one table of our own, whose name is the default bridge's.
//!
//! | chain | what it says |
//! |---|---|
//! | `guard` | nobody outside pretends to be `127.0.0.0/8` |
//! | `forward` | containers go out; in comes what belongs to that, and to published ports; no network reaches another |
//! | `arriving`, `own` | where a published port leads |
//! | `leaving` | with whose address |
//!
//! Every change is one transaction: the kernel does all of it or nothing, and no packet sees a
//! half. Rules of others are never touched. What another table drops stays dropped (`nft(8)`).

mod inside;
mod kernel;
mod rule;
mod table;
mod wire;

pub use inside::lead_names;
pub use kernel::Firewall;

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

/// A network as the firewall sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its bridge.
    pub bridge: String,
    /// Nothing leaves it and nothing comes in.
    pub is_internal: bool,
    /// What leaves it has this host's address.
    pub masks: bool,
    /// Its containers may talk with each other.
    pub talks: bool,
}

/// A published port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Port {
    /// An address of this host; the unspecified one means all of its version.
    pub host: IpAddr,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// The port of this host.
    pub number: u16,
    /// The container's side.
    pub to: SocketAddr,
}

/// A transport that has ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

impl Protocol {
    /// Its number in the IP header, as IANA assigned it.
    pub fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }

    /// Its name, as Docker writes it behind a port.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

/// Everything that the table is to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The networks.
    pub networks: Vec<Network>,
    /// The published ports.
    pub ports: Vec<Port>,
    /// Packets that have nothing to do with our networks are not passed on either.
    pub drops_foreign: bool,
}
