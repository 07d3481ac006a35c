//! From what a client asks for to a record: checked here, and nowhere later.

use std::collections::BTreeMap;
use std::net::IpAddr;

use engine_api::networks::{CreateNetwork, EndpointSettings, IpamConfig};
use engine_network::bridge;
use engine_network::pool::{self, Pool};
use ipnet::IpNet;

use super::show::{BRIDGE, HOST, NONE};
use super::state::{BRIDGE_NAME, DEFAULT_BRIDGE, HOST_BINDING, MASQUERADE, MTU, TALK};
use crate::records::{Membership, NetworkRecord, Subnet};
use crate::services::error::{Result, ServiceError};

/// How another container's network is asked for.
pub(crate) const CONTAINER: &str = "container:";

/// The longest name: what a DNS label and a half may hold.
const NAME_MAX: usize = 128;
const ALIAS_MAX: usize = 253;

/// Whose network a container has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode<'a> {
    /// Loopback only.
    None,
    /// The host's.
    Host,
    /// Another container's.
    Container(&'a str),
    /// Networks of this engine's; the first is of this name or id.
    Network(&'a str),
}

impl<'a> Mode<'a> {
    /// Reads `HostConfig.NetworkMode`.
    pub(crate) fn of(text: &'a str) -> Self {
        match text {
            "" | "default" => Self::Network(BRIDGE),
            NONE => Self::None,
            HOST => Self::Host,
            other => match other.strip_prefix(CONTAINER) {
                Some(container) => Self::Container(container),
                None => Self::Network(other),
            },
        }
    }
}

fn bad<T>(message: impl Into<String>) -> Result<T> {
    Err(ServiceError::BadRequest(message.into()))
}

/// Makes a record of what a create asks for; `free` finds a subnet where none is named.
///
/// # Errors
/// Names what cannot be.
pub(super) fn record(
    asked: &CreateNetwork,
    id: String,
    created_ns: i64,
    taken: &[(IpNet, String)],
    pools: &[Pool],
) -> Result<NetworkRecord> {
    check_name(&asked.name)?;
    if !matches!(asked.driver.as_str(), "" | "bridge" | "default") {
        return bad(format!(
            "could not find a network driver {:?}: there is bridge; host and none are there once each",
            asked.driver
        ));
    }
    check_swarm(asked)?;
    let options = asked.options.clone().unwrap_or_default();
    check_options(&options)?;
    let bridge = match options.get(BRIDGE_NAME) {
        None => format!("br-{}", id.get(..12).unwrap_or(&id)),
        Some(name) if bridge::is_name(name) => name.clone(),
        Some(name) => {
            return bad(format!(
                "{BRIDGE_NAME}: {name:?} is no name of an interface"
            ));
        }
    };
    let ipam = asked.ipam.clone().unwrap_or_default();
    if !matches!(ipam.driver.as_str(), "" | "default") {
        return bad(format!(
            "IPAM.Driver: there is no driver {:?}, only default",
            ipam.driver
        ));
    }
    let subnets = subnets(asked, &ipam.config, taken, pools)?;
    if subnets.is_empty() {
        return bad("a network needs IPv4 or IPv6");
    }
    Ok(NetworkRecord {
        id,
        name: asked.name.clone(),
        created_ns,
        bridge,
        subnets,
        internal: asked.internal,
        attachable: asked.attachable,
        options,
        ipam_options: ipam.options,
        labels: asked.labels.clone().unwrap_or_default(),
    })
}

/// Refuses what belongs to swarms.
fn check_swarm(asked: &CreateNetwork) -> Result<()> {
    for (option, is_set) in [
        ("ConfigOnly", asked.config_only),
        (
            "ConfigFrom",
            asked
                .config_from
                .as_ref()
                .is_some_and(|from| !from.network.is_empty()),
        ),
        ("Ingress", asked.ingress),
        ("Scope swarm", asked.scope == "swarm"),
    ] {
        if is_set {
            return bad(format!("{option} is not supported: it belongs to swarms"));
        }
    }
    Ok(())
}

/// The subnets that are named, and one for each version that is wanted and has none.
fn subnets(
    asked: &CreateNetwork,
    configs: &[IpamConfig],
    taken: &[(IpNet, String)],
    pools: &[Pool],
) -> Result<Vec<Subnet>> {
    let wants_v4 = asked.enable_ipv4.unwrap_or(true);
    let wants_v6 = asked.enable_ipv6.unwrap_or(false);
    let mut subnets: Vec<Subnet> = Vec::new();
    for config in configs
        .iter()
        .filter(|config| **config != IpamConfig::default())
    {
        let subnet = subnet(config)?;
        let is_v6 = matches!(subnet.net, IpNet::V6(_));
        if is_v6 && !wants_v6 {
            return bad(format!(
                "the subnet {} is of IPv6, which is not enabled for this network (--ipv6)",
                subnet.net
            ));
        }
        if subnets
            .iter()
            .any(|one| matches!(one.net, IpNet::V6(_)) == is_v6)
        {
            return bad(
                "bridge driver doesn't support multiple subnets of one version: give one of IPv4 and \
                 one of IPv6",
            );
        }
        if let Some((other, whose)) = taken
            .iter()
            .find(|(net, _)| pool::overlap(net, &subnet.net))
        {
            return Err(ServiceError::Forbidden(format!(
                "invalid pool request: Pool overlaps with other one on this address space: {} and \
                 {other}, which is {whose}",
                subnet.net
            )));
        }
        subnets.push(subnet);
    }
    for (is_v6, is_wanted) in [(false, wants_v4), (true, wants_v6)] {
        let has = subnets
            .iter()
            .any(|one| matches!(one.net, IpNet::V6(_)) == is_v6);
        if is_wanted && !has {
            let taken: Vec<IpNet> = taken.iter().map(|(net, _)| *net).collect();
            subnets.push(any_subnet(pools, is_v6, &taken)?);
        }
    }
    Ok(subnets)
}

/// Finds a free subnet; the host has the first address of it.
///
/// # Errors
/// When every pool is used up.
pub(super) fn any_subnet(pools: &[Pool], is_v6: bool, taken: &[IpNet]) -> Result<Subnet> {
    let net = pool::free_subnet(pools, is_v6, taken)
        .map_err(|error| ServiceError::Conflict(error.to_string()))?;
    Ok(Subnet {
        net,
        gateway: first(net),
        range: None,
        kept: BTreeMap::new(),
    })
}

fn first(net: IpNet) -> IpAddr {
    match net.network() {
        IpAddr::V4(address) => IpAddr::V4((u32::from(address) + 1).into()),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) + 1).into()),
    }
}

