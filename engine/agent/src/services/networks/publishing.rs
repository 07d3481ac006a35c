//! A container's ports on this host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

use engine_api::containers::{ContainerConfig, HostConfig};
use engine_network::firewall::{Port, Protocol};
use engine_network::ports::{self, Held, NotHeld};
use rustix::io::Errno;

use super::state::State;
use crate::services::error::{Result, ServiceError};

/// The most ports of one container: each has sockets that are kept open.
const PORTS_MAX: usize = 4_096;

/// A port that is to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) private: u16,
    pub(super) protocol: Protocol,
    /// An address of this host; all of them without one.
    pub(super) host: Option<IpAddr>,
    /// The first of these that is free; 0 is any.
    pub(super) numbers: RangeInclusive<u16>,
}

/// Reads which ports are to be published.
///
/// # Errors
/// Names the one that cannot be read.
pub(super) fn wanted(config: &ContainerConfig, host: &HostConfig) -> Result<Vec<Wanted>> {
    let mut all = Vec::new();
    for (port, bindings) in &host.port_bindings {
        let (private, protocol) = private(port)?;
        for binding in bindings.iter().flatten() {
            all.push(Wanted {
                private,
                protocol,
                host: address(&binding.host_ip)?,
                numbers: numbers(&binding.host_port)?,
            });
        }
    }
    if host.publish_all_ports {
        for port in config.exposed_ports.keys() {
            let (private, protocol) = private(port)?;
            if !all
                .iter()
                .any(|one| (one.private, one.protocol) == (private, protocol))
            {
                all.push(Wanted {
                    private,
                    protocol,
                    host: None,
                    numbers: 0..=0,
                });
            }
        }
    }
    if all.len() > PORTS_MAX {
        return Err(ServiceError::BadRequest(format!(
            "{} ports are to be published; at most {PORTS_MAX} can be",
            all.len()
        )));
    }
    // Those that name one number take it before others look for one.
    all.sort_by_key(|one| {
        (
            one.numbers.contains(&0),
            one.numbers.end() - one.numbers.start(),
        )
    });
    Ok(all)
}

fn private(text: &str) -> Result<(u16, Protocol)> {
    let bad = || ServiceError::BadRequest(format!("invalid port {text:?}: it is written 80/tcp"));
    let (number, kind) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = match kind.to_ascii_lowercase().as_str() {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        "sctp" => Protocol::Sctp,
        _ => return Err(bad()),
    };
    match number.parse() {
        Ok(0) | Err(_) => Err(bad()),
        Ok(number) => Ok((number, protocol)),
    }
}

fn address(text: &str) -> Result<Option<IpAddr>> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        _ if text.is_empty() => Ok(None),
        Ok(address) => Ok(Some(address)),
        Err(_) => Err(ServiceError::BadRequest(format!(
            "invalid HostIp {text:?}: it is no address of this host"
        ))),
    }
}

fn numbers(text: &str) -> Result<RangeInclusive<u16>> {
    let bad = || {
        ServiceError::BadRequest(format!(
            "invalid HostPort {text:?}: it is a number, two with a dash between, or nothing"
        ))
    };
    let number = |text: &str| text.parse::<u16>().map_err(|_| bad());
    match text.split_once('-') {
        _ if text.is_empty() => Ok(0..=0),
        None => number(text).map(|one| one..=one),
        Some((first, last)) => match (number(first)?, number(last)?) {
            (first, last) if first > 0 && first <= last => Ok(first..=last),
            _ => Err(bad()),
        },
    }
}

/// Takes the ports of this host and says where each leads.
///
/// # Errors
/// Names who has a port already.
pub(super) fn publish(
    state: &State,
    wanted: &[Wanted],
    to: &[IpAddr],
    binding: Option<IpAddr>,
) -> Result<(Vec<Port>, Vec<Held>)> {
    let (mut all, mut held) = (Vec::new(), Vec::new());
    for one in wanted {
        let hosts = hosts(one, to, binding)?;
        let taken = take(state, one, &hosts, &all)?;
        for host in hosts {
            let inside = to.iter().find(|to| to.is_ipv6() == host.is_ipv6());
            all.extend(inside.map(|inside| Port {
                host,
                protocol: one.protocol,
                number: taken.number,
                to: SocketAddr::new(*inside, one.private),
            }));
        }
        held.push(taken);
    }
    Ok((all, held))
}

