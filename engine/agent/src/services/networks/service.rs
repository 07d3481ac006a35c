//! The networks of this host: made, found, removed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine_api::filter::Filters;
use engine_api::networks::{CreateNetwork, Network, NetworkCreated, NetworksPruned};
use engine_network::bridge;
use engine_network::dns::{Forwarder, Limits};
use engine_network::firewall::Firewall;
use engine_network::pool::Pool;
use ipnet::IpNet;

use super::show::{self, BRIDGE};
use super::state::{BRIDGE_NAME, DEFAULT_BRIDGE, Net, State};
use super::wish;
use crate::clock::Clock;
use crate::ids;
use crate::records::{NetworkRecord, NetworkStore};
use crate::services::error::{Result, ServiceError, chain};
use crate::services::events::{Events, Kind};
use crate::services::prune::Selection;
use crate::tasks::Tasks;

/// The networks of this host.
pub(crate) struct Networks {
    pub(super) store: NetworkStore,
    pub(super) events: Arc<Events>,
    pub(super) clock: Clock,
    pub(super) tasks: Tasks,
    pub(super) firewall: Firewall,
    /// The default bridge's name; links and the table are known as ours by it.
    pub(super) mark: String,
    pub(super) pools: Vec<Pool>,
    pub(super) forwarder: Arc<Forwarder>,
    state: Mutex<State>,
}

/// What they are made of.
pub(crate) struct NetworksParts {
    pub(crate) data: PathBuf,
    pub(crate) run: PathBuf,
    pub(crate) bridge: String,
    pub(crate) pools: Vec<Pool>,
    pub(crate) clock: Clock,
    pub(crate) events: Arc<Events>,
    pub(crate) tasks: Tasks,
}

