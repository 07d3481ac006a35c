//! The loops over a container's two sockets.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::forward::{Forwarder, Share};
use super::message::{self, Arrival, Code, DATAGRAM_BYTES_MAX, Question, Transport};
use super::view::{Upstream, Verdict, View};

/// Streams that a container may have open; a further one is closed at once.
const N_STREAMS_MAX: usize = 32;
/// How long a stream may be open without a whole question, or without taking its answer.
const STREAM_IDLE: Duration = Duration::from_secs(10);
/// After an error of a socket: so that one that stays does not take a processor for itself.
const AFTER_ERROR: Duration = Duration::from_millis(50);

/// The two sockets at 127.0.0.11 in a container's network namespace. Both must be non-blocking.
#[derive(Debug)]
pub struct Sockets {
    /// Hears datagrams.
    pub udp: std::net::UdpSocket,
    /// Hears streams.
    pub tcp: std::net::TcpListener,
}

/// Answers what arrives at `sockets` with what `views` shows at that moment, until whoever sends views
/// is gone. Dropping the future ends everything that it began.
///
/// # Errors
///
/// If the sockets cannot be used at all. What goes wrong with one question ends only that one.
pub async fn serve(
    sockets: Sockets,
    mut views: watch::Receiver<Arc<View>>,
    forwarder: Arc<Forwarder>,
) -> io::Result<()> {
    let streams = TcpListener::from_std(sockets.tcp)?;
    let server = Arc::new(Server {
        datagrams: UdpSocket::from_std(sockets.udp)?,
        views: views.clone(),
        share: forwarder.share(),
        forwarder,
    });
    let until_gone = async { while views.changed().await.is_ok() {} };
    tokio::select! {
        () = until_gone => {}
        () = answer_datagrams(&server) => {}
        () = answer_streams(&server, &streams) => {}
    }
    Ok(())
}

/// What all questions of one container share.
struct Server {
    datagrams: UdpSocket,
    views: watch::Receiver<Arc<View>>,
    share: Share,
    forwarder: Arc<Forwarder>,
}

/// What is to be done after a look at a message.
enum Next {
    /// The answer is written.
    Send,
    /// There is nothing to say.
    Nothing,
    /// These are to be asked.
    Ask(Question, Vec<SocketAddr>),
}

impl Server {
    /// Looks at `query` and writes what is known here into `answer`.
    fn look(&self, query: &[u8], transport: Transport, answer: &mut Vec<u8>) -> Next {
        let question = match message::read(query) {
            Arrival::Question(question) => question,
            Arrival::Noise => return Next::Nothing,
            Arrival::Bad(code) => {
                message::write_bad(query, code, answer);
                return Next::Send;
            }
        };
        let view = Arc::clone(&self.views.borrow());
        match view.judge(&question) {
            Verdict::Addresses(addresses) => {
                message::write_addresses(query, &question, transport, &addresses, answer);
            }
            Verdict::Name(name) => message::write_name(query, &question, &name, answer),
            Verdict::NoSuchName => {
                message::write_code(query, &question, Code::NoSuchName, answer);
            }
            Verdict::Refused => message::write_code(query, &question, Code::Refused, answer),
            Verdict::Outside => match &view.upstream {
                Upstream::Servers(servers) => return Next::Ask(question, servers.clone()),
                // As Docker says it: the name may exist, only nobody can be asked.
                Upstream::None => {
                    message::write_code(query, &question, Code::ServerFailed, answer);
                }
            },
        }
        Next::Send
    }

    /// Asks `servers`; the answer, or that there is none.
    async fn ask(
        &self,
        query: &[u8],
        question: &Question,
        transport: Transport,
        servers: &[SocketAddr],
    ) -> Vec<u8> {
        let asked = self
            .forwarder
            .ask(&self.share, query, question, transport, servers);
        match asked.await {
            Some(answer) => answer,
            None => {
                let mut answer = Vec::new();
                message::write_code(query, question, Code::ServerFailed, &mut answer);
                answer
            }
        }
    }
}

async fn answer_datagrams(server: &Arc<Server>) {
    // One more than is taken: a longer query is cut off there, and then malformed.
    let mut query = vec![0; DATAGRAM_BYTES_MAX + 1];
    let mut answer = Vec::with_capacity(DATAGRAM_BYTES_MAX);
    let mut asking = JoinSet::new();
    loop {
        let received = tokio::select! {
            received = server.datagrams.recv_from(&mut query) => received,
            Some(_) = asking.join_next() => continue,
        };
        let Ok((n_bytes, from)) = received else {
            sleep(AFTER_ERROR).await;
            continue;
        };
        let query = &query[..n_bytes];
        match server.look(query, Transport::Datagram, &mut answer) {
            Next::Nothing => {}
            Next::Send => send(server, &answer, from).await,
            Next::Ask(question, servers) => {
                let (server, query) = (Arc::clone(server), query.to_vec());
                asking.spawn(async move {
                    let transport = Transport::Datagram;
                    let answer = server.ask(&query, &question, transport, &servers).await;
                    send(&server, &answer, from).await;
                });
            }
        }
    }
}

/// Sends `answer`. That it may not arrive is what datagrams are like; who asked asks again.
async fn send(server: &Server, answer: &[u8], to: SocketAddr) {
    let _ = timeout(STREAM_IDLE, server.datagrams.send_to(answer, to)).await;
}

async fn answer_streams(server: &Arc<Server>, streams: &TcpListener) {
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = streams.accept() => accepted,
            Some(_) = open.join_next() => continue,
        };
        match accepted {
            Err(_) => sleep(AFTER_ERROR).await,
            Ok(_) if open.len() >= N_STREAMS_MAX => {}
            Ok((stream, _)) => {
                let server = Arc::clone(server);
                // It ends by its own mistakes, or when the other side is tired of it.
                open.spawn(async move {
                    let _ = answer_stream(&server, stream).await;
                });
            }
        }
    }
}

/// Answers the questions of one stream, one after the other.
async fn answer_stream(server: &Server, mut stream: TcpStream) -> io::Result<()> {
    let mut query = Vec::new();
    let mut answer = Vec::new();
    loop {
        timeout(STREAM_IDLE, read_query(&mut stream, &mut query)).await??;
        match server.look(&query, Transport::Stream, &mut answer) {
            Next::Nothing => return Ok(()),
            Next::Send => {}
            Next::Ask(question, servers) => {
                answer = server
                    .ask(&query, &question, Transport::Stream, &servers)
                    .await;
            }
        }
        let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
        answer.splice(..0, length.to_be_bytes());
        timeout(STREAM_IDLE, stream.write_all(&answer)).await??;
    }
}

async fn read_query(stream: &mut TcpStream, query: &mut Vec<u8>) -> io::Result<()> {
    let n_bytes = usize::from(stream.read_u16().await?);
    if n_bytes > DATAGRAM_BYTES_MAX {
        return Err(io::Error::other("longer than any question"));
    }
    query.resize(n_bytes, 0);
    stream.read_exact(query).await.map(drop)
}
