//! What the buttons of networks do, said as `docker` and as a call of the API.

use engine_api::operation as ask;
use frontend::ui::Recipes;

use super::Reader;
use super::recipes::{Row, recipes, row};
use crate::access::PermissionId as Id;

/// What can be done with a network.
const NETWORK: &[Row] = &[
    row(
        (Id::NetworkConnect, "network-connect", "plus"),
        "docker network connect {} CONTAINER",
        &ask::NETWORK_CONNECT,
        "",
    )
    .with(r#"{"Container":"CONTAINER"}"#),
    row(
        (Id::NetworkConnect, "network-disconnect", "x"),
        "docker network disconnect {} CONTAINER",
        &ask::NETWORK_DISCONNECT,
        "",
    )
    .with(r#"{"Container":"CONTAINER"}"#),
    row(
        (Id::NetworkView, "inspect", "braces"),
        "docker network inspect {}",
        &ask::NETWORK_INSPECT,
        "",
    ),
    row(
        (Id::NetworkRemove, "remove", "trash-2"),
        "docker network rm {}",
        &ask::NETWORK_REMOVE,
        "",
    ),
];

/// How networks come and go.
const NETWORKS: &[Row] = &[
    row(
        (Id::NetworkCreate, "network-create", "plus"),
        "docker network create --subnet 10.5.0.0/24 shop",
        &ask::NETWORK_CREATE,
        "",
    )
    .with(r#"{"Name":"shop","IPAM":{"Config":[{"Subnet":"10.5.0.0/24"}]}}"#),
    row(
        (Id::NetworkPrune, "networks-prune", "trash-2"),
        "docker network prune",
        &ask::NETWORK_PRUNE,
        "",
    ),
    row(
        (Id::NetworkList, "networks", "network"),
        "docker network ls",
        &ask::NETWORK_LIST,
        "",
    ),
];

/// Returns what the buttons of a network's page do.
pub(super) fn network(reader: &Reader, name: &str) -> Recipes {
    recipes(reader, NETWORK, name)
}

/// Returns what the buttons of the list of networks do.
pub(super) fn networks(reader: &Reader) -> Recipes {
    recipes(reader, NETWORKS, "")
}

/// Returns every row, for whoever counts them.
#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = &'static Row> {
    NETWORK.iter().chain(NETWORKS)
}
