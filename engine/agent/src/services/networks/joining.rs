//! A container's start and end in its networks.
//!
//! ```text
//!   start:  reserve (addresses, ports) ── attach (links, rules, names) ── the program begins
//!   end:    release (all of it, before anybody hears of the end)
//! ```
//!
//! What is reserved is written down before the kernel is told of it: an engine that begins knows
//! which links are whose.

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use engine_api::id::ContainerId;
use engine_api::networks::EndpointSettings;
use engine_network::{Endpoint, PoolError, bridge, endpoint, pool};
use ipnet::IpNet;

use super::names;
use super::publishing;
use super::service::{self, Networks};
use super::state::{Net, State};
use super::wish;
use crate::faults;
use crate::ids;
use crate::records::{ContainerRecord, Joined, Membership, NetworkRecord, Place};
use crate::services::error::{Result, ServiceError, chain};
use crate::services::events::Kind;
use crate::tasks::blocking;

/// What a container has in its networks while it starts; it goes back unless it is kept.
pub(crate) struct Reserved<'n> {
    networks: &'n Networks,
    id: ContainerId,
    joined: Joined,
    is_kept: bool,
}

impl Reserved<'_> {
    /// The container runs: what it has is given back at its end.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.networks.release(&self.id);
        }
    }
}

impl Networks {
    /// Checks how a container wants to be in a network.
    ///
    /// # Errors
    /// When there is no such network, or it cannot be in it so.
    pub(crate) fn membership(&self, name: &str, asked: &EndpointSettings) -> Result<Membership> {
        wish::membership(&*self.find(name)?, asked)
    }

    /// Checks that the ports of a container could be published.
    ///
    /// # Errors
    /// Names the one that cannot be read.
    pub(crate) fn check_ports(record: &ContainerRecord) -> Result<()> {
        publishing::wanted(&record.config, &record.host_config).map(drop)
    }

