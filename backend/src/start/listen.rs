//! The accept loop: every connection has a place, and caps on how long it may take.
//!
//! axum's own server has no limit on the time of a request's head (hyper's default is inert without
//! a timer), so the loop is ours. A TLS handshake never holds up the next connection. When the
//! server ends, nobody new is accepted, requests under way are finished, and what is left after the
//! deadline is cut.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{self, Shared};
use super::crowd::Crowd;
use super::error::StartError;
use super::seated::Seated;
use crate::domain::Front;
use crate::tasks::Tasks;

/// Pause after a failed accept: without descriptors the loop must not spin (moby #35961).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Descriptors for the database, the log, and the engine's events.
const RESERVED_DESCRIPTORS: u64 = 128;
/// A connection, and the connection to the engine that it may need.
const DESCRIPTORS_PER_CONNECTION: u64 = 2;

/// How many clients a server takes on, and how long it waits for each.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; more wait in the kernel's queue.
    pub most_connections: usize,
    /// Time for a request's head, also between two requests of one connection.
    pub head_time: Duration,
    /// Time for a TLS handshake, and for the answer to a ping.
    pub handshake_time: Duration,
    /// How long an HTTP/2 connection may be quiet.
    pub idle_time: Duration,
    /// Time for what is under way when the server ends.
    pub farewell_time: Duration,
}

impl Limits {
    /// Returns the limits of a server that may have so many descriptors: each place must be one
    /// that can be filled, or `accept` fails for everybody, the engine's and the database's too.
    pub fn of(n_descriptors: u64) -> Self {
        let n = n_descriptors.saturating_sub(RESERVED_DESCRIPTORS) / DESCRIPTORS_PER_CONNECTION;
        let most_connections = usize::try_from(n).unwrap_or(usize::MAX).clamp(16, 2_048);
        Self {
            most_connections,
            head_time: Duration::from_secs(30),
            handshake_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(120),
            farewell_time: Duration::from_secs(8),
        }
    }
}

/// Takes the port; still to be done as root where the port is below 1024.
///
/// # Errors
/// When somebody else has it, or the address is not of this machine.
pub fn take_port(address: SocketAddr) -> Result<StdListener, StartError> {
    let failed = |source| StartError::Port {
        address: address.to_string(),
        source,
    };
    let listener = StdListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// Takes all descriptors that this process may have, and returns how many that is. The usual limit
/// of 1,024 is there for programs that still call `select`.
///
/// # Errors
/// When the kernel says neither how many it gives nor takes a number.
pub fn take_descriptors() -> Result<u64, StartError> {
    let failed =
        |error| StartError::Other(format!("failed to raise the limit of open files: {error}"));
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).map_err(failed)?;
    Ok(most)
}

/// Serves until the tasks are told to end; returns when the last connection is gone or cut.
///
/// # Errors
/// When the listener cannot be used at all.
pub async fn serve(
    listener: StdListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    tasks: &Tasks,
    front: &Front,
    limits: Limits,
) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let open = TaskTracker::new();
    let cut = CancellationToken::new();
    let shared = Arc::new(Shared {
        tls,
        router,
        limits,
        last: tasks.shutdown(),
    });
    tasks
        .shutdown()
        .run_until_cancelled(async {
            let crowd = Crowd::default();
            let places = Arc::new(Semaphore::new(limits.most_connections));
            loop {
                let Some((stream, peer)) = next(&listener, &places, &crowd, front).await else {
                    continue;
                };
                let served = connection::serve(stream, peer, Arc::clone(&shared));
                let served = cut.clone().run_until_cancelled_owned(served);
                tasks.finish("connection", open.track_future(served));
            }
        })
        .await;
    drop(listener);
    open.close();
    let _finished = timeout(limits.farewell_time, open.wait()).await;
    cut.cancel();
    Ok(())
}

/// Accepts a connection when there is a place; `None` when it failed or its network has enough. May be
/// cancelled at any point.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    crowd: &Crowd,
    front: &Front,
) -> Option<(Seated, SocketAddr)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    let (stream, peer) = match listener.accept().await {
        Ok(accepted) => accepted,
        Err(error) => {
            tracing::warn!(%error, "failed to accept a connection");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            return None;
        }
    };
    // A listed proxy and this machine itself stand for many.
    let is_one = !peer.ip().is_loopback() && !front.trusts(peer.ip());
    let seat = is_one.then(|| crowd.enter(peer.ip()));
    if let Some(None) = seat {
        tracing::debug!(%peer, "too many connections of one network");
        return None;
    }
    let _best_effort = stream.set_nodelay(true);
    Some((Seated::new(stream, place, seat.flatten()), peer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_can_be_filled() {
        for (n_descriptors, most) in [(0, 16), (1_024, 448), (4_096, 1_984), (u64::MAX, 2_048)] {
            assert_eq!(Limits::of(n_descriptors).most_connections, most);
        }
    }

    #[test]
    fn the_server_takes_all_descriptors_it_may_have() {
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, 256.min(most), most).unwrap();

        assert_eq!(take_descriptors().unwrap(), most);

        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap(), (most, most));
    }
}
