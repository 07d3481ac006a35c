//! One connection: its handshake, its version of HTTP, and its end.
//!
//! Every state that a client can hold a connection in has an end: the TLS handshake, the request's
//! head, an answer that is not read, an HTTP/2 connection on which nothing is asked. The version is what TLS agreed on, HTTP/1
//! where there is no TLS: reading it from the first bytes would wait for them without a deadline.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::listen::Limits;
use super::paced::Paced;
use super::seated::Seated;

const MOST_HEADERS: usize = 100;
const MOST_HEAD_BYTES: usize = 64 * 1024;
const MOST_STREAMS: u32 = 128;
/// A browser that takes nothing for so long has gone.
const STALL_TIME: Duration = Duration::from_secs(60);

/// What all connections of one server share.
pub(super) struct Shared {
    /// Turns accepted streams into TLS ones.
    pub(super) tls: Option<TlsAcceptor>,
    /// What is served.
    pub(super) router: Router,
    /// How long a client may take.
    pub(super) limits: Limits,
    /// Cancelled when requests under way are to be the last ones.
    pub(super) last: CancellationToken,
}

/// Serves one connection until it ends.
pub(super) async fn serve(stream: Seated, peer: SocketAddr, shared: Arc<Shared>) {
    let stream = Paced::new(stream, STALL_TIME);
    let Some(tls) = &shared.tls else {
        return http1(stream, peer, &shared).await;
    };
    let shaken = tokio::select! {
        shaken = timeout(shared.limits.handshake_time, tls.accept(stream)) => shaken,
        () = shared.last.cancelled() => return,
    };
    match shaken {
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
            http2(stream, peer, &shared).await;
        }
        Ok(Ok(stream)) => http1(stream, peer, &shared).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "failed a TLS handshake"),
        Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
    }
}

async fn http1<S>(stream: S, peer: SocketAddr, shared: &Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = shared.router.clone();
    let service = service_fn(move |request| answer(router.clone(), peer, request, None));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Also the time between two requests.
        .header_read_timeout(shared.limits.head_time)
        .max_headers(MOST_HEADERS)
        .max_buf_size(MOST_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let done = tokio::select! {
        done = connection.as_mut() => done,
        () = shared.last.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    note(peer, done);
}

async fn http2<S>(stream: S, peer: SocketAddr, shared: &Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = shared.limits;
    let router = shared.router.clone();
    let flights = Flights::default();
    let mut seen = flights.0.subscribe();
    let service =
        service_fn(move |request| answer(router.clone(), peer, request, Some(flights.begin())));
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(64 * 1024)
        .keep_alive_interval(Some(limits.head_time))
        .keep_alive_timeout(limits.handshake_time)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        done = connection.as_mut() => return note(peer, done),
        () = quiet(&mut seen, limits.head_time, limits.idle_time) => {}
        () = shared.last.cancelled() => {}
    }
    // The client is told first, so that it asks what it has to ask on another connection.
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        done = connection => note(peer, done),
        () = quiet(&mut seen, limits.handshake_time, limits.handshake_time) => {}
    }
}

fn note(peer: SocketAddr, done: hyper::Result<()>) {
    if let Err(error) = done {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}

async fn answer(
    router: Router,
    peer: SocketAddr,
    request: hyper::Request<Incoming>,
    flight: Option<Flight>,
) -> Result<hyper::Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = router.oneshot(request).await?;
    Ok(match flight {
        Some(flight) => response.map(|body| {
            Body::new(InFlight {
                body,
                _flight: flight,
            })
        }),
        None => response,
    })
}

/// The requests of one connection that are under way, until the last byte of the answer.
#[derive(Default)]
struct Flights(watch::Sender<usize>);

struct Flight(watch::Sender<usize>);

impl Flights {
    fn begin(&self) -> Flight {
        self.0.send_modify(|n| *n += 1);
        Flight(self.0.clone())
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n -= 1);
    }
}

/// Waits until nothing was under way for so long; at first another time may do.
async fn quiet(seen: &mut watch::Receiver<usize>, first: Duration, then: Duration) {
    let mut patience = first;
    loop {
        let is_quiet = *seen.borrow_and_update() == 0;
        if is_quiet && timeout(patience, seen.changed()).await.is_err() {
            return;
        }
        if !is_quiet && seen.changed().await.is_err() {
            return;
        }
        patience = then;
    }
}

/// An answer's body that counts as under way until it is sent or dropped.
struct InFlight {
    body: Body,
    _flight: Flight,
}

impl HttpBody for InFlight {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
