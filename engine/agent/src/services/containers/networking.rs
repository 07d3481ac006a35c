//! Containers in networks: what a create asks for, and joining and leaving afterwards.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use engine_api::containers::{CreateBody, HostConfig};
use engine_api::filter::Filters;
use engine_api::networks::{
    ConnectBody, CreateNetwork, DisconnectBody, EndpointSettings, NetworkCreated, NetworksPruned,
};
use engine_runtime::{Member, Network, Phase, network_of};

use super::command::Command;
use super::owner::Owner;
use super::registry::{Containers, Site};
use super::sharing::Purpose;
use super::{etc, users};
use crate::records::{ContainerRecord, Membership};
use crate::services::error::{Result, ServiceError, chain};
use crate::services::networks::{BRIDGE, CONTAINER, HOST, Mode, NONE, Networks};
use crate::tasks::blocking;

fn bad<T>(message: impl Into<String>) -> Result<T> {
    Err(ServiceError::BadRequest(message.into()))
}

impl Containers {
    /// Returns the networks of this host.
    pub(crate) fn networks(&self) -> &Networks {
        &self.site.networks
    }

    /// Makes a network.
    ///
    /// # Errors
    /// When what is asked for cannot be.
    pub(crate) async fn create_network(&self, asked: CreateNetwork) -> Result<NetworkCreated> {
        let site = Arc::clone(&self.site);
        blocking(move || site.networks.create(&asked)).await
    }

    /// Removes a network.
    ///
    /// # Errors
    /// When there is none, or a container is in it.
    pub(crate) async fn remove_network(&self, reference: String) -> Result<()> {
        let site = Arc::clone(&self.site);
        blocking(move || site.networks.remove(&reference)).await
    }

    /// Removes the networks that no container wants to be in.
    ///
    /// # Errors
    /// When a filter cannot be read.
    pub(crate) async fn prune_networks(&self, filters: Filters) -> Result<NetworksPruned> {
        let views = self.views();
        let wishes = views.iter().flat_map(|view| &view.record.networks);
        let wanted: BTreeSet<String> = wishes.map(|wish| wish.network.clone()).collect();
        let site = Arc::clone(&self.site);
        blocking(move || site.networks.prune(&filters, &wanted)).await
    }

    /// Joins a container to a network; one that does not run joins it when it starts.
    ///
    /// # Errors
    /// When one of them is not there, or it is in it already or cannot be.
    pub(crate) async fn connect(&self, network: &str, asked: ConnectBody) -> Result<()> {
        if let HOST | NONE = network {
            return Err(ServiceError::Forbidden(format!(
                "container cannot be connected to {network} network: it is no network of its own"
            )));
        }
        let handle = self.find(&asked.container)?;
        let wish = asked.endpoint_config.unwrap_or_default();
        let membership = self.site.networks.membership(network, &wish)?;
        handle
            .ask(|reply| Command::Connect {
                membership: Box::new(membership),
                reply,
            })
            .await
    }

    /// Takes a container out of a network.
    ///
    /// # Errors
    /// When one of them is not there, or it is not in it.
    pub(crate) async fn disconnect(&self, network: &str, asked: &DisconnectBody) -> Result<()> {
        let handle = self.find(&asked.container)?;
        let network = match self.site.networks.find(network) {
            Ok(record) => record.id.clone(),
            // One that is gone can still be left.
            Err(gone) => {
                let wishes = &handle.view().record.networks;
                let is_it = |id: &str| network.len() >= 12 && id.starts_with(network);
                let wish = wishes.iter().find(|wish| is_it(&wish.network));
                wish.ok_or(gone)?.network.clone()
            }
        };
        handle
            .ask(|reply| Command::Disconnect { network, reply })
            .await
    }

