//! A socket's two ends, with their limits: sizes, deadlines, a pulse.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use tokio::time::{Interval, MissedTickBehavior};

use crate::app::App;

/// A browser that takes nothing for so long has gone.
const SEND_DEADLINE: Duration = Duration::from_secs(60);
/// How often the server asks whether the browser is there.
const PULSE: Duration = Duration::from_secs(25);
/// A browser that says nothing, not even that it is there, has gone.
const SILENCE: Duration = Duration::from_secs(70);
/// Bytes that are gathered before they are sent.
const WRITE_BUFFER_BYTES: usize = 16 << 10;
/// The largest message of ours, and more.
const MOST_WRITE_BYTES: usize = 4 << 20;

/// The browser is not there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone;

/// Why a socket ends before its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// The right to it has gone.
    Revoked,
    /// The server ends.
    Shutdown,
    /// The tab has gone.
    Gone,
}

/// Accepts a socket and serves it. `most_bytes` is the largest message that the page may send.
pub(super) fn accept<F, W>(upgrade: WebSocketUpgrade, most_bytes: usize, serve: F) -> Response
where
    F: FnOnce(Outlet, Inlet) -> W + Send + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    upgrade
        .max_message_size(most_bytes)
        .max_frame_size(most_bytes)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(MOST_WRITE_BYTES)
        .on_upgrade(async move |socket| {
            let (sink, stream) = socket.split();
            let mut pulse = tokio::time::interval(PULSE);
            pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
            pulse.reset();
            serve(Outlet { sink, pulse }, Inlet { stream }).await;
        })
}

/// Waits for whatever ends a socket before its work does.
pub(super) async fn cut(
    app: &App,
    revoked: impl Future<Output = ()>,
    gone: impl Future<Output = ()>,
) -> Cut {
    let shutdown = app.services.tasks().shutdown();
    tokio::select! {
        () = gone => Cut::Gone,
        () = revoked => Cut::Revoked,
        () = shutdown.cancelled() => Cut::Shutdown,
    }
}

/// The way to the browser. It is paced by the browser: nothing is queued here.
pub(super) struct Outlet {
    sink: SplitSink<WebSocket, Message>,
    pulse: Interval,
}

impl Outlet {
    /// Sends a message as JSON.
    pub(super) async fn json(&mut self, message: &impl Serialize) -> Result<(), Gone> {
        let text = serde_json::to_string(message).map_err(|error| {
            tracing::error!(
                error = crate::errors::chain(&error),
                "a message cannot be written"
            );
            Gone
        })?;
        self.send(Message::Text(text.into())).await
    }

    /// Sends bytes.
    pub(super) async fn bytes(&mut self, bytes: Bytes) -> Result<(), Gone> {
        self.send(Message::Binary(bytes)).await
    }

    /// Waits for something, asking the browser now and then whether it is there.
    pub(super) async fn wait<T>(&mut self, fact: impl Future<Output = T>) -> Result<T, Gone> {
        tokio::pin!(fact);
        loop {
            tokio::select! {
                biased;
                found = &mut fact => return Ok(found),
                _ = self.pulse.tick() => {}
            }
            self.send(Message::Ping(Bytes::new())).await?;
        }
    }

    /// Says goodbye, and why.
    pub(super) async fn close(mut self, cut: Option<Cut>) {
        let code = match cut {
            None => close_code::NORMAL,
            Some(Cut::Revoked) => close_code::POLICY,
            Some(Cut::Shutdown) => close_code::RESTART,
            Some(Cut::Gone) => return,
        };
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::from_static(""),
        };
        let goodbye = self.sink.send(Message::Close(Some(frame)));
        // Who does not hear it will see the connection end.
        let _heard = tokio::time::timeout(Duration::from_secs(1), goodbye).await;
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        match tokio::time::timeout(SEND_DEADLINE, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}

/// What the browser sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Bytes(Bytes),
}

/// The way from the browser.
pub(super) struct Inlet {
    stream: SplitStream<WebSocket>,
}

impl Inlet {
    /// Returns the next message; `None` when the browser has gone, or sent what is too large. Safe
    /// to cancel.
    pub(super) async fn next(&mut self) -> Option<Incoming> {
        loop {
            let heard = tokio::time::timeout(SILENCE, self.stream.next())
                .await
                .ok()??;
            match heard.ok()? {
                Message::Text(text) => return Some(Incoming::Text(text)),
                Message::Binary(bytes) => return Some(Incoming::Bytes(bytes)),
                // Answers to pings are sent by the library.
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Close(_) => return None,
            }
        }
    }

    /// Listens to a page that has nothing to say, until it has gone.
    pub(super) async fn gone(&mut self) {
        while self.next().await.is_some() {}
    }
}
