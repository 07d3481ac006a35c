//! A container's name server on two sockets of loopback, and servers outside that do what a test says.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use engine_network::dns::{Forwarder, Limits, Member, Sockets, Upstream, View, Zone, serve};
use hickory_proto::op::{Message, Query};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);
const HERE: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// A name server, while this lives.
pub(crate) struct Server {
    pub(crate) udp: SocketAddr,
    pub(crate) tcp: SocketAddr,
    pub(crate) views: watch::Sender<Arc<View>>,
    pub(crate) tasks: JoinSet<std::io::Result<()>>,
}

impl Server {
    /// Starts one that shows `view`, and asks outside with patience for 300 ms.
    pub(crate) fn start(view: View) -> Self {
        let patience = Duration::from_millis(300);
        Self::within(
            view,
            Limits {
                patience,
                ..Limits::default()
            },
        )
    }

    pub(crate) fn within(view: View, limits: Limits) -> Self {
        let sockets = Sockets {
            udp: std::net::UdpSocket::bind(HERE).unwrap(),
            tcp: std::net::TcpListener::bind(HERE).unwrap(),
        };
        sockets.udp.set_nonblocking(true).unwrap();
        sockets.tcp.set_nonblocking(true).unwrap();
        let (udp, tcp) = (
            sockets.udp.local_addr().unwrap(),
            sockets.tcp.local_addr().unwrap(),
        );
        let (views, shown) = watch::channel(Arc::new(view));
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(sockets, shown, Arc::new(Forwarder::new(limits))));
        Self {
            udp,
            tcp,
            views,
            tasks,
        }
    }

    /// Asks by datagram, and waits for the answer.
    pub(crate) async fn ask(&self, name: &str, kind: RecordType) -> Message {
        self.send(&question(name, kind)).await
    }

    pub(crate) async fn send(&self, query: &Message) -> Message {
        let bytes = self.send_bytes(&query.to_vec().unwrap()).await;
        let answer = Message::from_vec(&bytes).unwrap();
        assert_eq!(answer.id, query.id);
        answer
    }

    pub(crate) async fn send_bytes(&self, query: &[u8]) -> Vec<u8> {
        let socket = UdpSocket::bind(HERE).await.unwrap();
        socket.send_to(query, self.udp).await.unwrap();
        let mut answer = vec![0; 65536];
        let received = timeout(SOON, socket.recv(&mut answer)).await;
        answer.truncate(received.expect("an answer").unwrap());
        answer
    }

    /// Asks by stream, all of `queries` at once, and waits for as many answers.
    pub(crate) async fn ask_by_stream(&self, queries: &[Message]) -> Vec<Message> {
        let mut stream = TcpStream::connect(self.tcp).await.unwrap();
        for query in queries {
            stream
                .write_all(&framed(&query.to_vec().unwrap()))
                .await
                .unwrap();
        }
        let mut answers = Vec::new();
        for _ in queries {
            let answer = timeout(SOON, read_framed(&mut stream))
                .await
                .expect("an answer");
            answers.push(Message::from_vec(&answer.unwrap()).unwrap());
        }
        answers
    }
}

/// What one who answers outside does with a query; nothing is sent for `None`.
pub(crate) type Manner = fn(&Message, usize) -> Vec<Vec<u8>>;

/// A server outside, while this lives.
pub(crate) struct Outside {
    pub(crate) address: SocketAddr,
    /// Queries that came.
    n_asked: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Outside {
    /// Starts one that sends what `manner` makes of a query and how many came before it, by datagram
    /// and by stream, on the same port.
    pub(crate) async fn start(manner: Manner) -> Self {
        let (udp, tcp) = loop {
            let tcp = TcpListener::bind(HERE).await.unwrap();
            // The same number may be taken for datagrams; then with another.
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let address = tcp.local_addr().unwrap();
        let n_asked = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        let n = Arc::clone(&n_asked);
        tasks.spawn(async move {
            let mut query = [0; 65536];
            loop {
                let (n_bytes, from) = udp.recv_from(&mut query).await.unwrap();
                let query = Message::from_vec(&query[..n_bytes]).unwrap();
                for answer in manner(&query, n.fetch_add(1, Ordering::SeqCst)) {
                    udp.send_to(&answer, from).await.unwrap();
                }
            }
        });
        let n = Arc::clone(&n_asked);
        tasks.spawn(async move {
            loop {
                let (mut stream, _) = tcp.accept().await.unwrap();
                let query = read_framed(&mut stream).await.unwrap();
                let query = Message::from_vec(&query).unwrap();
                for answer in manner(&query, n.fetch_add(1, Ordering::SeqCst)) {
                    stream.write_all(&framed(&answer)).await.unwrap();
                }
            }
        });
        Self {
            address,
            n_asked,
            _tasks: tasks,
        }
    }

    pub(crate) fn n_asked(&self) -> usize {
        self.n_asked.load(Ordering::SeqCst)
    }
}

/// A view with nothing but `servers` outside.
pub(crate) fn asks_outside(servers: &[&Outside]) -> View {
    let servers = servers.iter().map(|server| server.address).collect();
    View {
        upstream: Upstream::Servers(servers),
        ..View::default()
    }
}

/// The zone of a network `shop`, with one container `web` in it.
pub(crate) fn shop() -> Arc<Zone> {
    let zone = Zone::new("shop", vec!["10.1.0.0/24".parse().unwrap()]);
    zone.join("web", member("web", &["10.1.0.2"]));
    Arc::new(zone)
}

pub(crate) fn member(name: &str, addresses: &[&str]) -> Member {
    Member {
        name: name.to_owned(),
        aliases: vec!["app".to_owned()],
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
    }
}

pub(crate) fn question(name: &str, kind: RecordType) -> Message {
    let mut query = Message::query();
    query.metadata.recursion_desired = true;
    query.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    query
}

/// The honest answer to `query`: that the name has `address`.
pub(crate) fn answer(query: &Message, address: [u8; 4]) -> Message {
    let mut answer = query.clone().into_response();
    let name = query.queries[0].name().clone();
    answer.add_answer(Record::from_rdata(name, 60, RData::A(A(address.into()))));
    answer
}

/// The addresses that `message` tells, as text.
pub(crate) fn told(message: &Message) -> Vec<String> {
    message
        .answers
        .iter()
        .map(|record| record.data.to_string())
        .collect()
}

pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [
        &u16::try_from(message.len()).unwrap().to_be_bytes()[..],
        message,
    ]
    .concat()
}

pub(crate) async fn read_framed(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut message = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut message).await?;
    Ok(message)
}