impl Networks {
    /// Reads the networks; the kernel is not asked or told anything yet.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn open(parts: NetworksParts) -> Result<Self> {
        let failed = || ServiceError::failed("read the networks");
        let store = NetworkStore::open(&parts.data, &parts.run)
            .map_err(ServiceError::failed("open the directory of networks"))?;
        let (records, damaged) = store.load().map_err(failed())?;
        for path in damaged {
            tracing::error!(path = %path.display(), "a network's record is damaged");
        }
        let networks = Self {
            firewall: Firewall::of(parts.bridge.clone()),
            mark: parts.bridge,
            pools: parts.pools,
            forwarder: Arc::new(Forwarder::new(Limits::default())),
            store,
            events: parts.events,
            clock: parts.clock,
            tasks: parts.tasks,
            state: Mutex::default(),
        };
        let mut state = networks.state();
        state.closed4 = networks.store.closed(false).unwrap_or_default();
        state.closed6 = networks.store.closed(true).unwrap_or_default();
        for record in records {
            state.nets.insert(record.id.clone(), Net::new(record));
        }
        if !state.nets.values().any(Net::is_default) {
            let record = networks.default_record();
            networks.store.save(&record).map_err(failed())?;
            state.nets.insert(record.id.clone(), Net::new(record));
        }
        drop(state);
        Ok(networks)
    }

    /// The network of containers that name none. Its subnet is found when it is first used.
    fn default_record(&self) -> NetworkRecord {
        NetworkRecord {
            id: ids::container_id().to_string(),
            name: BRIDGE.to_owned(),
            created_ns: self.clock.now_ns(),
            bridge: self.mark.clone(),
            subnets: Vec::new(),
            internal: false,
            attachable: false,
            options: BTreeMap::from([
                (DEFAULT_BRIDGE.to_owned(), "true".to_owned()),
                (BRIDGE_NAME.to_owned(), self.mark.clone()),
            ]),
            ipam_options: None,
            labels: BTreeMap::new(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a network. Blocks.
    ///
    /// # Errors
    /// When what is asked for cannot be, or the name or the subnet is somebody's.
    pub(crate) fn create(&self, asked: &CreateNetwork) -> Result<NetworkCreated> {
        let host = self.subnets_of_host()?;
        let mut state = self.state();
        if state.nets.values().any(|net| net.record.name == asked.name) {
            let name = &asked.name;
            let message = format!("network with name {name} already exists");
            return Err(ServiceError::Conflict(message));
        }
        let ours = state.nets.values().flat_map(|net| {
            let name = &net.record.name;
            let subnets = net.record.subnets.iter();
            subnets.map(move |subnet| (subnet.net, format!("of the network {name}")))
        });
        let theirs = host
            .into_iter()
            .map(|net| (net, "the host's own".to_owned()));
        let taken: Vec<(IpNet, String)> = ours.chain(theirs).collect();
        let id = ids::container_id().to_string();
        let record = wish::record(asked, id, self.clock.now_ns(), &taken, &self.pools)?;
        if let Some(other) = state
            .nets
            .values()
            .find(|net| net.record.bridge == record.bridge)
        {
            return Err(ServiceError::Conflict(format!(
                "the bridge {} is the network {}'s already",
                record.bridge, other.record.name
            )));
        }
        let is_foreign = bridge::is_foreign(&record.bridge, &self.mark);
        if is_foreign.map_err(ServiceError::failed("look at the host's links"))? {
            return Err(ServiceError::Conflict(format!(
                "an interface named {} is there already, and this engine did not make it",
                record.bridge
            )));
        }
        self.store
            .save(&record)
            .map_err(ServiceError::failed("keep the network"))?;
        let id = record.id.clone();
        let net = Net::new(record);
        let attributes = attributes(&net.record);
        state.nets.insert(id.clone(), net);
        drop(state);
        self.events
            .publish(Kind::Network, "create", id.clone(), attributes);
        Ok(NetworkCreated {
            id,
            warning: String::new(),
        })
    }

    /// Removes a network. Blocks.
    ///
    /// # Errors
    /// When there is none, or a container that runs is in it.
    pub(crate) fn remove(&self, reference: &str) -> Result<()> {
        if matches!(reference, show::HOST | show::NONE) {
            return Err(predefined(reference));
        }
        let mut state = self.state();
        let id = find(&state, reference)?.record.id.clone();
        let record = self.remove_from(&mut state, &id)?;
        drop(state);
        self.events.publish(
            Kind::Network,
            "destroy",
            record.id.clone(),
            attributes(&record),
        );
        Ok(())
    }

    fn remove_from(&self, state: &mut State, id: &str) -> Result<Arc<NetworkRecord>> {
        let Some(net) = state.nets.get(id) else {
            return Err(ServiceError::NoSuchNetwork(id.to_owned()));
        };
        if net.is_default() {
            return Err(predefined(&net.record.name));
        }
        let record = Arc::clone(&net.record);
        let members: Vec<String> = state
            .in_network(id)
            .map(|(id, member)| format!("name:{:?} id:{:?}", member.name, id.short()))
            .collect();
        if !members.is_empty() {
            return Err(ServiceError::Forbidden(format!(
                "error while removing network: network {} has active endpoints ({})",
                record.name,
                members.join(", ")
            )));
        }
        let was_up = net.is_up;
        self.store
            .remove(id)
            .map_err(ServiceError::failed("remove the network"))?;
        state.nets.remove(id);
        if was_up {
            // It is gone whatever the kernel says; what stays is found by its mark.
            let gone =
                bridge::remove(&record.bridge).and_then(|()| self.firewall.replace(&state.rules()));
            if let Err(error) = gone {
                tracing::warn!(
                    network = record.name,
                    reason = chain(&error),
                    "a bridge stays"
                );
            }
        }
        Ok(record)
    }

    /// Removes the networks that no container is in or would start in. Blocks.
    ///
    /// # Errors
    /// When a filter cannot be read.
    pub(crate) fn prune(
        &self,
        filters: &Filters,
        wanted: &BTreeSet<String>,
    ) -> Result<NetworksPruned> {
        let selection = Selection::new(filters, self.clock.now_ns())?;
        let mut state = self.state();
        let unused: Vec<String> = state
            .nets
            .values()
            .filter(|net| !net.is_default() && !wanted.contains(&net.record.id))
            .filter(|net| state.in_network(&net.record.id).next().is_none())
            .filter(|net| selection.takes(net.record.created_ns, &net.record.labels))
            .map(|net| net.record.id.clone())
            .collect();
        let mut removed = Vec::new();
        for id in unused {
            removed.push(self.remove_from(&mut state, &id)?);
        }
        drop(state);
        for record in &removed {
            self.events.publish(
                Kind::Network,
                "destroy",
                record.id.clone(),
                attributes(record),
            );
        }
        self.events.publish(
            Kind::Network,
            "prune",
            "",
            crate::services::prune::reclaimed(0),
        );
        let names = removed.iter().map(|record| record.name.clone());
        Ok(NetworksPruned {
            networks_deleted: names.collect(),
        })
    }

    /// Lists the networks.
    pub(crate) fn list(&self, filters: &Filters, started_at: &str) -> Vec<Network> {
        let state = self.state();
        let ours = state.nets.values().map(|net| show::network(&state, net));
        let mut all: Vec<Network> = ours.chain(show::builtin(started_at)).collect();
        all.retain(|network| show::matches(network, filters));
        all.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.name.cmp(&b.name)));
        all
    }

    /// Shows one network.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn inspect(&self, reference: &str, started_at: &str) -> Result<Network> {
        let state = self.state();
        match find(&state, reference) {
            Ok(net) => Ok(show::network(&state, net)),
            Err(error) => {
                let is_it = |network: &Network| {
                    network.name == reference
                        || (reference.len() > 3 && network.id.starts_with(reference))
                };
                show::builtin(started_at).find(is_it).ok_or(error)
            }
        }
    }

    /// Returns the id and the name of a network.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn find(&self, reference: &str) -> Result<Arc<NetworkRecord>> {
        let state = self.state();
        find(&state, reference).map(|net| Arc::clone(&net.record))
    }

    /// Returns the name of a network by its id; one that was removed has its id's beginning.
    pub(crate) fn name_of(&self, id: &str) -> String {
        match self.state().nets.get(id) {
            Some(net) => net.record.name.clone(),
            None => id.chars().take(12).collect(),
        }
    }

    pub(super) fn subnets_of_host(&self) -> Result<Vec<IpNet>> {
        let bridges: Vec<String> = {
            let state = self.state();
            let bridges = state.nets.values();
            bridges.map(|net| net.record.bridge.clone()).collect()
        };
        bridge::subnets_of_host(&bridges)
            .map_err(ServiceError::failed("look at the host's subnets"))
    }
}

/// Finds a network by its whole id, its name, or a prefix of the id that only it has.
pub(super) fn find<'s>(state: &'s State, reference: &str) -> Result<&'s Net> {
    let named = |net: &&Net| net.record.name == reference;
    if let Some(net) = state
        .nets
        .get(reference)
        .or_else(|| state.nets.values().find(named))
    {
        return Ok(net);
    }
    let mut begun = state
        .nets
        .values()
        .filter(|net| !reference.is_empty() && net.record.id.starts_with(reference));
    match (begun.next(), begun.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(ServiceError::AmbiguousId(reference.to_owned())),
        (None, _) => Err(ServiceError::NoSuchNetwork(reference.to_owned())),
    }
}

fn predefined(name: &str) -> ServiceError {
    ServiceError::Forbidden(format!(
        "{name} is a pre-defined network and cannot be removed"
    ))
}

/// What every event of a network carries.
pub(super) fn attributes(record: &NetworkRecord) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("name".to_owned(), record.name.clone()),
        ("type".to_owned(), "bridge".to_owned()),
    ])
}
