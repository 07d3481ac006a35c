//! A container's name server, and whom it asks for what it does not know.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use engine_network::asking;
use engine_network::dns::{self, Link, Member as Named, Upstream, View};
use tokio::sync::watch;

use super::service::Networks;
use super::state::State;
use crate::records::{ContainerRecord, Joined, Place};
use crate::services::error::{Result, ServiceError, chain};

/// The port of name servers.
const PORT: u16 = 53;

/// Says whether a container in these places has a name server: every network but the default one
/// has names.
pub(super) fn are_there(state: &State, joined: &Joined) -> bool {
    let mut places = joined.places.iter();
    places.any(|place| {
        state
            .nets
            .get(&place.network)
            .is_some_and(|net| !net.is_default())
    })
}

impl Networks {
    /// Tells a network's members the names of a container.
    pub(super) fn tell_names(state: &State, record: &ContainerRecord, place: &Place) {
        let Some(net) = state
            .nets
            .get(&place.network)
            .filter(|net| !net.is_default())
        else {
            return;
        };
        let addresses = place.endpoint.addresses.iter();
        let member = Named {
            name: record.name.to_string(),
            aliases: place.names.clone(),
            addresses: addresses.map(ipnet::IpNet::addr).collect(),
        };
        net.zone.join(record.id.as_str(), member);
    }

    /// What a container may ask.
    pub(super) fn view(&self, state: &State, record: &ContainerRecord, joined: &Joined) -> View {
        let nets = joined.places.iter().filter_map(|place| {
            let net = state.nets.get(&place.network)?;
            Some((place, net))
        });
        let mut view = View::default();
        let mut leads_out = false;
        for (place, net) in nets {
            leads_out |= !net.record.internal;
            if net.is_default() {
                continue;
            }
            view.zones.push(Arc::clone(&net.zone));
            for link in &place.links {
                let (other, alias) = link.split_once(':').unwrap_or((link, link));
                let mut members = state.in_network(&place.network);
                let found = members.find(|(id, member)| {
                    member.name == other || id.as_str() == other || id.short() == other
                });
                view.links.extend(found.map(|(id, _)| Link {
                    name: alias.to_owned(),
                    zone: Arc::clone(&net.zone),
                    member: id.to_string(),
                }));
            }
        }
        if leads_out {
            view.upstream = Upstream::Servers(upstream(&record.host_config.dns));
        }
        view
    }

    /// Begins the name server of a container; it ends when the sender is dropped.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(super) fn begin_names(
        &self,
        namespace: &OwnedFd,
        view: View,
    ) -> Result<watch::Sender<Arc<View>>> {
        let sockets = asking::open(namespace)
            .map_err(ServiceError::failed("begin the container's name server"))?;
        let (sender, views) = watch::channel(Arc::new(view));
        let forwarder = Arc::clone(&self.forwarder);
        self.tasks.spawn("names", async move {
            if let Err(error) = dns::serve(sockets, views, forwarder).await {
                tracing::error!(reason = chain(&error), "a container's name server ended");
            }
        });
        Ok(sender)
    }
}

/// The servers that are asked outside: those that were given, or the host's.
fn upstream(given: &[String]) -> Vec<SocketAddr> {
    let servers: Vec<IpAddr> = match given {
        [] => servers(&fs::read_to_string("/etc/resolv.conf").unwrap_or_default()),
        // A loopback address means the container's own, where nobody of ours listens; asked from here
        // it would be the host's.
        given => given
            .iter()
            .filter_map(|text| text.parse::<IpAddr>().ok())
            .filter(|server| !server.is_loopback() && !server.is_unspecified())
            .collect(),
    };
    servers
        .into_iter()
        .map(|server| SocketAddr::new(server, PORT))
        .collect()
}

/// The servers that a `resolv.conf` names: `resolv.conf(5)`.
pub(super) fn servers(text: &str) -> Vec<IpAddr> {
    let lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"));
    lines.filter_map(|rest| rest.trim().parse().ok()).collect()
}
