//! How Docker's API shows networks, and what containers have in them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use engine_api::containers::{ContainerConfig, NetworkSettings, Port, PortBinding};
use engine_api::filter::Filters;
use engine_api::id::ContainerId;
use engine_api::networks::{
    EndpointIpam, EndpointSettings, Ipam, IpamConfig, Network, NetworkContainer,
};
use ipnet::IpNet;

use super::service::Networks;
use super::state::{Net, State};
use crate::clock::rfc3339;
use crate::records::{ContainerRecord, Membership, Place};

/// The network of containers that name none.
pub(crate) const BRIDGE: &str = "bridge";
/// Two that are no networks of ours, and the same on every host.
pub(crate) const HOST: &str = "host";
pub(crate) const NONE: &str = "none";
const HOST_ID: &str = "0f5d6b2c1a7e4839b6c5d4e3f2a1908776655443322110ffeeddccbbaa998877";
const NONE_ID: &str = "1e4c7a9d2b5f8036c9d8e7f6a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2";

/// Shows both that are no networks of ours.
pub(super) fn builtin(started_at: &str) -> impl Iterator<Item = Network> {
    let both = [(HOST, HOST_ID, HOST), (NONE, NONE_ID, "null")];
    both.into_iter().map(move |(name, id, driver)| Network {
        name: name.to_owned(),
        id: id.to_owned(),
        created: started_at.to_owned(),
        scope: "local".to_owned(),
        driver: driver.to_owned(),
        enable_ipv4: true,
        ipam: Ipam {
            driver: "default".to_owned(),
            ..Ipam::default()
        },
        ..Network::default()
    })
}

/// Shows a network.
pub(super) fn network(state: &State, net: &Net) -> Network {
    let record = &net.record;
    let is_v6 = |net: IpNet| matches!(net, IpNet::V6(_));
    let text = |net: Option<IpNet>| net.map(|net| net.to_string()).unwrap_or_default();
    let config = record.subnets.iter().map(|subnet| IpamConfig {
        subnet: subnet.net.to_string(),
        ip_range: text(subnet.range),
        gateway: subnet.gateway.to_string(),
        auxiliary_addresses: (!subnet.kept.is_empty()).then(|| {
            let kept = subnet.kept.iter();
            kept.map(|(name, address)| (name.clone(), address.to_string()))
                .collect()
        }),
    });
    let containers = state.in_network(&record.id).filter_map(|(id, member)| {
        let mut places = member.joined.places.iter();
        let place = places.find(|place| place.network == record.id)?;
        let shown = NetworkContainer {
            name: member.name.clone(),
            endpoint_id: place.id.clone(),
            mac_address: mac(place.endpoint.mac),
            ipv4_address: text(address(place, false)),
            ipv6_address: text(address(place, true)),
        };
        Some((id.to_string(), shown))
    });
    Network {
        name: record.name.clone(),
        id: record.id.clone(),
        created: rfc3339(record.created_ns),
        scope: "local".to_owned(),
        driver: BRIDGE.to_owned(),
        enable_ipv4: net.is_default() || record.subnets.iter().any(|subnet| !is_v6(subnet.net)),
        enable_ipv6: record.subnets.iter().any(|subnet| is_v6(subnet.net)),
        ipam: Ipam {
            driver: "default".to_owned(),
            options: record.ipam_options.clone(),
            config: config.collect(),
        },
        internal: record.internal,
        attachable: record.attachable,
        containers: containers.collect(),
        options: record.options.clone(),
        labels: record.labels.clone(),
        ..Network::default()
    }
}

/// Says whether a list with these filters has it.
pub(super) fn matches(network: &Network, filters: &Filters) -> bool {
    let is_builtin = matches!(network.name.as_str(), BRIDGE | HOST | NONE);
    filters.any("name", |wanted| network.name.contains(wanted))
        && filters.any("id", |wanted| network.id.starts_with(wanted))
        && filters.any("driver", |wanted| network.driver == wanted)
        && filters.any("scope", |wanted| network.scope == wanted)
        && filters.any("type", |wanted| match wanted {
            "builtin" => is_builtin,
            _ => wanted == "custom" && !is_builtin,
        })
        && filters.any("dangling", |wanted| {
            let is_dangling = !is_builtin && network.containers.is_empty();
            is_dangling == matches!(wanted, "true" | "1")
        })
        && filters.labels_match(&network.labels)
}

impl Networks {
    /// Shows what a container has in its networks; while it does not run, what it asks for.
    pub(crate) fn endpoints(&self, record: &ContainerRecord) -> BTreeMap<String, EndpointSettings> {
        let mode = record.host_config.network_mode.as_str();
        let mode = if mode.is_empty() { NONE } else { mode };
        if let HOST | NONE = mode {
            let id = if mode == HOST { HOST_ID } else { NONE_ID };
            let shown = EndpointSettings {
                network_id: id.to_owned(),
                ..EndpointSettings::default()
            };
            return BTreeMap::from([(mode.to_owned(), shown)]);
        }
        let state = self.state();
        let member = state.members.get(&record.id);
        let shown = record.networks.iter().map(|wish| {
            let net = state.nets.get(&wish.network);
            let place = member.and_then(|member| {
                let mut places = member.joined.places.iter();
                places.find(|place| place.network == wish.network)
            });
            let name = match net {
                Some(net) => net.record.name.clone(),
                None => wish.network.chars().take(12).collect(),
            };
            (name, endpoint(wish, place, net))
        });
        shown.collect()
    }