    /// Gives a container that starts its addresses and ports. Blocks.
    ///
    /// # Errors
    /// When a network is gone, or an address or a port is somebody's; nothing is taken then.
    pub(crate) fn reserve(&self, record: &ContainerRecord) -> Result<Reserved<'_>> {
        let mut reserved = Reserved {
            networks: self,
            id: record.id.clone(),
            joined: Joined::default(),
            // There is nothing to give back yet.
            is_kept: true,
        };
        if record.networks.is_empty() {
            return Ok(reserved);
        }
        let wanted = publishing::wanted(&record.config, &record.host_config)?;
        for wish in &record.networks {
            self.raise(&wish.network, record)?;
        }
        let mut state = self.state();
        state.member(record);
        let joined = self.take_places(&mut state, record);
        let published = joined.and_then(|joined| {
            let to = published_at(&joined);
            if to.is_empty() {
                // Nothing leads out of its networks, and nothing in.
                return Ok((joined, (Vec::new(), Vec::new())));
            }
            let binding = host_binding(&state, &joined);
            let published = publishing::publish(&state, &wanted, &to, binding);
            published
                .map(|found| (joined.clone(), found))
                .inspect_err(|_| {
                    state.give_back(&record.id, &joined);
                })
        });
        let (mut joined, (ports, held)) = match published {
            Ok(found) => found,
            Err(error) => {
                state.members.remove(&record.id);
                return Err(error);
            }
        };
        joined.ports = ports;
        if let Some(member) = state.members.get_mut(&record.id) {
            member.joined = joined.clone();
            member.held = held;
        }
        drop(state);
        reserved.is_kept = false;
        self.store
            .note(&record.id, &joined)
            .map_err(ServiceError::failed("note the container's networks"))?;
        faults::point("network.reserved");
        reserved.joined = joined;
        Ok(reserved)
    }

    /// Takes a place in each network that a container wants to be in.
    fn take_places(&self, state: &mut State, record: &ContainerRecord) -> Result<Joined> {
        let mut joined = Joined::default();
        for (number, wish) in record.networks.iter().enumerate() {
            match self.take_place(state, record, wish, number) {
                Ok(place) => joined.places.push(place),
                Err(error) => {
                    state.give_back(&record.id, &joined);
                    return Err(error);
                }
            }
        }
        Ok(joined)
    }

    pub(super) fn take_place(
        &self,
        state: &mut State,
        record: &ContainerRecord,
        wish: &Membership,
        number: usize,
    ) -> Result<Place> {
        let Some(net) = state.nets.get_mut(&wish.network) else {
            return Err(ServiceError::NoSuchNetwork(wish.network.clone()));
        };
        let addresses = take_addresses(net, wish);
        let addresses = addresses.map_err(|refused| {
            let whose = state
                .holder(&refused)
                .map(|name| format!(" by the container {name}"));
            ServiceError::Conflict(format!("{refused}{}", whose.unwrap_or_default()))
        })?;
        let net = state.nets.get(&wish.network);
        let Some(net) = net else {
            return Err(ServiceError::NoSuchNetwork(wish.network.clone()));
        };
        let gateways = net.record.subnets.iter().map(|subnet| subnet.gateway);
        let id = ids::container_id();
        let mut names = vec![record.name.to_string()];
        names.extend(wish.aliases.clone());
        names.push(record.id.short().to_owned());
        if record.config.hostname != record.id.short() && !record.config.hostname.is_empty() {
            names.push(record.config.hostname.clone());
        }
        names.dedup();
        Ok(Place {
            network: wish.network.clone(),
            endpoint: Endpoint {
                bridge: net.record.bridge.clone(),
                mark: self.mark.clone(),
                outside: format!("gv{}", id.short()),
                inside: format!("eth{number}"),
                mac: wish.mac.unwrap_or_else(|| mac_of(&addresses, id.as_str())),
                addresses,
                mtu: net.mtu(),
                is_isolated: !net.talks(),
            },
            id: id.to_string(),
            gateways: match net.record.internal {
                true => Vec::new(),
                false => gateways.collect(),
            },
            priority: wish.priority,
            names,
            links: wish.links.clone(),
        })
    }

    /// Joins a container's network namespace to its networks. Blocks.
    ///
    /// # Errors
    /// When the kernel refuses; what was done is undone when the reservation is dropped.
    pub(crate) fn attach(
        &self,
        reserved: &Reserved<'_>,
        record: &ContainerRecord,
        namespace: &OwnedFd,
    ) -> Result<()> {
        let joined = &reserved.joined;
        for place in &joined.places {
            endpoint::attach(namespace, &place.endpoint)
                .map_err(ServiceError::failed("join the container to its network"))?;
            faults::point("network.attached");
        }
        endpoint::lead_out(namespace, &gateways(joined)).map_err(ServiceError::failed(
            "lead the container out of its network",
        ))?;
        let view = {
            let state = self.state();
            self.add_rules(&state, joined)?;
            for place in &joined.places {
                Self::tell_names(&state, record, place);
            }
            names::are_there(&state, joined).then(|| self.view(&state, record, joined))
        };
        faults::point("network.published");
        if let Some(view) = view {
            let names = self.begin_names(namespace, view)?;
            if let Some(member) = self.state().members.get_mut(&record.id) {
                member.names = Some(names);
            }
        }
        for place in &joined.places {
            self.tell(&place.network, "connect", &record.id);
        }
        Ok(())
    }

    /// Adds a container's ports to the firewall; makes it anew when somebody has taken it away.
    fn add_rules(&self, state: &State, joined: &Joined) -> Result<()> {
        self.firewall
            .add(&[], &joined.ports)
            .or_else(|_| self.firewall.replace(&state.rules()))
            .map_err(ServiceError::failed("publish the container's ports"))
    }

    /// Gives back everything a container has in its networks. Blocks for a moment.
    pub(crate) fn release(&self, id: &ContainerId) {
        let member = {
            let mut state = self.state();
            let Some(member) = state.members.remove(id) else {
                return;
            };
            state.give_back(id, &member.joined);
            let taken = self.firewall.take_away(&[], &member.joined.ports);
            if let Err(error) = taken.or_else(|_| self.firewall.replace(&state.rules())) {
                tracing::warn!(
                    container.id = id.as_str(),
                    reason = chain(&error),
                    "the rules of a container that ended stay until the next change"
                );
            }
            member
        };
        for place in &member.joined.places {
            self.tell(&place.network, "disconnect", id);
        }
        self.store.forget(id);
        let links: Vec<String> = member
            .joined
            .places
            .into_iter()
            .map(|place| place.endpoint.outside)
            .collect();
        drop((member.held, member.names));
        // They go with the namespace, unless somebody else is in it; and the kernel takes its time.
        self.tasks.spawn_to_end("links", async move {
            blocking(move || {
                for link in links {
                    if let Err(error) = endpoint::detach(&link) {
                        tracing::warn!(link, reason = chain(&error), "a link stays");
                    }
                }
            })
            .await;
        });
    }

    /// Brings a network up: its bridge, and what the firewall says of it.
    pub(super) fn raise(&self, id: &str, record: &ContainerRecord) -> Result<()> {
        if self.state().nets.get(id).is_some_and(|net| net.is_up) {
            return Ok(());
        }
        let host = self.subnets_of_host()?;
        let mut state = self.state();
        let mut taken = state.subnets();
        taken.extend(host);
        let Some(net) = state.nets.get_mut(id) else {
            return Err(ServiceError::NotFound(format!(
                "network {} not found: container {} is to be in it",
                id.get(..12).unwrap_or(id),
                record.name
            )));
        };
        if net.is_up {
            return Ok(());
        }
        if net.record.subnets.is_empty() {
            let mut settled = NetworkRecord::clone(&net.record);
            settled.subnets = vec![wish::any_subnet(&self.pools, false, &taken)?];
            self.store
                .save(&settled)
                .map_err(ServiceError::failed("keep the default network's subnet"))?;
            *net = Net::new(settled);
        }
        let name = net.record.name.clone();
        let failed = || ServiceError::failed(format!("bring up the network {name}"));
        let has_v6 = net.has_v6();
        bridge::make(&net.bridge(&self.mark)).map_err(failed())?;
        faults::point("network.bridge");
        net.is_up = true;
        let settled = self
            .pass_on(&mut state, has_v6)
            .and_then(|()| self.firewall.replace(&state.rules()).map_err(failed()));
        match settled {
            Ok(()) => state.is_up = true,
            // A bridge that the firewall does not know would be open to all.
            Err(_) => {
                if let Some(net) = state.nets.get_mut(id) {
                    net.is_up = false;
                }
            }
        }
        settled
    }

    /// Lets this host pass packets on, between its own links no more than before.
    pub(super) fn pass_on(&self, state: &mut State, with_v6: bool) -> Result<()> {
        let failed = || ServiceError::failed("let this host pass packets on");
        for is_v6 in [false, true] {
            if (is_v6 && !with_v6) || engine_network::forwards(is_v6) {
                continue;
            }
            let links = bridge::links_of_host(&self.mark).map_err(failed())?;
            // Noted first: an engine that begins after a crash knows what it has to close.
            self.store
                .note_closed(is_v6, &links)
                .map_err(ServiceError::failed("note the links of this host"))?;
            match is_v6 {
                false => state.closed4 = links,
                true => state.closed6 = links,
            }
            self.firewall.replace(&state.rules()).map_err(failed())?;
            engine_network::forward(is_v6, true).map_err(failed())?;
        }
        Ok(())
    }

    pub(super) fn tell(&self, network: &str, action: &str, id: &ContainerId) {
        let Some(record) = self
            .state()
            .nets
            .get(network)
            .map(|net| Arc::clone(&net.record))
        else {
            return;
        };
        let mut attributes = service::attributes(&record);
        attributes.insert("container".to_owned(), id.to_string());
        self.events
            .publish(Kind::Network, action, record.id.clone(), attributes);
    }

    /// The addresses by which `/etc/hosts` of a container that starts knows the container itself.
    pub(crate) fn own_addresses(&self, id: &ContainerId) -> Vec<IpAddr> {
        let state = self.state();
        let member = state.members.get(id);
        let places = member.iter().flat_map(|member| &member.joined.places);
        places
            .flat_map(|place| place.endpoint.addresses.iter().map(IpNet::addr))
            .collect()
    }

    /// The host's address in the network that leads a container out.
    pub(crate) fn gateway(&self, id: &ContainerId) -> Option<IpAddr> {
        let state = self.state();
        gateways(&state.members.get(id)?.joined).first().copied()
    }

    /// Says whether a container that starts asks the engine for names.
    pub(crate) fn has_names(&self, id: &ContainerId) -> bool {
        let state = self.state();
        let member = state.members.get(id);
        member.is_some_and(|member| names::are_there(&state, &member.joined))
    }
}

