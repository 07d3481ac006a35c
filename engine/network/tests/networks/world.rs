//! A host and what lies around it, as network namespaces of one test.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::process::Command;
use std::thread;
use std::time::Duration;

use engine_network::bridge::{self, Bridge};
use engine_network::endpoint::{self, Endpoint};
use engine_network::firewall::{Firewall, Network, Port, Rules};
use engine_sys::namespace::{self, Namespaces};
use ipnet::IpNet;

/// How long a packet that should come is waited for, and one that should not.
const COMES: Duration = Duration::from_secs(10);
const STAYS_AWAY: Duration = Duration::from_millis(300);

/// A network namespace.
pub(crate) struct Place(File);

impl Place {
    pub(crate) fn new() -> Self {
        let made = thread::spawn(|| {
            namespace::unshare(Namespaces::NETWORK).unwrap();
            namespace::raise_loopback().unwrap();
            File::open("/proc/thread-self/ns/net").unwrap()
        });
        Self(made.join().unwrap())
    }

    /// Does something inside.
    pub(crate) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        endpoint::inside(self.0.as_fd(), || Ok(work())).unwrap()
    }

    pub(crate) fn file(&self) -> &File {
        &self.0
    }

    /// Runs a command of the host's inside; fails with what it says.
    pub(crate) fn run(&self, line: &str) -> String {
        self.inside(|| {
            let output = Command::new("sh").args(["-c", line]).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{line}: {said}");
            String::from_utf8(output.stdout).unwrap()
        })
    }

    /// Answers each connection at a port with the address it came from, as long as the test lives.
    pub(crate) fn answer(&self, address: &str) {
        let address: SocketAddr = address.parse().unwrap();
        let (tcp, udp) = self.inside(|| {
            (
                TcpListener::bind(address).unwrap(),
                UdpSocket::bind(address).unwrap(),
            )
        });
        thread::spawn(move || {
            for stream in tcp.incoming() {
                let Ok(mut stream) = stream else { return };
                let Ok(peer) = stream.peer_addr() else {
                    continue;
                };
                let _ = stream.write_all(peer.ip().to_string().as_bytes());
            }
        });
        thread::spawn(move || {
            let mut bytes = [0; 64];
            while let Ok((_, peer)) = udp.recv_from(&mut bytes) {
                let _ = udp.send_to(peer.ip().to_string().as_bytes(), peer);
            }
        });
    }

    /// Whom the other side sees when this place connects there.
    pub(crate) fn seen_as(&self, to: &str) -> String {
        let to: SocketAddr = to.parse().unwrap();
        self.inside(|| {
            let mut stream = TcpStream::connect_timeout(&to, COMES).unwrap();
            stream.set_read_timeout(Some(COMES)).unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        })
    }

    /// The same by datagram.
    pub(crate) fn seen_by_datagram_as(&self, to: &str) -> String {
        let to: SocketAddr = to.parse().unwrap();
        self.inside(|| {
            let own = match to.ip() {
                IpAddr::V4(_) => "0.0.0.0:0",
                IpAddr::V6(_) => "[::]:0",
            };
            let socket = UdpSocket::bind(own).unwrap();
            socket.connect(to).unwrap();
            socket.set_read_timeout(Some(COMES)).unwrap();
            socket.send(b"who am I?").unwrap();
            let mut bytes = [0; 64];
            let n = socket.recv(&mut bytes).unwrap();
            String::from_utf8(bytes.get(..n).unwrap().to_vec()).unwrap()
        })
    }

    /// Says whether nobody answers there.
    pub(crate) fn gets_nowhere(&self, to: &str) -> bool {
        let to: SocketAddr = to.parse().unwrap();
        self.inside(|| TcpStream::connect_timeout(&to, STAYS_AWAY).is_err())
    }
}

/// A host with a neighbour outside: 10.200.0.1 and 10.200.0.2, fd00:200::1 and fd00:200::2.
pub(crate) struct World {
    pub(crate) host: Place,
    pub(crate) outside: Place,
    pub(crate) firewall: Firewall,
    pub(crate) rules: Rules,
}

pub(crate) const MARK: &str = "gt0";

impl World {
    pub(crate) fn new() -> Self {
        Self::with_bridged_frames_filtered(false)
    }

