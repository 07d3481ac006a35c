//! Who has which address: plain data behind one lock.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use engine_api::id::ContainerId;
use engine_network::PoolError;
use engine_network::bridge::Bridge;
use engine_network::dns::{View, Zone};
use engine_network::firewall::{self, Rules};
use engine_network::pool::{self, Addresses};
use engine_network::ports::Held;
use ipnet::IpNet;
use tokio::sync::watch;

use crate::records::{ContainerRecord, Joined, NetworkRecord};

/// What an option of Docker's bridge is called.
pub(super) const MTU: &str = "com.docker.network.driver.mtu";
pub(super) const MASQUERADE: &str = "com.docker.network.bridge.enable_ip_masquerade";
pub(super) const TALK: &str = "com.docker.network.bridge.enable_icc";
pub(super) const BRIDGE_NAME: &str = "com.docker.network.bridge.name";
pub(super) const HOST_BINDING: &str = "com.docker.network.bridge.host_binding_ipv4";
pub(super) const DEFAULT_BRIDGE: &str = "com.docker.network.bridge.default_bridge";

/// Everything that is known of the networks of this host.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) nets: BTreeMap<String, Net>,
    pub(super) members: BTreeMap<ContainerId, Member>,
    /// The firewall's table is there.
    pub(super) is_up: bool,
    /// Links between which this host passed nothing on before the engine let it, by version.
    pub(super) closed4: Vec<String>,
    pub(super) closed6: Vec<String>,
}

/// A network.
#[derive(Debug)]
pub(super) struct Net {
    pub(super) record: Arc<NetworkRecord>,
    pub(super) addresses: Vec<Addresses>,
    pub(super) zone: Arc<Zone>,
    /// Its bridge is there.
    pub(super) is_up: bool,
}

/// A container that runs, or is about to.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) joined: Joined,
    /// Keeps its ports on this host.
    pub(super) held: Vec<Held>,
    /// Its name server, which ends with this.
    pub(super) names: Option<watch::Sender<Arc<View>>>,
}

impl Net {
    pub(super) fn new(record: NetworkRecord) -> Self {
        let subnets = record.subnets.iter();
        let addresses = subnets.map(|subnet| {
            let mut addresses = Addresses::new(subnet.net, subnet.range);
            for taken in subnet.kept.values().chain([&subnet.gateway]) {
                // What no container could have needs no keeping.
                let _ = addresses.take(*taken);
            }
            addresses
        });
        let nets = record.subnets.iter().map(|subnet| subnet.net).collect();
        Self {
            addresses: addresses.collect(),
            zone: Arc::new(Zone::new(&record.name, nets)),
            record: Arc::new(record),
            is_up: false,
        }
    }

    pub(super) fn is_default(&self) -> bool {
        self.record.options.contains_key(DEFAULT_BRIDGE)
    }

    pub(super) fn has_v6(&self) -> bool {
        let mut subnets = self.record.subnets.iter();
        subnets.any(|subnet| matches!(subnet.net, IpNet::V6(_)))
    }

    /// What the option says, which is on unless it is turned off.
    fn is_on(&self, option: &str) -> bool {
        self.record
            .options
            .get(option)
            .is_none_or(|value| value != "false")
    }

    pub(super) fn talks(&self) -> bool {
        self.is_on(TALK)
    }

    /// The address of this host that its ports are published at when none is named.
    pub(super) fn host_binding(&self) -> Option<IpAddr> {
        self.record.options.get(HOST_BINDING)?.parse().ok()
    }

    pub(super) fn mtu(&self) -> Option<u32> {
        self.record.options.get(MTU)?.parse().ok()
    }

    /// The network as the firewall sees it.
    pub(super) fn rule(&self) -> firewall::Network {
        firewall::Network {
            bridge: self.record.bridge.clone(),
            is_internal: self.record.internal,
            masks: !self.record.internal && self.is_on(MASQUERADE),
            talks: self.talks(),
        }
    }

    /// The network's bridge.
    pub(super) fn bridge(&self, mark: &str) -> Bridge {
        let subnets = self.record.subnets.iter();
        Bridge {
            name: self.record.bridge.clone(),
            mark: mark.to_owned(),
            addresses: subnets
                .map(|subnet| pool::with_prefix(subnet.gateway, subnet.net))
                .collect(),
            mtu: self.mtu(),
        }
    }
}

impl State {
    /// All that the firewall is to hold.
    pub(super) fn rules(&self) -> Rules {
        let nets = self.nets.values().filter(|net| net.is_up);
        let members = self.members.values();
        Rules {
            networks: nets.map(Net::rule).collect(),
            ports: members
                .flat_map(|member| member.joined.ports.clone())
                .collect(),
            closed4: self.closed4.clone(),
            closed6: self.closed6.clone(),
        }
    }

    /// The subnets of all networks.
    pub(super) fn subnets(&self) -> Vec<IpNet> {
        let nets = self.nets.values();
        nets.flat_map(|net| net.record.subnets.iter().map(|subnet| subnet.net))
            .collect()
    }

    /// Gives back every address of a container's places.
    pub(super) fn give_back(&mut self, id: &ContainerId, joined: &Joined) {
        for place in &joined.places {
            let Some(net) = self.nets.get_mut(&place.network) else {
                continue;
            };
            net.zone.leave(id.as_str());
            for address in &place.endpoint.addresses {
                for addresses in &mut net.addresses {
                    addresses.give_back(address.addr());
                }
            }
        }
    }

    /// What a container has in its networks, from its start on.
    pub(super) fn member(&mut self, record: &ContainerRecord) -> &mut Member {
        self.members
            .entry(record.id.clone())
            .or_insert_with(|| Member {
                name: record.name.to_string(),
                joined: Joined::default(),
                held: Vec::new(),
                names: None,
            })
    }

    /// The containers in a network.
    pub(super) fn in_network(
        &self,
        network: &str,
    ) -> impl Iterator<Item = (&ContainerId, &Member)> {
        self.members
            .iter()
            .filter(move |(_, member)| member.joined.places.iter().any(|p| p.network == network))
    }

    /// The name of the container that has an address.
    pub(super) fn holder(&self, refused: &PoolError) -> Option<&str> {
        let PoolError::Taken(address) = refused else {
            return None;
        };
        let mut members = self.members.values();
        let has_it = |member: &&Member| {
            let mut places = member.joined.places.iter();
            places.any(|place| {
                place
                    .endpoint
                    .addresses
                    .iter()
                    .any(|net| net.addr() == *address)
            })
        };
        members.find(has_it).map(|member| member.name.as_str())
    }
}
