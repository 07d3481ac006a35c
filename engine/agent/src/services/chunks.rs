//! What a thread writes, in pieces for a client, at the client's pace.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

/// Pieces that wait for a slow client.
const CHUNKS_MAX: usize = 8;
const CHUNK_BYTES: usize = 128 * 1024;

/// The pieces, as they come.
pub(crate) type Chunks = mpsc::Receiver<io::Result<Bytes>>;

/// Where the pieces are put in.
pub(super) type ChunkSender = mpsc::Sender<io::Result<Bytes>>;

/// Returns both ends; a piece that nobody takes keeps the writer waiting.
pub(super) fn channel() -> (ChunkSender, Chunks) {
    mpsc::channel(CHUNKS_MAX)
}

/// Sends what `write` writes; its failure ends the stream, which is how the client learns of it.
/// Blocks.
pub(super) fn send(sender: &ChunkSender, write: impl FnOnce(&mut ChunkWriter) -> io::Result<()>) {
    let mut target = ChunkWriter {
        sender: sender.clone(),
        chunk: BytesMut::new(),
    };
    match write(&mut target).and_then(|()| target.pass_on()) {
        Ok(()) => {}
        // The client has gone; nobody is left to tell.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => {
            tracing::warn!(%error, "an archive broke off");
            let _ = sender.blocking_send(Err(error));
        }
    }
}

/// Gathers what is written into pieces.
pub(super) struct ChunkWriter {
    sender: ChunkSender,
    chunk: BytesMut,
}

impl ChunkWriter {
    fn pass_on(&mut self) -> io::Result<()> {
        let chunk = self.chunk.split().freeze();
        if chunk.is_empty() {
            return Ok(());
        }
        let gone = |_| io::ErrorKind::BrokenPipe.into();
        self.sender.blocking_send(Ok(chunk)).map_err(gone)
    }
}

impl io::Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.chunk.capacity() == 0 {
            self.chunk.reserve(CHUNK_BYTES);
        }
        let n_taken = bytes.len().min(CHUNK_BYTES - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..n_taken]);
        if self.chunk.len() == CHUNK_BYTES {
            self.pass_on()?;
        }
        Ok(n_taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on()
    }
}