    /// One where frames that only cross a bridge pass the firewall too, or not.
    pub(crate) fn with_bridged_frames_filtered(is_so: bool) -> Self {
        let (host, outside) = (Place::new(), Place::new());
        let value = u8::from(is_so);
        host.run(&format!(
            "for f in ip ip6; do \
             [ ! -d /proc/sys/net/bridge ] || sysctl -qw net.bridge.bridge-nf-call-${{f}}tables={value}; \
             done"
        ));
        // The neighbour is another engine's work: two bridges of one end each would hide mistakes.
        let uplink = Bridge {
            name: "uplink".to_owned(),
            mark: "somebody else".to_owned(),
            addresses: nets(&["10.200.0.1/24", "fd00:200::1/64"]),
            mtu: None,
        };
        host.inside(|| bridge::make(&uplink)).unwrap();
        let end = Endpoint {
            mark: "somebody else".to_owned(),
            ..endpoint("uplink", "up0", &["10.200.0.2/24", "fd00:200::2/64"])
        };
        host.inside(|| endpoint::attach(outside.file(), &end))
            .unwrap();
        let gateways = [
            "10.200.0.1".parse().unwrap(),
            "fd00:200::1".parse().unwrap(),
        ];
        endpoint::lead_out(outside.file(), &gateways).unwrap();
        for is_v6 in [false, true] {
            host.inside(|| engine_network::forward(is_v6, true))
                .unwrap();
        }
        let world = Self {
            host,
            outside,
            firewall: Firewall::of(MARK),
            rules: Rules::default(),
        };
        world.apply();
        world
    }

    pub(crate) fn apply(&self) {
        self.host
            .inside(|| self.firewall.replace(&self.rules))
            .unwrap();
    }

    /// Makes a network and returns its bridge's name; the host has the first address.
    pub(crate) fn network(&mut self, name: &str, addresses: &[&str], how: &Network) {
        let bridge = Bridge {
            name: name.to_owned(),
            mark: MARK.to_owned(),
            addresses: nets(addresses),
            mtu: None,
        };
        self.host.inside(|| bridge::make(&bridge)).unwrap();
        self.rules.networks.push(Network {
            bridge: name.to_owned(),
            ..how.clone()
        });
        self.apply();
    }

    /// Makes a container in a network that answers at port 80.
    pub(crate) fn container(&self, bridge: &str, addresses: &[&str], out: &[&str]) -> Place {
        let place = Place::new();
        let number = addresses.first().unwrap().replace(['.', '/', ':'], "");
        let outside = format!("v{}", number.get(..10.min(number.len())).unwrap());
        let talks = self
            .rules
            .networks
            .iter()
            .any(|one| one.bridge == bridge && one.talks);
        let end = Endpoint {
            is_isolated: !talks,
            ..endpoint(bridge, &outside, addresses)
        };
        self.host
            .inside(|| endpoint::attach(place.file(), &end))
            .unwrap();
        let out: Vec<IpAddr> = out.iter().map(|one| one.parse().unwrap()).collect();
        endpoint::lead_out(place.file(), &out).unwrap();
        place.answer("[::]:80");
        place
    }

    pub(crate) fn publish(&mut self, port: Port) {
        self.host
            .inside(|| self.firewall.add(&[], &[port]))
            .unwrap();
        self.rules.ports.push(port);
    }
}

/// The usual network.
pub(crate) fn usual() -> Network {
    Network {
        bridge: String::new(),
        is_internal: false,
        masks: true,
        talks: true,
    }
}

fn endpoint(bridge: &str, outside: &str, addresses: &[&str]) -> Endpoint {
    let addresses = nets(addresses);
    let last = match addresses.first().unwrap().addr() {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(_) => [1, 2, 3, 4],
    };
    Endpoint {
        bridge: bridge.to_owned(),
        mark: MARK.to_owned(),
        outside: outside.to_owned(),
        inside: "eth0".to_owned(),
        mac: [2, 66, last[0], last[1], last[2], last[3]],
        addresses,
        mtu: None,
        is_isolated: false,
    }
}

pub(crate) fn nets(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub(crate) fn port(host: &str, number: u16, to: &str) -> Port {
    Port {
        host: host.parse().unwrap(),
        protocol: engine_network::firewall::Protocol::Tcp,
        number,
        to: to.parse().unwrap(),
    }
}
