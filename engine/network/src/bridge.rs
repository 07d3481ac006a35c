//! The link that joins the containers of one network, and is the host's own place in it.
//!
//! Each bridge carries the engine's mark as its alias (`ip link` shows it): by that the next
//! engine knows its own, whatever they are called, and touches no other.

use std::net::IpAddr;

use engine_sys::Errno;
use ipnet::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage, Prop};
use netlink_packet_route::route::RouteAttribute;

use crate::error::{Error, Result};
use crate::netlink::{Change, Links};
use crate::settings;

/// The longest name of a link: `IFNAMSIZ` less its end.
pub const NAME_MAX: usize = 15;

/// What a bridge is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// The link's name.
    pub name: String,
    /// The engine's mark.
    pub mark: String,
    /// The host's own addresses in it, with the prefix of their subnet.
    pub addresses: Vec<IpNet>,
    /// The largest packet; the kernel's own choice without one.
    pub mtu: Option<u32>,
}

/// A link that carries a mark of this engine's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The link's name.
    pub name: String,
    /// Whether it is a bridge, and not one end of a container's.
    pub is_bridge: bool,
}

/// Says whether a link may have this name: what `ip link` takes, and nothing that a path or a rule
/// could read otherwise.
pub fn is_name(name: &str) -> bool {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=NAME_MAX).contains(&name.len())
        && name.bytes().all(is_fine)
        && !matches!(name, "." | ".." | "all" | "default" | "lo")
}

/// Makes a bridge, or finds the one that this engine made before and gives it these addresses.
///
/// # Errors
/// When a link of that name is somebody else's, or the kernel refuses.
pub fn make(bridge: &Bridge) -> Result<()> {
    let mut links = Links::open()?;
    let known = links.links()?;
    let mut is_new = false;
    let index = match known.iter().find(|link| is_called(link, &bridge.name)) {
        Some(link) if alias_of(link) == Some(&bridge.mark) => link.header.index,
        Some(_) => return Err(Error::ForeignLink(bridge.name.clone())),
        None => {
            is_new = true;
            links.change(&creation(bridge))?;
            match index_of(&mut links, &bridge.name) {
                Ok(index) => index,
                Err(error) => {
                    // Nobody would know it as ours.
                    let _ = remove(&bridge.name);
                    return Err(error);
                }
            }
        }
    };
    match settle(&mut links, bridge, index) {
        Ok(()) => Ok(()),
        Err(error) => {
            // One that was there may have containers.
            if is_new {
                let _ = remove(&bridge.name);
            }
            Err(error)
        }
    }
}

/// Says whether a link that somebody else made has this name.
///
/// # Errors
/// When the kernel cannot be asked.
pub fn is_foreign(name: &str, mark: &str) -> Result<bool> {
    let links = Links::open()?.links()?;
    let mut called = links.iter().filter(|link| is_called(link, name));
    Ok(called.any(|link| alias_of(link) != Some(mark)))
}

/// Lists the names of all links but loopback and those with the mark.
///
/// # Errors
/// When the kernel cannot be asked.
pub fn links_of_host(mark: &str) -> Result<Vec<String>> {
    let links = Links::open()?.links()?;
    let others = links.iter().filter(|link| alias_of(link) != Some(mark));
    let names = others.filter_map(name_of).filter(|name| *name != "lo");
    Ok(names.map(str::to_owned).collect())
}

/// Gives a bridge its settings and addresses, takes others from it, and brings it up.
fn settle(links: &mut Links, bridge: &Bridge, index: u32) -> Result<()> {
    let name = &bridge.name;
    let has_v6 = bridge
        .addresses
        .iter()
        .any(|one| matches!(one, IpNet::V6(_)));
    let has_v4 = bridge
        .addresses
        .iter()
        .any(|one| matches!(one, IpNet::V4(_)));
    // Without subnets of version 6 nothing answers there, not even by a link-local address.
    let disable = if has_v6 { "0" } else { "1" };
    settings::set_if_there(&format!("ipv6/conf/{name}/disable_ipv6"), disable)?;
    settings::set_if_there(&format!("ipv6/conf/{name}/accept_ra"), "0")?;
    if has_v4 {
        // Only so can the host reach a published port by 127.0.0.1; the firewall keeps others off it.
        settings::set(&format!("ipv4/conf/{name}/route_localnet"), "1")?;
    }
    let there: Vec<IpNet> = links
        .addresses()?
        .iter()
        .filter(|address| address.header.index == index)
        .filter_map(address_of)
        .collect();
    let surplus = there
        .iter()
        .filter(|one| !bridge.addresses.contains(one) && !is_link_local(one.addr()));
    let mut changes: Vec<Change> = surplus
        .map(|one| removal_of_address(name, index, *one))
        .collect();
    let missing = bridge.addresses.iter().filter(|one| !there.contains(one));
    changes.extend(missing.map(|one| address(name, index, *one)));
    changes.push(up(name, index, bridge.mtu));
    links.change(&changes)
}

