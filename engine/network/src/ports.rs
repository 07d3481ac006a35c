//! The host's ports that are taken for containers.
//!
//! A rule of the firewall leads packets away before any socket sees them; so a socket is bound to
//! each port all the same, and never listens: nobody else can take the port while it is published,
//! and a port that somebody has is not published.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

use engine_sys::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, ipproto, sockopt};

use crate::firewall::Protocol;

/// How often a number is looked for that is free at every address.
const ATTEMPTS: u32 = 32;

/// A port of this host that nobody else can take while this is kept.
#[derive(Debug)]
pub struct Held {
    /// Its number.
    pub number: u16,
    /// Its transport.
    pub protocol: Protocol,
    _sockets: Vec<OwnedFd>,
}

/// A port that cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("failed to bind {address}/{protocol}", protocol = protocol.name())]
pub struct NotHeld {
    /// Which.
    pub address: SocketAddr,
    /// Its transport.
    pub protocol: Protocol,
    /// Why.
    #[source]
    pub errno: Errno,
}

/// Takes a port at each of these addresses; the number 0 means one that is free at all of them.
///
/// # Errors
/// When somebody has it, or an address is none of this host's.
pub fn hold(hosts: &[IpAddr], protocol: Protocol, number: u16) -> Result<Held, NotHeld> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        match hold_once(hosts, protocol, number) {
            Err(NotHeld { errno, .. })
                if number == 0 && errno == Errno::ADDRINUSE && attempt < ATTEMPTS => {}
            other => return other,
        }
    }
}

fn hold_once(hosts: &[IpAddr], protocol: Protocol, mut number: u16) -> Result<Held, NotHeld> {
    let mut sockets = Vec::new();
    for host in hosts {
        let address = SocketAddr::new(*host, number);
        let taken = take(address, protocol).map_err(|errno| NotHeld {
            address,
            protocol,
            errno,
        })?;
        if let Some((socket, own)) = taken {
            number = own;
            sockets.push(socket);
        }
    }
    Ok(Held {
        number,
        protocol,
        _sockets: sockets,
    })
}

/// Binds one socket; a kernel without the transport has nobody who could take the port.
fn take(address: SocketAddr, protocol: Protocol) -> Result<Option<(OwnedFd, u16)>, Errno> {
    let (kind, transport) = match protocol {
        Protocol::Tcp => (SocketType::STREAM, ipproto::TCP),
        Protocol::Udp => (SocketType::DGRAM, ipproto::UDP),
        Protocol::Sctp => (SocketType::STREAM, ipproto::SCTP),
    };
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC;
    let socket = match rustix::net::socket_with(family, kind, flags, Some(transport)) {
        Err(Errno::PROTONOSUPPORT) if protocol == Protocol::Sctp && address.port() != 0 => {
            return Ok(None);
        }
        other => other?,
    };
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    bind(&socket, &address)?;
    let own = SocketAddr::try_from(getsockname(&socket)?).map_err(|_| Errno::AFNOSUPPORT)?;
    Ok(Some((socket, own.port())))
}

/// Names the program that has a port, as `nginx (pid 123)`; for the words of a refusal only.
pub fn holder(protocol: Protocol, number: u16) -> Option<String> {
    let kind = protocol.name();
    let inodes: Vec<String> = ["", "6"]
        .iter()
        .filter_map(|version| fs::read_to_string(format!("/proc/net/{kind}{version}")).ok())
        .flat_map(|table| inodes_of(&table, number))
        .collect();
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Ok(pid) = process.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let files = fs::read_dir(process.path().join("fd"));
        let has_it = files.into_iter().flatten().flatten().any(|file| {
            let to = fs::read_link(file.path()).unwrap_or_default();
            let to = to.to_string_lossy();
            let inode = to
                .strip_prefix("socket:[")
                .and_then(|to| to.strip_suffix(']'));
            inode.is_some_and(|inode| inodes.iter().any(|one| one == inode))
        });
        if has_it {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (pid {pid})", name.trim()));
        }
    }
    None
}

/// The inodes of the sockets bound to a port, out of a table of `/proc/net`: `proc_net_tcp(5)`.
fn inodes_of(table: &str, number: u16) -> Vec<String> {
    const LISTENING_OR_UNCONNECTED: [&str; 2] = ["0A", "07"];
    let lines = table.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace();
        let (_, port) = words.nth(1)?.rsplit_once(':')?;
        let state = words.nth(1)?;
        let inode = words.nth(5)?;
        let is_it = u16::from_str_radix(port, 16) == Ok(number)
            && LISTENING_OR_UNCONNECTED.contains(&state);
        is_it.then(|| inode.to_owned())
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

    use super::*;

    const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_port_that_is_held_is_nobody_elses_until_it_is_let_go() {
        let held = hold(&[LOCALHOST, Ipv6Addr::LOCALHOST.into()], Protocol::Tcp, 0).unwrap();
        assert_ne!(held.number, 0);
        assert!(TcpListener::bind((LOCALHOST, held.number)).is_err());
        assert!(TcpListener::bind((Ipv6Addr::LOCALHOST, held.number)).is_err());
        assert!(hold(&[LOCALHOST], Protocol::Tcp, held.number).is_err());
        // Another transport has numbers of its own.
        assert!(hold(&[LOCALHOST], Protocol::Udp, held.number).is_ok());
        let number = held.number;
        drop(held);
        assert!(hold(&[LOCALHOST], Protocol::Tcp, number).is_ok());
    }

    #[test]
    fn who_listens_is_named() {
        let listener = TcpListener::bind((LOCALHOST, 0)).unwrap();
        let number = listener.local_addr().unwrap().port();
        let refused = hold(&[LOCALHOST], Protocol::Tcp, number).unwrap_err();
        assert_eq!(refused.errno, Errno::ADDRINUSE);
        let named = holder(Protocol::Tcp, number).unwrap();
        assert!(
            named.ends_with(&format!("(pid {})", std::process::id())),
            "{named}"
        );
    }

    #[test]
    fn an_address_of_somebody_else_is_refused() {
        let foreign: IpAddr = "192.0.2.1".parse().unwrap();
        let refused = hold(&[foreign], Protocol::Udp, 53).unwrap_err();
        assert_eq!(refused.to_string(), "failed to bind 192.0.2.1:53/udp");
        assert_eq!(refused.errno, Errno::ADDRNOTAVAIL);
    }
}
