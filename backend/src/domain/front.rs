//! What stands between the browsers and the server.

use std::net::IpAddr;

use super::{Network, PublicUrl};

/// What stands between the browsers and the server: TLS of its own, or proxies.
#[derive(Clone, Debug, Default)]
pub struct Front {
    /// Whether the server itself speaks TLS.
    pub has_tls: bool,
    /// Proxies whose word about a client is taken; nobody's by default.
    pub proxies: Vec<Network>,
    /// The address that people open, where it was given.
    pub public: Option<PublicUrl>,
}

impl Front {
    /// Tells whether every browser comes by TLS.
    pub fn is_always_secure(&self) -> bool {
        self.has_tls || self.public.as_ref().is_some_and(PublicUrl::is_secure)
    }

    /// Tells whether an address is that of a listed proxy.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(address))
    }
}
