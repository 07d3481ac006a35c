//! A container's place in one network: a pair of links, one end at the bridge, one inside.
//!
//! ```text
//!   bridge ── gv3f2a91c ═══════ eth0   (the container's network namespace)
//! ```
//!
//! The pair is made in one call, with its inner end inside already: nothing of it is ever seen half
//! made, and it goes with either side.

use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};

use engine_sys::Errno;
use engine_sys::namespace::{self, Namespaces};
use ipnet::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoPortKind, InfoVeth, LinkAttribute,
    LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};

use serde::{Deserialize, Serialize};

use crate::bridge;
use crate::error::{Error, Result};
use crate::netlink::{Change, Links};
use crate::settings;

/// What a container's place in a network is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The bridge it is joined to.
    pub bridge: String,
    /// The engine's mark.
    pub mark: String,
    /// The name of the host's end.
    pub outside: String,
    /// The name inside, such as `eth0`.
    pub inside: String,
    /// The hardware address inside.
    pub mac: [u8; 6],
    /// Its addresses, with the prefix of their subnet.
    pub addresses: Vec<IpNet>,
    /// The largest packet; the kernel's own choice without one.
    pub mtu: Option<u32>,
    /// It may not talk with its neighbours at the bridge.
    pub is_isolated: bool,
}

/// Joins a network namespace to a bridge.
///
/// # Errors
/// When the kernel refuses; nothing is left then.
pub fn attach(namespace: impl AsFd, endpoint: &Endpoint) -> Result<()> {
    let namespace = namespace.as_fd();
    let mut links = Links::open()?;
    let bridge = bridge::index_of(&mut links, &endpoint.bridge)?;
    let changes = [pair(endpoint, bridge, namespace), port(endpoint, bridge)];
    let made = links
        .change(&changes)
        .and_then(|()| inside(namespace, || settle(endpoint)));
    if made.is_err() {
        // The first failure is the one to tell.
        let _ = detach(&endpoint.outside);
    }
    made
}

/// Ends a container's place in a network; one that is gone is fine.
///
/// # Errors
/// When the kernel refuses.
pub fn detach(outside: &str) -> Result<()> {
    bridge::remove(outside)
}

/// Sets which ways lead out of a network namespace, one for each version; takes others away.
///
/// # Errors
/// When the kernel refuses.
pub fn lead_out(namespace: impl AsFd, gateways: &[IpAddr]) -> Result<()> {
    inside(namespace.as_fd(), || {
        let mut links = Links::open()?;
        let mut changes: Vec<Change> = Vec::new();
        for is_v6 in [false, true] {
            match gateways.iter().find(|one| one.is_ipv6() == is_v6) {
                Some(gateway) => changes.push(way_out(*gateway)),
                None => changes.extend(no_way_out(&mut links, is_v6)?),
            }
        }
        links.change(&changes)
    })
}