/// The addresses of this host that lead to a container with these of its own.
fn hosts(wanted: &Wanted, to: &[IpAddr], binding: Option<IpAddr>) -> Result<Vec<IpAddr>> {
    let any = |is_v6: bool| -> IpAddr {
        match is_v6 {
            true => Ipv6Addr::UNSPECIFIED.into(),
            false => Ipv4Addr::UNSPECIFIED.into(),
        }
    };
    let has = |is_v6: bool| to.iter().any(|one| one.is_ipv6() == is_v6);
    let hosts: Vec<IpAddr> = match wanted.host.or(binding) {
        Some(host) if has(host.is_ipv6()) => vec![host],
        Some(_) => Vec::new(),
        None => [false, true]
            .into_iter()
            .filter(|v6| has(*v6))
            .map(any)
            .collect(),
    };
    if hosts.is_empty() {
        let host = wanted.host.unwrap_or(any(false));
        return Err(ServiceError::BadRequest(format!(
            "cannot publish port {}/{} at {host}: the container has no address of that version in a \
             network that leads out",
            wanted.private,
            wanted.protocol.name()
        )));
    }
    Ok(hosts)
}

fn take(state: &State, wanted: &Wanted, hosts: &[IpAddr], own: &[Port]) -> Result<Held> {
    let mut refused = None;
    for number in wanted.numbers.clone() {
        match ports::hold(hosts, wanted.protocol, number) {
            Ok(held) => return Ok(held),
            Err(error) if error.errno == Errno::ADDRINUSE => {
                refused.get_or_insert(error);
            }
            Err(error) => return Err(ServiceError::Conflict(words(&error))),
        }
    }
    let Some(error) = refused else {
        return Err(ServiceError::BadRequest(
            "a range of ports is empty".to_owned(),
        ));
    };
    let (number, protocol) = (error.address.port(), wanted.protocol);
    let same = |port: &Port| port.number == number && port.protocol == protocol;
    let whose = state
        .members
        .values()
        .find(|member| member.joined.ports.iter().any(same))
        .map(|member| format!("the container {} has it", member.name));
    let whose = match whose {
        _ if own.iter().any(same) => Some("this container has it already".to_owned()),
        None => ports::holder(protocol, number).map(|who| format!("{who} has it")),
        some => some,
    };
    let whose = whose.unwrap_or_else(|| "a program of this host has it".to_owned());
    let range = match wanted.numbers.end() - wanted.numbers.start() {
        0 => String::new(),
        _ => format!(
            ", and no other of {}-{} is free",
            wanted.numbers.start(),
            wanted.numbers.end()
        ),
    };
    Err(ServiceError::Conflict(format!(
        "Bind for {} failed: port is already allocated: {whose}{range}",
        error.address
    )))
}

fn words(error: &NotHeld) -> String {
    format!("{error}: {}", error.errno)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_and_bad_ones_named() {
        assert_eq!(private("80").unwrap(), (80, Protocol::Tcp));
        assert_eq!(private("53/UDP").unwrap(), (53, Protocol::Udp));
        for bad in ["", "0/tcp", "80/icmp", "65536", "-1", "80/tcp/udp"] {
            assert!(private(bad).is_err(), "{bad}");
        }
        assert_eq!(numbers("").unwrap(), 0..=0);
        assert_eq!(numbers("8000-8002").unwrap(), 8000..=8002);
        for bad in ["x", "9-8", "0-5", "1-", "70000"] {
            assert!(numbers(bad).is_err(), "{bad}");
        }
        assert_eq!(address("[::1]").unwrap(), Some(Ipv6Addr::LOCALHOST.into()));
        assert_eq!(address("").unwrap(), None);
        assert!(address("localhost").is_err());
    }

    #[test]
    fn a_host_address_needs_a_container_of_its_version() {
        let wanted = |host: Option<&str>| Wanted {
            private: 80,
            protocol: Protocol::Tcp,
            host: host.map(|host| host.parse().unwrap()),
            numbers: 0..=0,
        };
        let four: IpAddr = "172.17.0.2".parse().unwrap();
        let six: IpAddr = "fd00::2".parse().unwrap();
        assert_eq!(hosts(&wanted(None), &[four], None).unwrap().len(), 1);
        assert_eq!(hosts(&wanted(None), &[four, six], None).unwrap().len(), 2);
        assert!(hosts(&wanted(Some("::1")), &[four], None).is_err());
        assert!(hosts(&wanted(None), &[], None).is_err());
        let local: IpAddr = Ipv4Addr::LOCALHOST.into();
        assert_eq!(
            hosts(&wanted(None), &[four, six], Some(local)).unwrap(),
            [local]
        );
    }
}
