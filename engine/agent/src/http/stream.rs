//! Bodies that go on arriving, in both directions.

use std::io::{self, Read};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;

/// Makes a body of a stream. Each piece is sent as it comes; the stream is dropped as soon as the
/// client goes away.
pub(super) fn flushed<S>(pieces: S) -> Body
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + 'static,
{
    Body::from_stream(pieces)
}

/// Chunks that wait for work that blocks: enough that neither side waits for the other's turn on
/// a busy machine, and still bounded.
const CHUNKS_MAX: usize = 32;

/// A request's body for work that blocks; read it on a thread that may.
pub(super) struct BodyReader {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    chunk: Bytes,
}

/// Splits a body into what brings its chunks, to be awaited beside the work, and what the work
/// reads. Bringing ends with the body, or when the reader is gone.
pub(super) fn blocking_reader(body: Body) -> (impl Future<Output = ()>, BodyReader) {
    let (sender, chunks) = mpsc::channel(CHUNKS_MAX);
    let mut body = body.into_data_stream();
    let bring = async move {
        while let Some(chunk) = body.next().await {
            if sender.send(chunk.map_err(io::Error::other)).await.is_err() {
                return;
            }
        }
    };
    let chunk = Bytes::new();
    (bring, BodyReader { chunks, chunk })
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.chunks.blocking_recv() {
                None => return Ok(0),
                Some(chunk) => self.chunk = chunk?,
            }
        }
        let n_read = buffer.len().min(self.chunk.len());
        buffer[..n_read].copy_from_slice(&self.chunk.split_to(n_read));
        Ok(n_read)
    }
}
