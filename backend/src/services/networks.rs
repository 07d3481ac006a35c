//! Networks: lists and who is in them from the index; changes by the engine, which knows what is free.

use std::sync::Arc;

use engine_api::networks::{ConnectBody, DisconnectBody, EndpointIpam, EndpointSettings};

use super::{Error, Result, Services, audit, network_draft};
use crate::access::{Permit, network};
use crate::domain::{ContainerId, FieldError, Rule};
use crate::fleet::{ContainerFact, Listener, NetworkFact, NetworkQuery, Page};

/// A network with who is in it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The network.
    pub fact: Arc<NetworkFact>,
    /// Who is in it, by name.
    pub members: Vec<Arc<ContainerFact>>,
    /// Who could be connected, by name.
    pub others: Vec<Arc<ContainerFact>>,
}

/// How a container is connected.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// The container's id or name.
    pub container: String,
    /// A fixed IPv4 address; empty for the next free one.
    pub address: String,
    /// A fixed IPv6 address; empty for the next free one.
    pub address6: String,
    /// More names for it there, separated by spaces.
    pub aliases: String,
}

/// Returns a page of the list, with how many containers are in each.
pub fn list(
    services: &Services,
    _permit: &Permit<network::List>,
    query: &NetworkQuery,
) -> (Page<NetworkFact>, Vec<Vec<Arc<ContainerFact>>>) {
    let index = services.index();
    let page = index.networks(query);
    let members = page.rows.iter().map(|fact| index.members_of(fact));
    let members = members.collect();
    (page, members)
}

/// Returns every network and every container of the host.
pub fn map(
    services: &Services,
    _permit: &Permit<network::List>,
) -> (Vec<Arc<NetworkFact>>, Vec<Arc<ContainerFact>>) {
    let index = services.index();
    (index.all_networks(), index.all_containers())
}

/// Returns the networks that a container is in, and all of the host.
pub fn of_container(
    services: &Services,
    _permit: &Permit<network::List>,
    id: &ContainerId,
) -> (Vec<Arc<NetworkFact>>, Vec<Arc<NetworkFact>>) {
    let index = services.index();
    (index.networks_of(id), index.all_networks())
}

/// Returns the host's ports that lead to containers, and the first from `from` on that is free.
pub fn ports(
    services: &Services,
    _permit: &Permit<network::List>,
    from: u16,
) -> (Vec<Listener>, Option<u16>) {
    let index = services.index();
    (index.listeners(), index.free_port(from))
}

/// Returns the networks that no container is in, running or not.
pub fn unused(services: &Services, _permit: &Permit<network::List>) -> Vec<Arc<NetworkFact>> {
    let index = services.index();
    let mut all = index.all_networks();
    all.retain(|fact| !fact.is_builtin() && index.members_of(fact).is_empty());
    all
}

/// Returns one network.
///
/// # Errors
/// [`Error::NotFound`] when it is gone.
pub fn show(services: &Services, permit: &Permit<network::View>) -> Result<Shown> {
    let index = services.index();
    let fact = index
        .find_network(permit.place().id.as_str())
        .ok_or(Error::NotFound { kind: "network" })?;
    let members = index.members_of(&fact);
    let is_other = |container: &ContainerFact| {
        let mode = container.summary.host_config.network_mode.as_str();
        // Who has the host's network, or another's, has no place to put a link.
        let is_alone = mode != "host" && !mode.starts_with("container:");
        is_alone && fact.place_of(container).is_none()
    };
    let others = index.all_containers();
    Ok(Shown {
        others: others.into_iter().filter(|one| is_other(one)).collect(),
        members,
        fact,
    })
}

/// Makes a network out of a form; `text` returns what was typed into a field, `is_set` whether a box
/// is ticked.
///
/// # Errors
/// With the field that cannot be taken; what the engine says against it is about the form as a whole.
pub async fn create<'a>(
    services: &Services,
    permit: &Permit<network::Create>,
    text: &(dyn Fn(&str) -> &'a str + Sync),
    is_set: &(dyn Fn(&str) -> bool + Sync),
) -> Result<String> {
    let body = network_draft::body(text, is_set)?;
    let client = services.link().client(permit);
    let name = body.name.clone();
    audit::bracket(services, permit, format!("name={name}"), async move {
        client.create_network(&body).await.map_err(said)?;
        Ok(name)
    })
    .await
}

/// Connects a container.
///
/// # Errors
/// With the field that cannot be taken; what the engine says against it is about the form as a whole.
pub async fn connect(
    services: &Services,
    permit: &Permit<network::Connect>,
    connection: &Connection,
) -> Result<String> {
    let container = services.index().find_container(&connection.container);
    let container = container.ok_or(Error::field("container", Rule::Choice))?;
    let endpoint = endpoint(connection)?;
    let body = ConnectBody {
        container: container.id.to_string(),
        endpoint_config: Some(endpoint),
    };
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    let detail = format!("container={}", container.name);
    audit::bracket(services, permit, detail, async move {
        client
            .connect_network(id.as_str(), &body)
            .await
            .map_err(said)
    })
    .await?;
    Ok(container.name.clone())
}

fn endpoint(connection: &Connection) -> Result<EndpointSettings, FieldError> {
    let address = |field, text: &str, is_v4: bool| match text.trim() {
        "" => Ok(String::new()),
        text => match text.parse::<std::net::IpAddr>() {
            Ok(address) if address.is_ipv4() == is_v4 => Ok(text.to_owned()),
            _ => Err(FieldError::new(field, Rule::Address)),
        },
    };
    let fixed = EndpointIpam {
        ipv4_address: address("address", &connection.address, true)?,
        ipv6_address: address("address6", &connection.address6, false)?,
        ..EndpointIpam::default()
    };
    let aliases: Vec<_> = connection
        .aliases
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    Ok(EndpointSettings {
        ipam_config: (fixed != EndpointIpam::default()).then_some(fixed),
        aliases: (!aliases.is_empty()).then_some(aliases),
        ..EndpointSettings::default()
    })
}

/// Disconnects a container.
///
/// # Errors
/// When it is not in the network any more, or the engine is away.
pub async fn disconnect(
    services: &Services,
    permit: &Permit<network::Connect>,
    container: &ContainerId,
) -> Result<String> {
    let container = services.index().container(container);
    let container = container.ok_or(Error::NotFound { kind: "container" })?;
    let body = DisconnectBody {
        container: container.id.to_string(),
        force: false,
    };
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    let detail = format!("container={}", container.name);
    audit::bracket(services, permit, detail, async move {
        Ok(client.disconnect_network(id.as_str(), &body).await?)
    })
    .await?;
    Ok(container.name.clone())
}

/// Removes a network.
///
/// # Errors
/// When somebody is in it, it is gone, or the engine is away.
pub async fn remove(services: &Services, permit: &Permit<network::Remove>) -> Result<()> {
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    audit::bracket(services, permit, String::new(), async move {
        Ok(client.remove_network(id.as_str()).await?)
    })
    .await
}

/// Removes the networks that nobody is in. What is used since it was shown stays.
///
/// # Errors
/// When the engine is away.
pub async fn prune(services: &Services, permit: &Permit<network::Prune>) -> Result<Vec<String>> {
    let client = services.link().client(permit);
    audit::bracket(services, permit, String::new(), async move {
        Ok(client.prune_networks().await?.networks_deleted)
    })
    .await
}

/// What the engine says against a form stands above it.
fn said(error: crate::fleet::ClientError) -> Error {
    match Error::from(error) {
        Error::Engine { message } | Error::Conflict { message } => {
            Error::field("", Rule::Engine { message })
        }
        other => other,
    }
}