/// One address of each of a network's subnets.
fn take_addresses(net: &mut Net, wish: &Membership) -> std::result::Result<Vec<IpNet>, PoolError> {
    let mut taken: Vec<IpNet> = Vec::new();
    for addresses in &mut net.addresses {
        let subnet = addresses.subnet();
        let asked = wish
            .addresses
            .iter()
            .find(|address| subnet.contains(*address));
        let address = match asked {
            Some(address) => addresses.take(*address).map(|()| *address),
            None => addresses.take_any(),
        };
        match address {
            Ok(address) => taken.push(pool::with_prefix(address, subnet)),
            Err(refused) => {
                for back in taken {
                    for addresses in &mut net.addresses {
                        addresses.give_back(back.addr());
                    }
                }
                return Err(refused);
            }
        }
    }
    Ok(taken)
}

/// The hardware address of an address of version 4 is always the same: whoever remembers it after
/// the container is gone finds the next one that has it.
fn mac_of(addresses: &[IpNet], random: &str) -> [u8; 6] {
    let v4 = addresses.iter().find_map(|net| match net {
        IpNet::V4(net) => Some(net.addr().octets()),
        IpNet::V6(_) => None,
    });
    let digits = |at: usize| {
        let pair = random.get(at..at + 2).unwrap_or("00");
        u8::from_str_radix(pair, 16).unwrap_or(0)
    };
    let last = v4.unwrap_or_else(|| [digits(0), digits(2), digits(4), digits(6)]);
    [0x02, 0x42, last[0], last[1], last[2], last[3]]
}