/// Removes a link; one that is not there is fine.
///
/// # Errors
/// When the kernel refuses.
pub fn remove(name: &str) -> Result<()> {
    let mut link = LinkMessage::default();
    link.attributes.push(LinkAttribute::IfName(name.to_owned()));
    Links::open()?.change(&[Change {
        action: "remove the link",
        subject: name.to_owned(),
        message: RouteNetlinkMessage::DelLink(link),
        flags: 0,
        harmless: &[Errno::NODEV],
    }])
}

/// Lists the links that carry the mark.
///
/// # Errors
/// When the kernel cannot be asked.
pub fn found(mark: &str) -> Result<Vec<Found>> {
    let links = Links::open()?.links()?;
    Ok(links
        .iter()
        .filter(|link| alias_of(link).is_some_and(|alias| alias == mark))
        .filter_map(|link| {
            Some(Found {
                name: name_of(link)?.to_owned(),
                is_bridge: is_bridge(link),
            })
        })
        .collect())
}

/// Lists what subnets this host is in or has routes to, but for those of the links named.
///
/// # Errors
/// When the kernel cannot be asked.
pub fn subnets_of_host(without: &[String]) -> Result<Vec<IpNet>> {
    let mut links = Links::open()?;
    let ours: Vec<u32> = links
        .links()?
        .iter()
        .filter(|link| name_of(link).is_some_and(|name| without.iter().any(|one| one == name)))
        .map(|link| link.header.index)
        .collect();
    let mut subnets: Vec<IpNet> = links
        .addresses()?
        .iter()
        .filter(|address| !ours.contains(&address.header.index))
        .filter_map(address_of)
        .map(|net| net.trunc())
        .collect();
    for route in links.routes()? {
        let length = route.header.destination_prefix_length;
        let out = route
            .attributes
            .iter()
            .find_map(|attribute| match attribute {
                RouteAttribute::Oif(index) => Some(*index),
                _ => None,
            });
        // The default route leads to everything and takes nothing.
        if length == 0 || out.is_some_and(|index| ours.contains(&index)) {
            continue;
        }
        let to = route
            .attributes
            .iter()
            .find_map(|attribute| match attribute {
                RouteAttribute::Destination(netlink_packet_route::route::RouteAddress::Inet(
                    to,
                )) => Some(IpAddr::V4(*to)),
                RouteAttribute::Destination(netlink_packet_route::route::RouteAddress::Inet6(
                    to,
                )) => Some(IpAddr::V6(*to)),
                _ => None,
            });
        subnets.extend(to.and_then(|to| IpNet::new(to, length).ok()));
    }
    subnets.retain(|net| !net.network().is_loopback() && !is_link_local(net.network()));
    subnets.retain(|net| !net.network().is_multicast());
    subnets.sort();
    subnets.dedup();
    Ok(subnets)
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

fn creation(bridge: &Bridge) -> [Change; 2] {
    let mut link = LinkMessage::default();
    link.attributes = vec![
        LinkAttribute::IfName(bridge.name.clone()),
        LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]),
    ];
    let made = Change {
        action: "make the bridge",
        subject: bridge.name.clone(),
        message: RouteNetlinkMessage::NewLink(link),
        flags: NLM_F_CREATE | NLM_F_EXCL,
        harmless: &[],
    };
    [made, marked(&bridge.name, &bridge.mark, Vec::new())]
}

