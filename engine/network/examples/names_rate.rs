//! How many questions a second one container's name server answers, how long the slowest in a hundred
//! takes, and what a thousand who join one after another cost. Run it with `--release`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "it prints figures, and has nobody to tell what went wrong"
)]

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use engine_network::dns::{Forwarder, Limits, Member, Sockets, View, Zone, serve};
use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};
use tokio::sync::watch;

const N_ASKING: usize = 8;
const N_QUESTIONS_EACH: usize = 20_000;

fn main() {
    let zone = Arc::new(Zone::new("shop", vec!["10.0.0.0/8".parse().unwrap()]));
    let begun = Instant::now();
    for n in 0..1000_u32 {
        let aliases = vec![format!("{n:012x}"), "app".to_owned()];
        let addresses = vec![(0x0a00_0002 + n).to_be_bytes().into()];
        let name = format!("c{n}");
        zone.join(
            &name.clone(),
            Member {
                name,
                aliases,
                addresses,
            },
        );
    }
    println!("1000 joined in {:?}", begun.elapsed());

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let sockets = Sockets {
        udp: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(),
        tcp: std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(),
    };
    sockets.udp.set_nonblocking(true).unwrap();
    sockets.tcp.set_nonblocking(true).unwrap();
    let address = sockets.udp.local_addr().unwrap();
    let view = View {
        zones: vec![zone],
        ..View::default()
    };
    let (_views, shown) = watch::channel(Arc::new(view));
    // The runtime is this program's own, so its tasks end with it.
    let server = serve(sockets, shown, Arc::new(Forwarder::new(Limits::default())));
    let _server = runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(server);
        tasks
    });

    let begun = Instant::now();
    let asking: Vec<_> = (0..N_ASKING)
        .map(|n| thread::spawn(move || ask(address, n)))
        .collect();
    let mut times: Vec<Duration> = asking
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect();
    let seconds = begun.elapsed().as_secs_f64();
    times.sort();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    println!(
        "{:.0} answers a second; median {:?}, p99 {:?}",
        times.len() as f64 / seconds,
        at(0.5),
        at(0.99)
    );
}

/// Asks one question after another, and times each.
fn ask(server: std::net::SocketAddr, who: usize) -> Vec<Duration> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.connect(server).unwrap();
    let mut query = Message::query();
    query.add_query(Query::query(
        Name::from_ascii(format!("c{who}.shop.")).unwrap(),
        RecordType::A,
    ));
    let query = query.to_vec().unwrap();
    let mut answer = [0; 512];
    (0..N_QUESTIONS_EACH)
        .map(|_| {
            let begun = Instant::now();
            socket.send(&query).unwrap();
            socket.recv(&mut answer).unwrap();
            begun.elapsed()
        })
        .collect()
}
