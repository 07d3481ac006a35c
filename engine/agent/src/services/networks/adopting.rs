//! What the last engine left: containers that run in their networks, and what belongs to none.

use engine_api::id::ContainerId;
use engine_network::bridge;
use engine_network::ports;

use super::names;
use super::service::Networks;
use super::state::{Member, State};
use crate::records::{ContainerRecord, Joined};
use crate::services::error::chain;

impl Networks {
    /// Takes over what a container that goes on has in its networks. Blocks.
    pub(crate) fn adopt(&self, record: &ContainerRecord) {
        let Some(joined) = self.store.noted(&record.id) else {
            return;
        };
        let mut state = self.state();
        for place in &joined.places {
            let Some(net) = state.nets.get_mut(&place.network) else {
                continue;
            };
            net.is_up = true;
            for address in &place.endpoint.addresses {
                for addresses in &mut net.addresses {
                    // In the other version's subnet it has no place.
                    let _ = addresses.take(address.addr());
                }
            }
        }
        for place in &joined.places {
            Self::tell_names(&state, record, place);
        }
        let held = joined.ports.iter().filter_map(|port| {
            let held = ports::hold(&[port.host], port.protocol, port.number);
            held.inspect_err(|error| {
                tracing::warn!(
                    container.id = record.id.as_str(),
                    reason = chain(error),
                    "a program has taken a published port while no engine ran"
                );
            })
            .ok()
        });
        let held = held.collect();
        state.members.insert(
            record.id.clone(),
            Member {
                name: record.name.to_string(),
                joined,
                held,
                names: None,
            },
        );
    }

    /// Once all are taken over: makes the kernel hold what it should, and nothing else. Blocks.
    pub(crate) fn settle(&self) {
        let mut state = self.state();
        let ids: Vec<&ContainerId> = state.members.keys().collect();
        self.store.keep_only(&ids);
        self.remove_strangers(&state);
        let is_used = state.nets.values().any(|net| net.is_up);
        let settled = match is_used {
            true => {
                state.is_up = true;
                self.raise_again(&mut state)
            }
            // What was there belongs to networks of before a reboot, or to none.
            false => self
                .firewall
                .is_there()
                .and_then(|is_there| match is_there {
                    true => self.firewall.clear(),
                    false => Ok(()),
                }),
        };
        if let Err(error) = settled {
            tracing::error!(
                reason = chain(&error),
                "the networks of containers that run are not as they should be"
            );
        }
    }

    fn raise_again(&self, state: &mut State) -> engine_network::Result<()> {
        for net in state.nets.values().filter(|net| net.is_up) {
            bridge::make(&net.bridge(&self.mark))?;
        }
        let has_v6 = state.nets.values().any(|net| {
            let mut subnets = net.record.subnets.iter();
            net.is_up && subnets.any(|subnet| subnet.net.addr().is_ipv6())
        });
        state.drops_foreign = engine_network::forward(has_v6)? || self.store.made_forwarding();
        self.firewall.replace(&state.rules())
    }

    /// Removes links of this engine's that nobody has.
    fn remove_strangers(&self, state: &State) {
        let found = bridge::found(&self.mark).unwrap_or_else(|error| {
            tracing::warn!(reason = chain(&error), "the host's links cannot be listed");
            Vec::new()
        });
        let bridges: Vec<&String> = state.nets.values().map(|net| &net.record.bridge).collect();
        let places = state
            .members
            .values()
            .flat_map(|member| &member.joined.places);
        let ends: Vec<&String> = places.map(|place| &place.endpoint.outside).collect();
        for link in found {
            let known = if link.is_bridge { &bridges } else { &ends };
            if known.contains(&&link.name) {
                continue;
            }
            tracing::info!(link = link.name, "a link that nobody has is removed");
            if let Err(error) = bridge::remove(&link.name) {
                tracing::warn!(link = link.name, reason = chain(&error), "a link stays");
            }
        }
    }

    /// Begins the name server of a container that was taken over. Blocks.
    pub(crate) fn resume_names(&self, record: &ContainerRecord, namespace: &std::os::fd::OwnedFd) {
        let view = {
            let state = self.state();
            let joined = match state.members.get(&record.id) {
                Some(member) => &member.joined,
                None => &Joined::default(),
            };
            if !names::are_there(&state, joined) {
                return;
            }
            self.view(&state, record, joined)
        };
        match self.begin_names(namespace, view) {
            Ok(sender) => {
                if let Some(member) = self.state().members.get_mut(&record.id) {
                    member.names = Some(sender);
                }
            }
            Err(error) => tracing::error!(
                container.id = record.id.as_str(),
                reason = chain(&error),
                "a container has no name server"
            ),
        }
    }

    /// Says whether there is a table to look after.
    pub(crate) fn has_rules(&self) -> bool {
        self.state().is_up
    }

    /// Looks whether somebody has taken the firewall's table away, and puts it back. Blocks.
    pub(crate) fn guard_rules(&self) {
        let state = self.state();
        if !state.is_up || self.firewall.is_there().unwrap_or(true) {
            return;
        }
        tracing::warn!("the firewall's table was taken away by somebody; it is put back");
        if let Err(error) = self.firewall.replace(&state.rules()) {
            tracing::error!(reason = chain(&error), "the firewall's table is gone");
        }
    }
}
