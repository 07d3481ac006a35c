//! A connection that becomes a byte stream in both directions, joined to a socket whose far end a
//! monitor holds.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use engine_api::frame;
use futures_util::stream;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;

use super::detach::{DetachKeys, Matched};
use super::error::{ApiError, Result};
use super::hangup::Hangup;
use super::stream::flushed;
use crate::services::containers::LogChunks;
use crate::services::error::chain;

/// How long what a client sent may still be taken when it is gone.
const LAST_INPUT: Duration = Duration::from_secs(5);

/// Bytes moved at once.
const CHUNK_BYTES: usize = 32 << 10;

/// What is joined to a client.
pub(super) struct Joined {
    /// Nothing when there is no stream behind the prelude.
    pub(super) socket: Option<UnixStream>,
    /// Whether what the client sends goes anywhere.
    pub(super) stdin: bool,
    /// The keys that let go; only of a terminal.
    pub(super) detach: Option<DetachKeys>,
    /// What the client is sent first.
    pub(super) prelude: Prelude,
}

/// What a client is sent before the stream.
pub(super) enum Prelude {
    Nothing,
    Words(Bytes),
    /// What was said before, a piece at a time.
    Log(Box<LogChunks>),
}

impl Prelude {
    pub(super) fn log(chunks: LogChunks) -> Self {
        Self::Log(Box::new(chunks))
    }

    /// Returns the next piece; `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        match std::mem::replace(self, Self::Nothing) {
            Self::Nothing => None,
            Self::Words(words) => Some(words),
            Self::Log(mut chunks) => match chunks.next().await? {
                Ok(piece) => {
                    *self = Self::Log(chunks);
                    Some(piece.into())
                }
                Err(error) => {
                    tracing::warn!(reason = chain(&error), "a replay of a log ends early");
                    None
                }
            },
        }
    }
}

/// How a joined stream came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The container has nothing more to say.
    Over,
    /// The client typed the keys that let go.
    Detached,
    /// The client is gone.
    Gone,
}

/// The way to the client's connection, taken before the request's body is read.
pub(super) struct Upgrade {
    client: Option<hyper::upgrade::OnUpgrade>,
    hangup: Option<Hangup>,
}

impl Upgrade {
    /// Takes the connection if the client offers to give it up.
    pub(super) fn take(request: &mut Request) -> Self {
        let offers = request.headers().contains_key(header::UPGRADE);
        Self {
            hangup: request.extensions().get().cloned(),
            client: offers.then(|| hyper::upgrade::on(request)),
        }
    }

