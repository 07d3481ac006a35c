//! The networks of a host, and who is in them.

use std::cmp::Reverse;
use std::sync::Arc;

use engine_api::networks::{EndpointSettings, Network};

use super::facts::ContainerFact;
use super::index::{Change, Index};
use super::query::{Direction, Page, Sort, holds, words};
use crate::domain::{ContainerId, NetworkId};

/// A network of containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkFact {
    /// Its id.
    pub id: NetworkId,
    /// The engine's line for lists.
    pub network: Network,
}

impl NetworkFact {
    /// Reads the engine's line; `None` when the id is none.
    pub fn new(network: Network) -> Option<Self> {
        let id = network.id.parse().ok()?;
        Some(Self { id, network })
    }

    /// Tells whether every engine has it: it cannot be removed, and nobody is connected to it later.
    pub fn is_builtin(&self) -> bool {
        matches!(self.network.name.as_str(), "bridge" | "host" | "none")
    }

    /// Tells whether containers can be connected to it and disconnected while they are there.
    pub fn takes_guests(&self) -> bool {
        !matches!(self.network.driver.as_str(), "host" | "null")
    }

    /// Returns the place of a container in it, if it has one.
    pub fn place_of<'a>(&self, container: &'a ContainerFact) -> Option<&'a EndpointSettings> {
        let all = &container.summary.network_settings.networks;
        // One that was never started may not know the id yet.
        let is_this = |name: &str, place: &EndpointSettings| match place.network_id.as_str() {
            "" => name == self.network.name,
            id => id == self.id.as_str(),
        };
        all.iter()
            .find(|(name, place)| is_this(name, place))
            .map(|(_, place)| place)
    }

    fn fits(&self, key: &str, word: &str) -> bool {
        let network = &self.network;
        match key {
            "driver" => network.driver == word,
            "name" => holds(&network.name, word),
            "label" => network.labels.keys().any(|label| holds(label, word)),
            _ => {
                let mut subnets = network.ipam.config.iter().map(|pool| &pool.subnet);
                holds(&network.name, word)
                    || holds(&network.driver, word)
                    || self.id.as_str().starts_with(word)
                    || subnets.any(|subnet| holds(subnet, word))
            }
        }
    }
}

/// Which networks; the filter's words are looked for in names, drivers, subnets and ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkQuery {
    /// The filter as typed.
    pub filter: String,
    /// The order; by name or by when they were made.
    pub sort: Sort,
    /// Its direction.
    pub direction: Direction,
    /// Which page, from 1.
    pub page: usize,
}

impl Index {
    /// Returns a page of networks.
    pub fn networks(&self, query: &NetworkQuery) -> Page<NetworkFact> {
        let words = words(&query.filter, &["driver", "name", "label"]);
        let all = self.all_networks();
        let n_all = all.len();
        let fits = |fact: &Arc<NetworkFact>| words.iter().all(|(key, word)| fact.fits(key, word));
        let mut matching: Vec<_> = all.into_iter().filter(fits).collect();
        matching.sort_by(|a, b| {
            let order = match query.sort {
                Sort::Created => a.network.created.cmp(&b.network.created),
                _ => a.network.name.cmp(&b.network.name),
            };
            query.direction.apply(order)
        });
        Page::cut(matching, n_all, query.page, 0)
    }

    /// Returns every network, by name; those with nothing behind them come last.
    pub fn all_networks(&self) -> Vec<Arc<NetworkFact>> {
        let mut all = self.read().networks.clone();
        all.sort_by_cached_key(|fact| (Reverse(fact.takes_guests()), fact.network.name.clone()));
        all
    }

    /// Finds the network that somebody means: a whole id, the beginning of just one, or a name.
    pub fn find_network(&self, text: &str) -> Option<Arc<NetworkFact>> {
        let facts = self.read();
        let all = || facts.networks.iter();
        let by_name = all().find(|fact| fact.network.name == text || fact.id.as_str() == text);
        if let Some(found) = by_name {
            return Some(Arc::clone(found));
        }
        let mut begins = all().filter(|fact| fact.id.as_str().starts_with(text));
        let first = begins.next().filter(|_| text.len() >= 4)?;
        begins.next().is_none().then(|| Arc::clone(first))
    }

    /// Returns the containers that are in a network, by name.
    pub fn members_of(&self, network: &NetworkFact) -> Vec<Arc<ContainerFact>> {
        let mut members: Vec<_> = {
            let facts = self.read();
            let all = facts.containers.values();
            let members = all.filter(|fact| network.place_of(fact).is_some());
            members.cloned().collect()
        };
        members.sort_by(|a, b| a.name.cmp(&b.name));
        members
    }

    /// Returns every container, by name.
    pub fn all_containers(&self) -> Vec<Arc<ContainerFact>> {
        let mut all: Vec<_> = self.read().containers.values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Returns the networks that a container is in, by name.
    pub fn networks_of(&self, container: &ContainerId) -> Vec<Arc<NetworkFact>> {
        let Some(container) = self.container(container) else {
            return Vec::new();
        };
        let mut all = self.all_networks();
        all.retain(|network| network.place_of(&container).is_some());
        all
    }

    /// Takes in the networks.
    pub(super) fn put_networks(&self, networks: Vec<NetworkFact>) {
        let networks: Vec<_> = networks.into_iter().map(Arc::new).collect();
        let before = std::mem::replace(&mut self.write().networks, networks.clone());
        if before != networks {
            self.announce(Change::Networks);
        }
    }
}