    /// Reads which networks a container is to be in, and writes the mode into the wish as it is
    /// meant: a later default changes nothing that exists.
    ///
    /// # Errors
    /// Names the network or container that is not there, and what cannot be.
    pub(super) fn settle_network(
        &self,
        asked: &CreateBody,
        host: &mut HostConfig,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<Membership>> {
        let endpoints = &asked.networking_config.endpoints_config;
        let mode = host.network_mode.clone();
        let publishes = host.publish_all_ports
            || host
                .port_bindings
                .values()
                .flatten()
                .any(|bindings| !bindings.is_empty());
        let mode = Mode::of(&mode);
        if !matches!(mode, Mode::Network(_)) {
            let own = ["default", HOST, NONE, host.network_mode.as_str()];
            if let Some(other) = endpoints.keys().find(|name| !own.contains(&name.as_str())) {
                return bad(format!(
                    "a container whose network mode is {} cannot be in network {other} too",
                    host.network_mode
                ));
            }
        }
        match mode {
            Mode::None | Mode::Host => {
                if publishes {
                    let mode = &host.network_mode;
                    warnings.push(format!(
                        "Published ports are discarded when using {mode} network mode"
                    ));
                }
                Ok(Vec::new())
            }
            Mode::Container(reference) => {
                if publishes {
                    return bad(
                        "conflicting options: port publishing and the container type network mode",
                    );
                }
                if !asked.config.hostname.is_empty() {
                    return bad("conflicting options: hostname and the network mode");
                }
                let other = self.find(reference)?.id.to_string();
                host.network_mode = format!("{CONTAINER}{other}");
                Ok(Vec::new())
            }
            Mode::Network(first) => {
                let memberships = self.memberships(first, asked)?;
                if matches!(host.network_mode.as_str(), "" | "default") {
                    BRIDGE.clone_into(&mut host.network_mode);
                }
                Ok(memberships)
            }
        }
    }

    /// The network of the mode first, then the others that are named.
    fn memberships(&self, first: &str, asked: &CreateBody) -> Result<Vec<Membership>> {
        let networks = &self.site.networks;
        let endpoints = &asked.networking_config.endpoints_config;
        let record = networks.find(first)?;
        let is_first = |name: &str| {
            name == first || name == record.name || name == record.id || name == "default"
        };
        let mut own = EndpointSettings::default();
        let mut memberships = Vec::new();
        for (name, settings) in endpoints {
            if is_first(name) {
                own = settings.clone();
                continue;
            }
            let wish = networks.membership(name, settings)?;
            if wish.network == record.id {
                own = settings.clone();
                continue;
            }
            if memberships
                .iter()
                .any(|one: &Membership| one.network == wish.network)
            {
                return bad(format!("network {name} is named twice"));
            }
            memberships.push(wish);
        }
        if own.mac_address.is_empty() {
            own.mac_address.clone_from(&asked.config.mac_address);
        }
        memberships.insert(0, networks.membership(&record.id, &own)?);
        Ok(memberships)
    }
}

/// Returns whose network a container has.
///
/// # Errors
/// When it is that of a container that is not there, or does not run.
pub(super) fn network(site: &Site, record: &ContainerRecord, purpose: Purpose) -> Result<Network> {
    let id = match Mode::of(&record.host_config.network_mode) {
        Mode::Host => return Ok(Network::Host),
        Mode::None | Mode::Network(_) => return Ok(Network::None),
        Mode::Container(id) => id,
    };
    let view = match site.by_id(id) {
        Some(handle) => handle.view(),
        None => return Err(ServiceError::NoSuchContainer(id.to_owned())),
    };
    match Mode::of(&view.record.host_config.network_mode) {
        Mode::Host => return Ok(Network::Host),
        Mode::Container(_) => {
            return Err(ServiceError::Conflict(format!(
                "cannot join the network of container {id}: it has another container's itself"
            )));
        }
        Mode::None | Mode::Network(_) => {}
    }
    users::check_together(record, &view.record)?;
    match (&view.phase, purpose) {
        (Phase::Running { pid, .. }, _) => Ok(Network::Of(Member {
            pid: *pid,
            cgroup: site.cgroup(&view.record),
        })),
        (_, Purpose::Check) => Ok(Network::Of(Member {
            pid: 0,
            cgroup: String::new(),
        })),
        (_, Purpose::Start) => Err(ServiceError::Conflict(format!(
            "cannot join network of a non running container: {id}"
        ))),
    }
}

/// Opens the network namespace of a container whose first process is this.
///
/// # Errors
/// When the process is gone.
pub(crate) fn namespace(site: &Site, record: &ContainerRecord, pid: i32) -> Result<OwnedFd> {
    let member = Member {
        pid,
        cgroup: site.cgroup(record),
    };
    network_of(&member).map_err(ServiceError::failed("find the container's network"))
}

impl Owner {
    /// Joins the container to a network, now if it runs, and at each start.
    pub(super) async fn connect(&mut self, membership: Membership) -> Result<()> {
        let id = &membership.network;
        let name = self.site.networks.name_of(id);
        if !matches!(
            Mode::of(&self.record.host_config.network_mode),
            Mode::Network(_)
        ) {
            return Err(ServiceError::Forbidden(format!(
                "container cannot be connected to network {name}: its network mode is {}",
                self.record.host_config.network_mode
            )));
        }
        if self.record.networks.iter().any(|wish| wish.network == *id) {
            return Err(ServiceError::Forbidden(format!(
                "endpoint with name {} already exists in network {name}",
                self.record.name
            )));
        }
        let mut record = (*self.record).clone();
        record.networks.push(membership.clone());
        let (site, old) = (Arc::clone(&self.site), Arc::clone(&self.record));
        let pid = self.pid();
        let changed = blocking(move || {
            let namespace = pid.map(|pid| namespace(&site, &record, pid)).transpose()?;
            save(&site, &record)?;
            let Some(namespace) = namespace else {
                return Ok(record);
            };
            let connected = site.networks.connect(&record, &membership, &namespace);
            let written = connected.and_then(|()| {
                etc::write(&site, &record).inspect_err(|_| {
                    // The first failure is the one to tell.
                    let _ = site
                        .networks
                        .disconnect(&old, &membership.network, &namespace);
                })
            });
            written.inspect_err(|_| undo(&site, &old)).map(|()| record)
        });
        self.record = Arc::new(changed.await?);
        self.publish_view();
        Ok(())
    }