/// Does something inside a network namespace, on a thread of its own that ends there: no thread of
/// the engine ever has to find its way back.
///
/// # Errors
/// When the namespace cannot be entered, and what `work` says.
pub fn inside<T: Send>(
    namespace: BorrowedFd<'_>,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    let entered = || {
        namespace::enter(namespace, Namespaces::NETWORK)?;
        work()
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("in-network".to_owned())
            .spawn_scoped(scope, entered)
            .map_err(|error| {
                let errno = Errno::from_io_error(&error).unwrap_or(Errno::AGAIN);
                Error::kernel("begin a thread for", "a container's network", errno)
            })?
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Gives the inner end its addresses.
fn settle(endpoint: &Endpoint) -> Result<()> {
    let name = &endpoint.inside;
    let has_v6 = endpoint
        .addresses
        .iter()
        .any(|net| matches!(net, IpNet::V6(_)));
    let disable = if has_v6 { "0" } else { "1" };
    settings::set_if_there(&format!("ipv6/conf/{name}/disable_ipv6"), disable)?;
    let mut links = Links::open()?;
    let index = bridge::index_of(&mut links, name)?;
    let addresses = endpoint.addresses.iter();
    let mut changes: Vec<Change> = addresses
        .map(|net| bridge::address(name, index, *net))
        .collect();
    // Its peer was not there yet when it was made: it could not be brought up then.
    changes.push(bridge::up(name, index, endpoint.mtu));
    links.change(&changes)
}

fn pair(endpoint: &Endpoint, bridge: u32, namespace: BorrowedFd<'_>) -> Change {
    let mut peer = LinkMessage::default();
    peer.attributes = vec![
        LinkAttribute::IfName(endpoint.inside.clone()),
        LinkAttribute::Address(endpoint.mac.to_vec()),
        LinkAttribute::NetNsFd(namespace.as_raw_fd()),
    ];
    peer.attributes.extend(endpoint.mtu.map(LinkAttribute::Mtu));
    let mut link = LinkMessage::default();
    link.header.flags = LinkFlags::Up;
    link.header.change_mask = LinkFlags::Up;
    link.attributes = vec![
        LinkAttribute::IfName(endpoint.outside.clone()),
        LinkAttribute::Controller(bridge),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
        ]),
    ];
    link.attributes.extend(endpoint.mtu.map(LinkAttribute::Mtu));
    Change {
        action: "make the pair of links",
        subject: format!("{} and {} inside", endpoint.outside, endpoint.inside),
        message: RouteNetlinkMessage::NewLink(link),
        flags: NLM_F_CREATE | NLM_F_EXCL,
        harmless: &[],
    }
}

/// The mark, and settings of the bridge's port. Where frames that only cross a bridge pass the
/// firewall, one that is sent to a port of the host and led back leaves by the port it came from.
fn port(endpoint: &Endpoint, bridge: u32) -> Change {
    let settings = vec![
        InfoBridgePort::HairpinMode(settings::bridged_is_filtered()),
        InfoBridgePort::Isolated(endpoint.is_isolated),
    ];
    let settings = vec![
        LinkAttribute::Controller(bridge),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::PortKind(InfoPortKind::Bridge),
            LinkInfo::PortData(InfoPortData::BridgePort(settings)),
        ]),
    ];
    bridge::marked(&endpoint.outside, &endpoint.mark, settings)
}

fn way_out(gateway: IpAddr) -> Change {
    let to = match gateway {
        IpAddr::V4(address) => RouteAddress::Inet(address),
        IpAddr::V6(address) => RouteAddress::Inet6(address),
    };
    let mut route = default_route(gateway.is_ipv6());
    route.attributes.push(RouteAttribute::Gateway(to));
    Change {
        action: "lead out by",
        subject: gateway.to_string(),
        message: RouteNetlinkMessage::NewRoute(route),
        flags: NLM_F_CREATE | NLM_F_REPLACE,
        harmless: &[],
    }
}

/// Takes away the default routes of one version.
fn no_way_out(links: &mut Links, is_v6: bool) -> Result<Vec<Change>> {
    let family = default_route(is_v6).header.address_family;
    let routes = links.routes()?.into_iter().filter(|route| {
        let RouteHeader {
            address_family,
            destination_prefix_length,
            kind,
            protocol,
            ..
        } = route.header;
        address_family == family
            && destination_prefix_length == 0
            && kind == RouteType::Unicast
            && protocol == RouteProtocol::Static
    });
    Ok(routes
        .map(|route| Change {
            action: "take away the way out by",
            subject: "the old gateway".to_owned(),
            message: RouteNetlinkMessage::DelRoute(route),
            flags: 0,
            harmless: &[Errno::SRCH],
        })
        .collect())
}

fn default_route(is_v6: bool) -> RouteMessage {
    let mut route = RouteMessage::default();
    route.header = RouteHeader {
        address_family: match is_v6 {
            true => netlink_packet_route::AddressFamily::Inet6,
            false => netlink_packet_route::AddressFamily::Inet,
        },
        table: RouteHeader::RT_TABLE_MAIN,
        protocol: RouteProtocol::Static,
        scope: RouteScope::Universe,
        kind: RouteType::Unicast,
        ..RouteHeader::default()
    };
    route
}