    /// Answers with 101 and moves bytes in a task of its own; `after` runs at the end, before the
    /// client's side is closed. A client that offers no upgrade gets the output as a plain body.
    ///
    /// `opening` is what gives the stream, and begins only when the client has read the answer:
    /// clients that read the answer through a buffer and the stream past it (docker-py does) would
    /// lose what comes right behind the answer.
    pub(super) async fn join<O, F, A>(
        self,
        opening: O,
        content_type: &'static str,
        tasks: &crate::tasks::Tasks,
        after: F,
    ) -> Response
    where
        O: Future<Output = Joined> + Send + 'static,
        F: FnOnce(End) -> A + Send + 'static,
        A: Future<Output = ()> + Send,
    {
        let Some(upgrade) = self.client else {
            return plain(opening.await, content_type, after);
        };
        tasks.spawn("stream", async move {
            let Ok(client) = upgrade.await else { return };
            let mut client = TokioIo::new(client);
            if let Some(hangup) = &self.hangup {
                hangup.until_read().await;
            }
            let joined = opening.await;
            let end = bridge(&mut client, joined, self.hangup).await;
            after(end).await;
            // The client may be gone; then there is nothing to close.
            let _ = client.shutdown().await;
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("tcp"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        response
    }

    /// Refuses what a plain answer cannot do.
    ///
    /// # Errors
    /// When input is wanted and the client offers no upgrade.
    pub(super) fn check(&self, stdin: bool) -> Result<()> {
        if self.client.is_none() && stdin {
            return Err(ApiError::bad_request(
                "standard input needs a connection upgrade: send `Connection: Upgrade` and \
                 `Upgrade: tcp`",
            ));
        }
        Ok(())
    }
}

/// Puts a message of the engine's own into a stream.
pub(super) fn message(text: &str, tty: bool) -> Bytes {
    let text = format!("{text}\r\n");
    let mut bytes = BytesMut::new();
    if !tty {
        let n_bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&frame::header(frame::Stream::Stderr, n_bytes));
    }
    bytes.extend_from_slice(text.as_bytes());
    bytes.freeze()
}

fn plain<F, A>(joined: Joined, content_type: &'static str, after: F) -> Response
where
    F: FnOnce(End) -> A + Send + 'static,
    A: Future<Output = ()> + Send,
{
    let Joined {
        socket, prelude, ..
    } = joined;
    let begin = (socket, prelude, Some(after));
    let pieces = stream::unfold(begin, |(mut socket, mut prelude, mut after)| async move {
        if let Some(piece) = prelude.next().await {
            return Some((Ok(piece), (socket, prelude, after)));
        }
        let mut buffer = BytesMut::with_capacity(CHUNK_BYTES);
        let read = match &mut socket {
            Some(socket) => socket.read_buf(&mut buffer).await,
            None => Ok(0),
        };
        match read {
            Ok(0) => {
                if let Some(after) = after.take() {
                    after(End::Over).await;
                }
                None
            }
            Ok(_) => Some((Ok(buffer.freeze()), (socket, prelude, after))),
            Err(error) => Some((Err(error), (socket, prelude, after))),
        }
    });
    let mut response = Response::new(flushed(pieces));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Moves bytes both ways until the container has nothing more to say or the client lets go.
///
/// The client's half-close is handed on; output goes on after it, until the client is gone.
async fn bridge<C>(client: &mut C, joined: Joined, hangup: Option<Hangup>) -> End
where
    C: AsyncRead + AsyncWrite + Unpin + Send,
{
    let Joined {
        socket,
        stdin,
        detach,
        mut prelude,
    } = joined;
    let (from_client, mut to_client) = tokio::io::split(client);
    while let Some(piece) = prelude.next().await {
        if to_client.write_all(&piece).await.is_err() {
            return End::Gone;
        }
    }
    let Some(socket) = socket else {
        let flushed = to_client.flush().await;
        return flushed.map_or(End::Gone, |()| End::Over);
    };
    let (from_socket, to_socket) = socket.into_split();
    let end = {
        let output = output(from_socket, &mut to_client);
        let input = input(from_client, to_socket, stdin, detach);
        tokio::pin!(output, input);
        let gone = gone(hangup.as_ref());
        tokio::pin!(gone);
        tokio::select! {
            end = &mut output => end,
            matched = &mut input => match matched {
                // No more input; what it says goes on.
                Matched::Nothing => tokio::select! {
                    end = &mut output => end,
                    () = &mut gone => End::Gone,
                },
                Matched::Keys => End::Detached,
            },
            // What it sent before is taken, unless the program does not read.
            () = &mut gone => tokio::select! {
                end = &mut output => end,
                _ = tokio::time::timeout(LAST_INPUT, &mut input) => End::Gone,
            },
        }
    };
    if end == End::Detached {
        let _ = to_client.write_all(b"read escape sequence\r\n").await;
    }
    end
}

async fn gone(hangup: Option<&Hangup>) {
    match hangup {
        Some(hangup) => hangup.wait().await,
        None => std::future::pending().await,
    }
}

async fn output<W>(mut from: impl AsyncRead + Unpin, to: &mut W) -> End
where
    W: AsyncWrite + Unpin,
{
    let mut buffer = BytesMut::with_capacity(CHUNK_BYTES);
    loop {
        buffer.clear();
        buffer.reserve(CHUNK_BYTES);
        match from.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return End::Over,
            Ok(_) => {}
        }
        if to.write_all(&buffer).await.is_err() || to.flush().await.is_err() {
            return End::Gone;
        }
    }
}

async fn input(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    stdin: bool,
    mut detach: Option<DetachKeys>,
) -> Matched {
    let mut buffer = BytesMut::with_capacity(4 << 10);
    loop {
        buffer.clear();
        buffer.reserve(4 << 10);
        match from.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let (typed, matched) = match &mut detach {
            Some(keys) => keys.feed(&buffer),
            None => (buffer.to_vec(), Matched::Nothing),
        };
        if stdin && to.write_all(&typed).await.is_err() {
            break;
        }
        if matched == Matched::Keys {
            return Matched::Keys;
        }
    }
    if stdin {
        // The program may have closed its side already.
        let _ = to.shutdown().await;
    }
    Matched::Nothing
}