    /// Shows the same in the older form too: of the network that leads out.
    pub(crate) fn settings(&self, record: &ContainerRecord) -> NetworkSettings {
        let networks = self.endpoints(record);
        let first = networks
            .values()
            .find(|one| !one.gateway.is_empty())
            .or_else(|| networks.values().next())
            .cloned()
            .unwrap_or_default();
        let is_running = self.state().members.contains_key(&record.id);
        NetworkSettings {
            sandbox_id: match is_running {
                true => record.id.to_string(),
                false => String::new(),
            },
            ports: self.published(&record.id, &record.config),
            endpoint_id: first.endpoint_id,
            gateway: first.gateway,
            global_ipv6_address: first.global_ipv6_address,
            global_ipv6_prefix_len: first.global_ipv6_prefix_len,
            ip_address: first.ip_address,
            ip_prefix_len: first.ip_prefix_len,
            ipv6_gateway: first.ipv6_gateway,
            mac_address: first.mac_address,
            networks,
            ..NetworkSettings::default()
        }
    }

    /// Shows the ports of a container that runs: those published, and those only exposed.
    fn published(
        &self,
        id: &ContainerId,
        config: &ContainerConfig,
    ) -> BTreeMap<String, Option<Vec<PortBinding>>> {
        let state = self.state();
        let Some(member) = state.members.get(id) else {
            return BTreeMap::new();
        };
        let mut ports: BTreeMap<String, Option<Vec<PortBinding>>> = config
            .exposed_ports
            .keys()
            .map(|port| (port.clone(), None))
            .collect();
        for port in &member.joined.ports {
            let key = format!("{}/{}", port.to.port(), port.protocol.name());
            let shown = PortBinding {
                host_ip: port.host.to_string(),
                host_port: port.number.to_string(),
            };
            ports
                .entry(key)
                .or_default()
                .get_or_insert_default()
                .push(shown);
        }
        ports
    }

    /// Lists the ports of a container that runs, as lists of containers show them.
    pub(crate) fn ports(&self, id: &ContainerId, config: &ContainerConfig) -> Vec<Port> {
        let shown = self
            .published(id, config)
            .into_iter()
            .flat_map(|(key, bindings)| {
                let (private, kind) = key.split_once('/').unwrap_or((&key, "tcp"));
                let only = Port {
                    private_port: private.parse().unwrap_or(0),
                    kind: kind.to_owned(),
                    ..Port::default()
                };
                match bindings {
                    None => vec![only],
                    Some(bindings) => bindings
                        .into_iter()
                        .map(|binding| Port {
                            ip: binding.host_ip,
                            public_port: binding.host_port.parse().ok(),
                            ..only.clone()
                        })
                        .collect(),
                }
            });
        shown.collect()
    }
}

fn endpoint(wish: &Membership, place: Option<&Place>, net: Option<&Net>) -> EndpointSettings {
    let asked = |is_v6: bool| {
        let mut addresses = wish.addresses.iter();
        let one = addresses.find(|address| address.is_ipv6() == is_v6);
        one.map(ToString::to_string).unwrap_or_default()
    };
    let ipam_config = (!wish.addresses.is_empty()).then(|| EndpointIpam {
        ipv4_address: asked(false),
        ipv6_address: asked(true),
        link_local_ips: None,
    });
    let asked = EndpointSettings {
        ipam_config,
        links: (!wish.links.is_empty()).then(|| wish.links.clone()),
        aliases: (!wish.aliases.is_empty()).then(|| wish.aliases.clone()),
        mac_address: wish.mac.map(mac).unwrap_or_default(),
        gw_priority: wish.priority,
        network_id: wish.network.clone(),
        ..EndpointSettings::default()
    };
    let Some(place) = place else { return asked };
    let gateway = |is_v6: bool| {
        let mut gateways = place.gateways.iter();
        let one = gateways.find(|gateway| gateway.is_ipv6() == is_v6);
        one.map(ToString::to_string).unwrap_or_default()
    };
    let (v4, v6) = (address(place, false), address(place, true));
    let has_names = net.is_some_and(|net| !net.is_default());
    EndpointSettings {
        mac_address: mac(place.endpoint.mac),
        endpoint_id: place.id.clone(),
        gateway: gateway(false),
        ip_address: v4.map(|net| net.addr().to_string()).unwrap_or_default(),
        ip_prefix_len: v4.map_or(0, |net| net.prefix_len()),
        ipv6_gateway: gateway(true),
        global_ipv6_address: v6.map(|net| net.addr().to_string()).unwrap_or_default(),
        global_ipv6_prefix_len: v6.map_or(0, |net| net.prefix_len()),
        dns_names: has_names.then(|| place.names.clone()),
        ..asked
    }
}

fn address(place: &Place, is_v6: bool) -> Option<IpNet> {
    let mut addresses = place.endpoint.addresses.iter().copied();
    addresses.find(|net| matches!(net.addr(), IpAddr::V6(_)) == is_v6)
}

/// Writes a hardware address.
pub(super) fn mac(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}
