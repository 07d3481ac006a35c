//! Bodies that go on arriving, in both directions.

use std::io::{self, Read};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::runtime::Handle;

/// Makes a body of a stream. Each piece is sent as it comes; the stream is dropped as soon as the
/// client goes away.
pub(super) fn flushed<S>(pieces: S) -> Body
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + 'static,
{
    Body::from_stream(pieces)
}

/// A request's body for work that blocks; read it on a thread that may.
///
/// Nothing is buffered beyond the chunk that came last: the client waits for the reader.
pub(super) struct BodyReader {
    body: axum::body::BodyDataStream,
    chunk: Bytes,
    runtime: Handle,
}

impl BodyReader {
    /// Takes a body; call it where the request is handled.
    pub(super) fn new(body: Body) -> Self {
        Self {
            body: body.into_data_stream(),
            chunk: Bytes::new(),
            runtime: Handle::current(),
        }
    }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.runtime.block_on(self.body.next()) {
                None => return Ok(0),
                Some(chunk) => self.chunk = chunk.map_err(io::Error::other)?,
            }
        }
        let n_read = buffer.len().min(self.chunk.len());
        buffer[..n_read].copy_from_slice(&self.chunk.split_to(n_read));
        Ok(n_read)
    }
}
