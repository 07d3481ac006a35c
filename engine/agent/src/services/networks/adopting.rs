//! What the last engine left: containers that run in their networks, and what belongs to none.

use std::path::Path;

use engine_api::id::ContainerId;
use engine_network::bridge;
use engine_network::firewall::Firewall;
use engine_network::ports;

use super::names;
use super::service::Networks;
use super::state::{Member, State};
use crate::records::{ContainerRecord, Joined, NetworkStore};
use crate::services::error::{Result, ServiceError, chain};

/// Takes everything of an engine that does not run out of the host's network; returns how many
/// links there were. Blocks.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn leave(data: &Path, run: &Path, mark: &str) -> Result<usize> {
    let failed = || ServiceError::failed("leave the host's network");
    let store = NetworkStore::open(data, run)
        .map_err(ServiceError::failed("open the directory of networks"))?;
    // The rules go last: no link is ever without them.
    let links = bridge::found(mark).map_err(failed())?;
    for link in &links {
        bridge::remove(&link.name).map_err(failed())?;
    }
    for is_v6 in [false, true] {
        if store.closed(is_v6).is_some() {
            engine_network::forward(is_v6, false).map_err(failed())?;
        }
    }
    Firewall::of(mark).clear().map_err(failed())?;
    store.leave();
    Ok(links.len())
}

impl Networks {
    /// Takes over what a container that goes on has in its networks. Blocks.
    pub(crate) fn adopt(&self, record: &ContainerRecord) {
        let Some(joined) = self.store.noted(&record.id) else {
            return;
        };
        let mut state = self.state();
        self.take_over(
            &mut state,
            &record.id,
            record.name.to_string(),
            joined.clone(),
        );
        for place in &joined.places {
            Self::tell_names(&state, record, place);
        }
    }

    fn take_over(&self, state: &mut State, id: &ContainerId, name: String, joined: Joined) {
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
        let held = joined.ports.iter().filter_map(|port| {
            let held = ports::hold(&[port.host], port.protocol, port.number);
            held.inspect_err(|error| {
                tracing::warn!(
                    container.id = id.as_str(),
                    reason = chain(error),
                    "a program has taken a published port while no engine ran"
                );
            })
            .ok()
        });
        let held = held.collect();
        let member = Member {
            name,
            joined,
            held,
            names: None,
        };
        state.members.insert(id.clone(), member);
    }

    /// Takes over what a container has whose record cannot be read: it goes on as it is. Blocks.
    pub(crate) fn adopt_damaged(&self, id: &ContainerId) {
        if let Some(joined) = self.store.noted(id) {
            let name = id.short().to_owned();
            self.take_over(&mut self.state(), id, name, joined);
        }
    }

    /// Once all are taken over: makes the kernel hold what it should, and nothing else. Blocks.
    pub(crate) fn settle(&self) {
        let mut state = self.state();
        let ids: Vec<&ContainerId> = state.members.keys().collect();
        self.store.keep_only(&ids);
        self.remove_strangers(&state);
        let is_used = state.nets.values().any(|net| net.is_up);
        let is_closed = !state.closed4.is_empty() || !state.closed6.is_empty();
        let settled = match is_used || is_closed {
            true => self.raise_again(&mut state),
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
            if let Err(error) = bridge::make(&net.bridge(&self.mark)) {
                tracing::error!(
                    network = net.record.name,
                    reason = chain(&error),
                    "a network is not as it should be"
                );
            }
        }
        state.is_up = true;
        let has_v6 = state.nets.values().any(|net| net.is_up && net.has_v6());
        if let Err(error) = self.pass_on(state, has_v6) {
            tracing::error!(reason = chain(&error), "this host passes nothing on");
        }
        self.firewall.replace(&state.rules())
    }

    /// Removes links of this engine's that nobody has: bridges of networks that are not up too.
    fn remove_strangers(&self, state: &State) {
        let found = bridge::found(&self.mark).unwrap_or_else(|error| {
            tracing::warn!(reason = chain(&error), "the host's links cannot be listed");
            Vec::new()
        });
        let places = state
            .members
            .values()
            .flat_map(|member| &member.joined.places);
        let ends = places.flat_map(|place| [&place.endpoint.outside, &place.endpoint.bridge]);
        let ends: Vec<&String> = ends.collect();
        for link in found.iter().filter(|link| !ends.contains(&&link.name)) {
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

    /// Looks whether somebody has taken rules out of the firewall's table, and puts them back. Blocks.
    pub(crate) fn guard_rules(&self) {
        let state = self.state();
        if !state.is_up || self.firewall.is_whole().unwrap_or(false) {
            return;
        }
        tracing::warn!("somebody has taken rules out of the firewall's table; it is put back");
        if let Err(error) = self.firewall.replace(&state.rules()) {
            tracing::error!(reason = chain(&error), "the firewall's table is gone");
        }
    }
}