fn subnet(config: &IpamConfig) -> Result<Subnet> {
    let net: IpNet = match config.subnet.parse() {
        Ok(net) => net,
        Err(_) if config.subnet.is_empty() => {
            return bad("IPAM.Config: no subnet is given beside its range or gateway");
        }
        Err(_) => {
            return bad(format!(
                "invalid subnet {:?}: invalid CIDR block",
                config.subnet
            ));
        }
    };
    if net != net.trunc() {
        return bad(format!(
            "invalid subnet {net}: it should be {}",
            net.trunc()
        ));
    }
    if net.max_prefix_len() - net.prefix_len() < 2 {
        return bad(format!(
            "invalid subnet {net}: it has no room for a container"
        ));
    }
    let inside = |what: &str, text: &str| match text.parse::<IpAddr>() {
        Ok(address) if net.contains(&address) => Ok(address),
        Ok(address) => bad(format!("{what} {address} is not in the subnet {net}")),
        Err(_) => bad(format!("invalid {what} {text:?}: it is no address")),
    };
    let gateway = match config.gateway.as_str() {
        "" => first(net),
        text => inside("gateway", text)?,
    };
    let range = match config.ip_range.as_str() {
        "" => None,
        text => match text.parse::<IpNet>() {
            Ok(range) if net.contains(&range) => Some(range),
            Ok(range) => return bad(format!("the range {range} is not in the subnet {net}")),
            Err(_) => return bad(format!("invalid range {text:?}: invalid CIDR block")),
        },
    };
    let auxiliary = config.auxiliary_addresses.iter().flatten();
    let kept = auxiliary.map(|(name, text)| Ok((name.clone(), inside("auxiliary address", text)?)));
    Ok(Subnet {
        net,
        gateway,
        range,
        kept: kept.collect::<Result<_>>()?,
    })
}