    /// Takes the container out of a network, now and for later starts.
    pub(super) async fn disconnect(&mut self, network: &str) -> Result<()> {
        let name = self.site.networks.name_of(network);
        let mut record = (*self.record).clone();
        record.networks.retain(|wish| wish.network != network);
        if record.networks.len() == self.record.networks.len() {
            return Err(ServiceError::Forbidden(format!(
                "container {} is not connected to network {name}",
                self.record.id
            )));
        }
        let (site, network) = (Arc::clone(&self.site), network.to_owned());
        let pid = self.pid();
        let changed = blocking(move || {
            let namespace = pid.map(|pid| namespace(&site, &record, pid)).transpose()?;
            save(&site, &record)?;
            if let Some(namespace) = namespace {
                site.networks.disconnect(&record, &network, &namespace)?;
                etc::write(&site, &record)?;
            }
            Ok::<_, ServiceError>(record)
        });
        self.record = Arc::new(changed.await?);
        self.publish_view();
        Ok(())
    }

    fn pid(&self) -> Option<i32> {
        match self.phase {
            Phase::Running { pid, .. } => Some(pid),
            Phase::Created | Phase::Starting | Phase::Exited(_) => None,
        }
    }
}

fn save(site: &Site, record: &ContainerRecord) -> Result<()> {
    site.store
        .save(record)
        .map_err(ServiceError::failed("keep the container's networks"))
}

/// Writes the record as it was; what is there is better than what failed.
fn undo(site: &Site, old: &ContainerRecord) {
    if let Err(error) = site.store.save(old) {
        tracing::error!(
            container.id = old.id.as_str(),
            reason = chain(&error),
            "a container joins a network at its next start that it could not join now"
        );
    }
}
