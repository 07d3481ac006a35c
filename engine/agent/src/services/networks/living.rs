//! Changes to a container's networks while it runs.

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use engine_api::id::ContainerId;
use engine_network::firewall::Port;
use engine_network::{bridge, endpoint};
use ipnet::IpNet;

use super::joining::gateways;
use super::names;
use super::service::Networks;
use crate::records::{ContainerRecord, Joined, Membership, Place};
use crate::services::error::{Result, ServiceError, chain};

impl Networks {
    /// Joins a container that runs to one more network. Blocks.
    ///
    /// # Errors
    /// When it cannot be in it so; it is as it was then.
    pub(crate) fn connect(
        &self,
        record: &ContainerRecord,
        wish: &Membership,
        namespace: &OwnedFd,
    ) -> Result<()> {
        self.raise(&wish.network, record)?;
        let (place, before) = {
            let mut state = self.state();
            let before = match state.members.get(&record.id) {
                Some(member) => member.joined.clone(),
                None => Joined::default(),
            };
            let number = free_number(&before);
            let place = self.take_place(&mut state, record, wish, number)?;
            state.member(record).joined.places.push(place.clone());
            (place, before)
        };
        let connected = self.connect_place(record, &place, namespace);
        if let Err(error) = connected {
            let mut state = self.state();
            let only = Joined {
                places: vec![place],
                ..Joined::default()
            };
            state.give_back(&record.id, &only);
            state.member(record).joined = before.clone();
            drop(state);
            // The first failure is the one to tell.
            let _ = endpoint::lead_out(namespace, &gateways(&before));
            let _ = self.store.note(&record.id, &before);
            return Err(error);
        }
        self.tell(&wish.network, "connect", &record.id);
        Ok(())
    }

    fn connect_place(
        &self,
        record: &ContainerRecord,
        place: &Place,
        namespace: &OwnedFd,
    ) -> Result<()> {
        let joined = self.joined(&record.id);
        self.store
            .note(&record.id, &joined)
            .map_err(ServiceError::failed("note the container's networks"))?;
        let failed = || ServiceError::failed("join the container to its network");
        endpoint::attach(namespace, &place.endpoint).map_err(failed())?;
        if let Err(error) = endpoint::lead_out(namespace, &gateways(&joined)) {
            let _ = endpoint::detach(&place.endpoint.outside);
            return Err(failed()(error));
        }
        Self::tell_names(&self.state(), record, place);
        self.show_names(record, namespace)
    }

    /// Takes a container that runs out of a network. Blocks.
    ///
    /// # Errors
    /// When it is not in it, or the kernel refuses.
    pub(crate) fn disconnect(
        &self,
        record: &ContainerRecord,
        network: &str,
        namespace: &OwnedFd,
    ) -> Result<()> {
        let found = self.joined(&record.id).places.into_iter();
        let Some(place) = found.into_iter().find(|place| place.network == network) else {
            // A disconnect that broke off has come so far.
            return Ok(());
        };
        // First: nobody else gets an address that still answers.
        let failed = || ServiceError::failed("take the container out of its network");
        bridge::remove(&place.endpoint.outside).map_err(failed())?;
        let ports = {
            let mut state = self.state();
            let member = state.member(record);
            let joined = &mut member.joined;
            joined.places.retain(|place| place.network != network);
            let ports = ports_at(joined, &place);
            joined.ports.retain(|port| !ports.contains(port));
            let left = &joined.ports;
            member.held.retain(|held| {
                let mut left = left.iter();
                left.any(|port| (port.number, port.protocol) == (held.number, held.protocol))
            });
            let only = Joined {
                places: vec![place],
                ports: Vec::new(),
            };
            state.give_back(&record.id, &only);
            let taken = self.firewall.take_away(&[], &ports);
            taken
                .or_else(|_| self.firewall.replace(&state.rules()))
                .map_err(ServiceError::failed("take the container's ports back"))?;
            ports
        };
        let joined = self.joined(&record.id);
        endpoint::lead_out(namespace, &gateways(&joined)).map_err(failed())?;
        if !ports.is_empty() {
            tracing::info!(
                container.id = record.id.as_str(),
                "its ports went with its network"
            );
        }
        self.store
            .note(&record.id, &joined)
            .map_err(ServiceError::failed("note the container's networks"))?;
        self.show_names(record, namespace)?;
        self.tell(network, "disconnect", &record.id);
        Ok(())
    }

    /// Shows a container's name server what its networks are now.
    fn show_names(&self, record: &ContainerRecord, namespace: &OwnedFd) -> Result<()> {
        let view = {
            let mut state = self.state();
            let joined = state.member(record).joined.clone();
            let is_there = names::are_there(&state, &joined);
            let view = self.view(&state, record, &joined);
            let member = state.member(record);
            match (&member.names, is_there) {
                (Some(sender), _) => {
                    sender.send_replace(Arc::new(view));
                    return Ok(());
                }
                (None, false) => return Ok(()),
                (None, true) => view,
            }
        };
        let begun = self.begin_names(namespace, view)?;
        self.state().member(record).names = Some(begun);
        Ok(())
    }

    /// A container has another name: its networks know it by that from now on.
    pub(crate) fn renamed(&self, record: &ContainerRecord, former: &str) {
        let mut state = self.state();
        let Some(member) = state.members.get_mut(&record.id) else {
            return;
        };
        member.name = record.name.to_string();
        for place in &mut member.joined.places {
            for name in place.names.iter_mut().filter(|name| *name == former) {
                *name = record.name.to_string();
            }
        }
        let joined = member.joined.clone();
        for place in &joined.places {
            Self::tell_names(&state, record, place);
        }
        drop(state);
        if let Err(error) = self.store.note(&record.id, &joined) {
            tracing::warn!(reason = chain(&error), "a new name is lost with the engine");
        }
    }

    /// Says whether a container has anything in a network.
    pub(crate) fn is_member(&self, id: &ContainerId) -> bool {
        self.state().members.contains_key(id)
    }

    pub(super) fn joined(&self, id: &ContainerId) -> Joined {
        let state = self.state();
        state
            .members
            .get(id)
            .map(|member| member.joined.clone())
            .unwrap_or_default()
    }
}

fn ports_at(joined: &Joined, place: &Place) -> Vec<Port> {
    let own: Vec<IpAddr> = place.endpoint.addresses.iter().map(IpNet::addr).collect();
    let ports = joined.ports.iter().copied();
    ports.filter(|port| own.contains(&port.to.ip())).collect()
}

/// The lowest number of `eth0`, `eth1`, … that no place has.
fn free_number(joined: &Joined) -> usize {
    let is_taken = |number: usize| {
        let name = format!("eth{number}");
        joined
            .places
            .iter()
            .any(|place| place.endpoint.inside == name)
    };
    (0..).find(|number| !is_taken(*number)).unwrap_or_default()
}