/// A name is a word: it stands in paths, lists, filters and behind the names of containers.
fn check_name(name: &str) -> Result<()> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if matches!(name, "default" | "host" | "none") || name.starts_with(CONTAINER) {
        return bad(format!(
            "operation is not permitted on predefined {name} network"
        ));
    }
    let begins_well = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    if !begins_well || !name.bytes().all(is_fine) || name.len() > NAME_MAX {
        return bad(format!(
            "invalid network name {name:?}: only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed, at most \
             {NAME_MAX} of them"
        ));
    }
    Ok(())
}

/// An option that would have no effect is refused by its name.
fn check_options(options: &BTreeMap<String, String>) -> Result<()> {
    for (name, value) in options {
        let is_switch = matches!(value.as_str(), "true" | "false");
        match name.as_str() {
            TALK | MASQUERADE if is_switch => {}
            TALK | MASQUERADE => {
                return bad(format!("{name}: {value:?} is neither true nor false"));
            }
            MTU => match value.parse::<u32>() {
                Ok(68..=65_535) => {}
                _ => {
                    return bad(format!(
                        "{name}: {value:?} is no size of packets, 68 to 65535"
                    ));
                }
            },
            HOST_BINDING => {
                if value.parse::<std::net::Ipv4Addr>().is_err() {
                    return bad(format!("{name}: {value:?} is no IPv4 address"));
                }
            }
            BRIDGE_NAME => {}
            DEFAULT_BRIDGE if value == "false" => {}
            _ => {
                return bad(format!(
                    "{name} is not supported yet: it would have no effect here"
                ));
            }
        }
    }
    Ok(())
}

/// Reads how a container wants to be in a network.
///
/// # Errors
/// Names what cannot be.
pub(super) fn membership(network: &NetworkRecord, asked: &EndpointSettings) -> Result<Membership> {
    let ipam = asked.ipam_config.clone().unwrap_or_default();
    if ipam.link_local_ips.is_some_and(|all| !all.is_empty()) {
        return bad("LinkLocalIPs is not supported yet");
    }
    if let Some(option) = asked.driver_opts.iter().flatten().next() {
        return bad(format!("DriverOpts: {} is not supported yet", option.0));
    }
    let mut addresses = Vec::new();
    for text in [&ipam.ipv4_address, &ipam.ipv6_address] {
        if text.is_empty() {
            continue;
        }
        let Ok(address) = text.parse::<IpAddr>() else {
            return bad(format!(
                "invalid address {text:?} for network {}",
                network.name
            ));
        };
        if !network
            .subnets
            .iter()
            .any(|subnet| subnet.net.contains(&address))
        {
            return bad(format!(
                "no configured subnet contains IP address {address}: network {} has {}",
                network.name,
                network
                    .subnets
                    .iter()
                    .map(|s| s.net.to_string())
                    .collect::<Vec<_>>()
                    .join(", ")
            ));
        }
        addresses.push(address);
    }
    let aliases = asked.aliases.clone().unwrap_or_default();
    for alias in &aliases {
        check_alias(alias)?;
    }
    let links = asked.links.clone().unwrap_or_default();
    for link in &links {
        check_alias(link.rsplit(':').next().unwrap_or(link))?;
    }
    Ok(Membership {
        network: network.id.clone(),
        addresses,
        mac: mac(&asked.mac_address)?,
        aliases,
        links,
        priority: asked.gw_priority,
    })
}

fn check_alias(alias: &str) -> Result<()> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if alias.is_empty() || alias.len() > ALIAS_MAX || !alias.bytes().all(is_fine) {
        return bad(format!("invalid alias {alias:?}: it is no name of a host"));
    }
    if alias.eq_ignore_ascii_case("localhost") {
        return bad("invalid alias \"localhost\": it is every container's own");
    }
    Ok(())
}

/// Reads a hardware address; none is fine.
pub(super) fn mac(text: &str) -> Result<Option<[u8; 6]>> {
    if text.is_empty() {
        return Ok(None);
    }
    let parts: Vec<u8> = text
        .split([':', '-'])
        .filter(|part| part.len() == 2)
        .filter_map(|part| u8::from_str_radix(part, 16).ok())
        .collect();
    match <[u8; 6]>::try_from(parts) {
        // The lowest bit of the first byte would make it an address of many (IEEE 802).
        Ok(mac) if mac[0] & 1 == 0 && text.len() == 17 => Ok(Some(mac)),
        _ => bad(format!("{text} is not a valid mac address")),
    }
}
