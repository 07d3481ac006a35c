//! Where a container asks for names: two sockets inside its network namespace.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsFd;

use engine_sys::During as _;

use crate::dns::Sockets;
use crate::endpoint::inside;
use crate::error::Result;
use crate::firewall;

/// The address that a container asks, as with Docker.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);

/// Opens the sockets of a container's name server, and leads questions to them.
///
/// They listen at ports that the kernel chose, so that a name server inside can have port 53.
///
/// # Errors
/// When the kernel refuses.
pub fn open(namespace: impl AsFd) -> Result<Sockets> {
    let sockets = inside(namespace.as_fd(), || Ok(listen()?))?;
    let port = |address: std::io::Result<SocketAddr>| address.during("getsockname", ADDRESS);
    let udp = port(sockets.udp.local_addr())?.port();
    let tcp = port(sockets.tcp.local_addr())?.port();
    firewall::lead_names(namespace, udp, tcp)?;
    Ok(sockets)
}

fn listen() -> engine_sys::Result<Sockets> {
    let udp = UdpSocket::bind((ADDRESS, 0)).during("bind", ADDRESS)?;
    let tcp = TcpListener::bind((ADDRESS, 0)).during("bind", ADDRESS)?;
    udp.set_nonblocking(true).during("fcntl", ADDRESS)?;
    tcp.set_nonblocking(true).during("fcntl", ADDRESS)?;
    Ok(Sockets { udp, tcp })
}
