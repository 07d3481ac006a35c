//! Ports of a host: who listens where, and who wants to.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use engine_api::containers::{ContainerSummary, HostConfig};

use super::facts::ContainerFact;
use super::index::Index;

/// A port of the host that leads to one of a container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Published {
    /// The host's port; `None` while it is not known which.
    pub port: Option<u16>,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The host's address, `None` for all of them.
    pub address: Option<IpAddr>,
    /// The container's port.
    pub inner: u16,
}

impl Published {
    /// Tells whether both cannot be at one time.
    fn collides(&self, other: &Self) -> bool {
        let is_same = self.port.is_some() && self.port == other.port;
        let meets = match (self.address, other.address) {
            (Some(one), Some(other)) => one == other,
            // All addresses of one family are none of the other; but "all" without a family is both.
            (None, _) | (_, None) => true,
        };
        is_same && self.protocol == other.protocol && meets
    }
}

/// A published port and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    /// The port.
    pub published: Published,
    /// The container.
    pub container: Arc<ContainerFact>,
    /// The names of others that have or want the same port.
    pub rivals: Vec<String>,
}

/// Reads which ports a container has, or wants while it rests.
pub(super) fn published(summary: &ContainerSummary, host: &HostConfig) -> Vec<Published> {
    let mut found = BTreeSet::new();
    for port in summary
        .ports
        .iter()
        .filter(|port| port.public_port.is_some())
    {
        found.insert(Published {
            port: port.public_port,
            protocol: port.kind.clone(),
            address: address(&port.ip),
            inner: port.private_port,
        });
    }
    if found.is_empty() {
        for (inner, bindings) in &host.port_bindings {
            let (inner, protocol) = inner.split_once('/').unwrap_or((inner, "tcp"));
            let Ok(inner) = inner.parse() else { continue };
            for binding in bindings.iter().flatten() {
                found.insert(Published {
                    port: binding.host_port.parse().ok().filter(|port| *port != 0),
                    protocol: protocol.to_owned(),
                    address: address(&binding.host_ip),
                    inner,
                });
            }
        }
    }
    found.into_iter().collect()
}

/// An address of its own; what stands for all of them is none.
fn address(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    (!address.is_unspecified()).then_some(address)
}

impl Index {
    /// Returns every published port, by number, with whoever has or wants the same.
    pub fn listeners(&self) -> Vec<Listener> {
        let containers = self.all_containers();
        let mut all: Vec<_> = containers
            .iter()
            .flat_map(|container| {
                let ports = container.published.iter();
                ports.map(move |published| (published.clone(), Arc::clone(container)))
            })
            .collect();
        all.sort_by(|(a, of_a), (b, of_b)| (a, &of_a.name).cmp(&(b, &of_b.name)));
        // Sorted by port: whoever collides stands in the same run.
        let runs = all.chunk_by(|(a, _), (b, _)| a.port == b.port);
        runs.flat_map(|run| {
            run.iter().map(|(published, container)| {
                let rivals: BTreeSet<_> = run
                    .iter()
                    .filter(|(other, of)| of.id != container.id && published.collides(other))
                    .map(|(_, of)| of.name.clone())
                    .collect();
                Listener {
                    published: published.clone(),
                    container: Arc::clone(container),
                    rivals: rivals.into_iter().collect(),
                }
            })
        })
        .collect()
    }

    /// Returns the first port from `from` on that no container has or wants, of any protocol.
    pub fn free_port(&self, from: u16) -> Option<u16> {
        let facts = self.read();
        let ports = facts.containers.values().flat_map(|fact| &fact.published);
        let taken: BTreeSet<_> = ports.filter_map(|published| published.port).collect();
        (from.max(1)..=u16::MAX).find(|port| !taken.contains(port))
    }
}

#[cfg(test)]
mod tests {
    use engine_api::containers::{Port, PortBinding};

    use super::*;

    fn of(port: u16, protocol: &str, ip: &str) -> Published {
        Published {
            port: Some(port),
            protocol: protocol.to_owned(),
            address: address(ip),
            inner: 80,
        }
    }

    #[test]
    fn two_collide_where_one_packet_could_be_for_both() {
        let web = of(8080, "tcp", "0.0.0.0");
        assert!(web.collides(&of(8080, "tcp", "127.0.0.1")));
        assert!(of(8080, "tcp", "::1").collides(&of(8080, "tcp", "::")));
        assert!(!web.collides(&of(8080, "udp", "")));
        assert!(!web.collides(&of(8081, "tcp", "")));
        assert!(!of(1, "tcp", "10.0.0.1").collides(&of(1, "tcp", "10.0.0.2")));
        let unknown = Published { port: None, ..web };
        assert!(!unknown.collides(&unknown));
    }

    #[test]
    fn what_it_has_is_told_and_else_what_it_wants() {
        let port = |ip: &str| Port {
            ip: ip.to_owned(),
            private_port: 80,
            public_port: Some(8080),
            kind: "tcp".to_owned(),
        };
        let summary = ContainerSummary {
            ports: vec![port("0.0.0.0"), port("::")],
            ..ContainerSummary::default()
        };
        let mut host = HostConfig::default();
        let binding = PortBinding {
            host_ip: "127.0.0.1".to_owned(),
            host_port: "53".to_owned(),
        };
        host.port_bindings
            .insert("5353/udp".to_owned(), Some(vec![binding]));

        assert_eq!(published(&summary, &host), [of(8080, "tcp", "")]);
        let wanted = published(&ContainerSummary::default(), &host);
        let expected = Published {
            inner: 5353,
            ..of(53, "udp", "127.0.0.1")
        };
        assert_eq!(wanted, [expected]);
    }
}