/// The change that gives a link its mark, which the kernel does not take with a link's creation.
///
/// Both travel in one call, so that no crash of this process comes between them.
pub(crate) fn marked(name: &str, mark: &str, more: Vec<LinkAttribute>) -> Change {
    let mut link = LinkMessage::default();
    link.attributes = more;
    link.attributes.push(LinkAttribute::IfName(name.to_owned()));
    link.attributes
        .push(LinkAttribute::IfAlias(mark.to_owned()));
    Change {
        action: "mark the link",
        subject: name.to_owned(),
        message: RouteNetlinkMessage::NewLink(link),
        flags: 0,
        harmless: &[],
    }
}

/// The change that brings a link up.
pub(crate) fn up(name: &str, index: u32, mtu: Option<u32>) -> Change {
    let mut link = LinkMessage::default();
    link.header.index = index;
    link.header.flags = LinkFlags::Up;
    link.header.change_mask = LinkFlags::Up;
    link.attributes.extend(mtu.map(LinkAttribute::Mtu));
    Change {
        action: "bring up the link",
        subject: name.to_owned(),
        message: RouteNetlinkMessage::SetLink(link),
        flags: 0,
        harmless: &[],
    }
}

/// The change that gives a link an address, usable at once: nobody else can have it.
pub(crate) fn address(name: &str, index: u32, net: IpNet) -> Change {
    Change {
        action: "give an address to",
        subject: format!("{name}: {net}"),
        message: RouteNetlinkMessage::NewAddress(address_message(index, net)),
        flags: NLM_F_CREATE | NLM_F_EXCL,
        harmless: &[Errno::EXIST],
    }
}

fn removal_of_address(name: &str, index: u32, net: IpNet) -> Change {
    Change {
        action: "take an address from",
        subject: format!("{name}: {net}"),
        message: RouteNetlinkMessage::DelAddress(address_message(index, net)),
        flags: 0,
        harmless: &[Errno::ADDRNOTAVAIL],
    }
}

fn address_message(index: u32, net: IpNet) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.index = index;
    message.header.prefix_len = net.prefix_len();
    message.header.family = family(net.addr());
    message
        .attributes
        .push(AddressAttribute::Address(net.addr()));
    message.attributes.push(AddressAttribute::Local(net.addr()));
    match net {
        IpNet::V4(net) if net.prefix_len() < 31 => {
            message
                .attributes
                .push(AddressAttribute::Broadcast(net.broadcast()));
        }
        IpNet::V4(_) => {}
        IpNet::V6(_) => message.header.flags = AddressHeaderFlags::Nodad,
    }
    message
}

pub(crate) fn family(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

/// Returns the index of a link of this namespace.
pub(crate) fn index_of(links: &mut Links, name: &str) -> Result<u32> {
    let all = links.links()?;
    all.iter()
        .find(|link| name_of(link) == Some(name))
        .map(|link| link.header.index)
        .ok_or_else(|| Error::kernel("find the link", name, Errno::NODEV))
}

fn name_of(link: &LinkMessage) -> Option<&str> {
    link.attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name.as_str()),
            _ => None,
        })
}

/// Says whether this is one of a link's names; it may have several (`ip link property`).
fn is_called(link: &LinkMessage, name: &str) -> bool {
    name_of(link) == Some(name)
        || link.attributes.iter().any(|attribute| {
            let LinkAttribute::PropList(all) = attribute else {
                return false;
            };
            all.iter()
                .any(|one| matches!(one, Prop::AltIfName(other) if other == name))
        })
}

fn alias_of(link: &LinkMessage) -> Option<&str> {
    link.attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::IfAlias(alias) => Some(alias.as_str()),
            _ => None,
        })
}

fn is_bridge(link: &LinkMessage) -> bool {
    link.attributes.iter().any(|attribute| {
        matches!(attribute, LinkAttribute::LinkInfo(infos)
            if infos.contains(&LinkInfo::Kind(InfoKind::Bridge)))
    })
}

fn address_of(message: &AddressMessage) -> Option<IpNet> {
    let mut attributes = message.attributes.iter();
    let local = attributes.clone().find_map(|attribute| match attribute {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    let address = attributes.find_map(|attribute| match attribute {
        AddressAttribute::Address(address) => Some(*address),
        _ => None,
    });
    IpNet::new(local.or(address)?, message.header.prefix_len).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_links_are_words() {
        for good in ["gantry0", "br-0123456789ab", "a_b.c"] {
            assert!(is_name(good), "{good}");
        }
        for bad in [
            "",
            "..",
            "a/b",
            "a b",
            "all",
            "0123456789abcdef",
            "a;b",
            "ä",
        ] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