/// What leads a container out: of the network with the highest priority, the first of equals.
pub(super) fn gateways(joined: &Joined) -> Vec<IpAddr> {
    let mut places: Vec<&Place> = joined.places.iter().collect();
    places.sort_by_key(|place| std::cmp::Reverse(place.priority));
    let all = places.iter().flat_map(|place| &place.gateways);
    let mut found: Vec<IpAddr> = Vec::new();
    for gateway in all {
        if !found.iter().any(|one| one.is_ipv6() == gateway.is_ipv6()) {
            found.push(*gateway);
        }
    }
    found
}

/// Where the network that leads out wants ports to be published when no address is named.
fn host_binding(state: &State, joined: &Joined) -> Option<IpAddr> {
    let gateways = gateways(joined);
    let mut places = joined.places.iter();
    let place = places.find(|place| place.gateways.iter().any(|one| gateways.contains(one)))?;
    state.nets.get(&place.network)?.host_binding()
}

/// The container's addresses that published ports lead to: those behind its gateways.
fn published_at(joined: &Joined) -> Vec<IpAddr> {
    let gateways = gateways(joined);
    let nets = joined.places.iter().flat_map(|place| {
        let is_default_way = |net: &&IpNet| gateways.iter().any(|gateway| net.contains(gateway));
        place.endpoint.addresses.iter().filter(is_default_way)
    });
    nets.map(IpNet::addr).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hardware_address_follows_from_the_address() {
        let nets = ["172.17.0.2/16".parse().unwrap()];
        assert_eq!(mac_of(&nets, "ffff"), [2, 0x42, 172, 17, 0, 2]);
        let six = ["fd00::2/64".parse().unwrap()];
        assert_eq!(mac_of(&six, "0102030405"), [2, 0x42, 1, 2, 3, 4]);
    }
}
