//! The accept loop: every connection has caps on what it may send and how long it may take.
//!
//! axum's own server has no limit on the time of a request's head (hyper's default is inert without
//! a timer), so the loop is ours. A TLS handshake never holds up the next connection, one network
//! cannot take all places, and who stops reading is cut off. When the server ends, nobody new is accepted, requests under way are finished, and what is left after the
//! deadline is cut.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::crowd::Crowd;
use super::error::StartError;
use super::paced::Paced;
use crate::app::App;
use crate::tasks::Tasks;

/// Connections at once; more wait in the kernel's queue.
const MOST_CONNECTIONS: usize = 2_048;
/// Time for a request's head, also between two requests of one connection.
const HEAD_TIME: Duration = Duration::from_secs(30);
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// A browser that takes nothing for so long has gone.
const STALL_TIME: Duration = Duration::from_secs(60);
const FAREWELL_TIME: Duration = Duration::from_secs(8);
/// Pause after a failed accept: without descriptors the loop must not spin (moby #35961).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const MOST_HEADERS: usize = 100;
const MOST_HEAD_BYTES: usize = 64 * 1024;
const MOST_STREAMS: u32 = 128;

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

/// Serves until the tasks are told to end; returns when the last connection is gone or cut.
///
/// # Errors
/// When the listener cannot be used at all.
pub async fn serve(
    listener: StdListener,
    tls: Option<TlsAcceptor>,
    app: &App,
    tasks: &Tasks,
) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let (router, crowd) = (app.router(), Crowd::default());
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let shutdown = tasks.shutdown();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            break;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // A listed proxy and this machine itself stand for many.
        let is_one = !peer.ip().is_loopback() && !app.front.trusts(peer.ip());
        let seat = is_one.then(|| crowd.enter(peer.ip()));
        if let Some(None) = seat {
            tracing::debug!(%peer, "too many connections of one network");
            continue;
        }
        let (tls, router, watcher) = (tls.clone(), router.clone(), graceful.watcher());
        tasks.finish("connection", async move {
            connection(stream, peer, tls, router, watcher).await;
            drop((place, seat));
        });
    }
    drop(listener);
    let _cut = timeout(FAREWELL_TIME, graceful.shutdown()).await;
    Ok(())
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    watcher: Watcher,
) {
    let _best_effort = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return http(stream, peer, router, watcher).await;
    };
    match timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
        Ok(Ok(stream)) => http(stream, peer, router, watcher).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "failed a TLS handshake"),
        Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: Router,
    watcher: Watcher,
) {
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(axum::body::Body::new)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(MOST_HEADERS)
        .max_buf_size(MOST_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(64 * 1024)
        .keep_alive_interval(Some(HEAD_TIME))
        .keep_alive_timeout(HANDSHAKE_TIME);
    let stream = Paced::new(stream, STALL_TIME);
    let connection = builder
        .serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}
