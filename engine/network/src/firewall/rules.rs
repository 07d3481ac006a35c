//! What the table is to say, without how.

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
    /// Links that were there when the engine first let this host pass packets on, for each version:
    /// between them it still does not.
    pub closed4: Vec<String>,
    /// The same for version 6.
    pub closed6: Vec<String>,
}
