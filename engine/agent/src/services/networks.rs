//! The networks a container can have today: none of its own, or the host's.

use engine_api::filter::Filters;
use engine_api::networks::{Ipam, Network};

use crate::services::error::{Result, ServiceError};

/// Returns both networks, as Docker lists its own two.
pub(crate) fn list(filters: &Filters, created: &str) -> Vec<Network> {
    ["host", "none"]
        .into_iter()
        .map(|name| network(name, created))
        .filter(|network| {
            filters.any("name", |wanted| network.name.contains(wanted))
                && filters.any("id", |wanted| network.id.starts_with(wanted))
                && filters.any("driver", |wanted| network.driver == wanted)
                && filters.any("scope", |wanted| network.scope == wanted)
                && filters.any("type", |wanted| wanted == "builtin")
                && filters.any("dangling", |wanted| wanted == "false" || wanted == "0")
                && filters.labels_match(&network.labels)
        })
        .collect()
}

/// Returns the network of that name or id.
///
/// # Errors
/// When there is none.
pub(crate) fn inspect(name: &str, created: &str) -> Result<Network> {
    ["host", "none"]
        .into_iter()
        .map(|known| network(known, created))
        .find(|network| network.name == name || (name.len() > 3 && network.id.starts_with(name)))
        .ok_or_else(|| ServiceError::NoSuchNetwork(name.to_owned()))
}

/// Returns the id of a network; the two are the same on every host, since nothing varies in them.
pub(crate) fn id(name: &str) -> &'static str {
    match name {
        "host" => "0f5d6b2c1a7e4839b6c5d4e3f2a1908776655443322110ffeeddccbbaa998877",
        _ => "1e4c7a9d2b5f8036c9d8e7f6a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2",
    }
}

fn network(name: &str, created: &str) -> Network {
    Network {
        name: name.to_owned(),
        id: id(name).to_owned(),
        created: created.to_owned(),
        scope: "local".to_owned(),
        driver: if name == "none" { "null" } else { name }.to_owned(),
        enable_ipv4: true,
        ipam: Ipam {
            driver: "default".to_owned(),
            options: None,
            config: Vec::new(),
        },
        ..Network::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_listed_and_found() {
        assert_eq!(list(&Filters::default(), "").len(), 2);
        assert_eq!(
            list(&Filters::default().with("driver", "null"), "").len(),
            1
        );
        assert!(inspect("host", "").is_ok());
        assert_eq!(
            inspect(&id("none")[..12], "").map(|n| n.name).ok(),
            Some("none".to_owned())
        );
        assert_eq!(
            inspect("bridge", "").map_err(|e| e.to_string()).err(),
            Some("network bridge not found".to_owned())
        );
    }
}
