//! Asking a server outside, with bounds on everything.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::message::{self, Code, DATAGRAM_BYTES_MAX, Question, Transport};

/// Servers that are asked for one question; Docker takes as many.
const N_SERVERS_MAX: usize = 3;
/// Times that a question is sent, where there are fewer servers.
const N_TRIES_MIN: usize = 2;

/// What asking outside may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Questions of all containers that wait for an answer.
    pub n_waiting: usize,
    /// Questions of one container that wait for an answer.
    pub n_waiting_each: usize,
    /// Questions that a container may always have waiting: when half of all places are taken, those
    /// who have more than this get no further one, so that a few cannot silence the others.
    pub n_waiting_fair: usize,
    /// How long one server has for one answer.
    pub patience: Duration,
}

/// Asks servers outside for all containers of an engine.
#[derive(Debug)]
pub struct Forwarder {
    limits: Limits,
    places: Semaphore,
}

/// The places of one container.
#[derive(Debug)]
pub(super) struct Share {
    places: Semaphore,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            n_waiting: 4096,
            n_waiting_each: 256,
            n_waiting_fair: 32,
            patience: Duration::from_secs(2),
        }
    }
}

impl Forwarder {
    /// Makes the one of an engine.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            places: Semaphore::new(limits.n_waiting),
        }
    }

    /// The share of one container.
    pub(super) fn share(&self) -> Share {
        Share {
            places: Semaphore::new(self.limits.n_waiting_each),
        }
    }

    /// Asks `servers` what `query` asks, in order, until one answers; the answer is as it goes to who
    /// asked. `None` if there is no place to wait in, or nobody answered.
    pub(super) async fn ask(
        &self,
        share: &Share,
        query: &[u8],
        question: &Question,
        transport: Transport,
        servers: &[SocketAddr],
    ) -> Option<Vec<u8>> {
        let _places = self.place(share)?;
        let servers = &servers[..servers.len().min(N_SERVERS_MAX)];
        let n_tries = servers.len().max(N_TRIES_MIN);
        for server in servers.iter().cycle().take(n_tries) {
            let exchange = exchange(query, question, transport, *server);
            // A server that is silent, unreachable or unwilling is the next one's turn; it is no
            // fault of ours, and a container could fill the log with it.
            if let Ok(Ok(Some(mut answer))) = timeout(self.limits.patience, exchange).await {
                message::fit(query, question, transport, &mut answer);
                return Some(answer);
            }
        }
        None
    }

    fn place<'a>(&'a self, share: &'a Share) -> Option<(SemaphorePermit<'a>, SemaphorePermit<'a>)> {
        let n_mine = self.limits.n_waiting_each - share.places.available_permits();
        let is_busy = self.places.available_permits() < self.limits.n_waiting / 2;
        if is_busy && n_mine >= self.limits.n_waiting_fair {
            return None;
        }
        Some((
            share.places.try_acquire().ok()?,
            self.places.try_acquire().ok()?,
        ))
    }
}

/// One question to one server. `None` if it does not want to answer.
async fn exchange(
    query: &[u8],
    question: &Question,
    transport: Transport,
    server: SocketAddr,
) -> io::Result<Option<Vec<u8>>> {
    let mut sent = query.to_vec();
    // The id is all that a guesser has to guess beside the port, so nobody may know it before.
    getrandom::fill(&mut sent[..2])?;
    let id = u16::from_be_bytes([sent[0], sent[1]]);
    let judge = |answer: &[u8]| message::read_answer(query, question, id, answer);
    let (answer, code) = match transport {
        Transport::Datagram => by_datagram(&sent, server, judge).await?,
        Transport::Stream => by_stream(&sent, server, judge).await?,
    };
    let is_unwilling = code == Code::ServerFailed as u16 || code == Code::Refused as u16;
    Ok((!is_unwilling && answer.len() >= question.n_bytes()).then_some(answer))
}

/// Asks from a port of its own, which the kernel picks, and hears nobody but `server`. What does not
/// pass `judge` was somebody else's answer or a guess: the right one may still come.
async fn by_datagram(
    query: &[u8],
    server: SocketAddr,
    judge: impl Fn(&[u8]) -> Option<u16>,
) -> io::Result<(Vec<u8>, u16)> {
    let here: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((here, 0)).await?;
    socket.connect(server).await?;
    socket.send(query).await?;
    // One byte more than is passed on: so an answer that was cut off here is seen to be too long.
    let mut answer = vec![0; DATAGRAM_BYTES_MAX + 1];
    loop {
        let n_bytes = socket.recv(&mut answer).await?;
        if let Some(code) = judge(&answer[..n_bytes]) {
            answer.truncate(n_bytes);
            return Ok((answer, code));
        }
    }
}

async fn by_stream(
    query: &[u8],
    server: SocketAddr,
    judge: impl Fn(&[u8]) -> Option<u16>,
) -> io::Result<(Vec<u8>, u16)> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(query.len()).map_err(io::Error::other)?;
    stream
        .write_all(&[&length.to_be_bytes()[..], query].concat())
        .await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    let code = judge(&answer).ok_or_else(|| io::Error::other("another question's answer"))?;
    Ok((answer, code))
}
