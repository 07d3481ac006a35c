//! What a browser sends, on its way to an engine: passed on piece by piece, never kept.

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Pieces that wait for the engine; the browser waits while they do.
const QUEUE: usize = 16;

/// Returns both ends.
pub(super) fn upload() -> (Upload, ReceiverStream<std::io::Result<Bytes>>) {
    let (pieces, arriving) = mpsc::channel(QUEUE);
    let upload = Upload {
        pieces,
        is_whole: false,
    };
    (upload, ReceiverStream::new(arriving))
}

/// The browser's side of an archive's way to the engine.
///
/// Dropped before [`Upload::finish`] it tells the engine that the archive broke off, and nothing of
/// it is kept.
#[derive(Debug)]
pub struct Upload {
    pieces: mpsc::Sender<std::io::Result<Bytes>>,
    is_whole: bool,
}

impl Upload {
    /// Passes a piece on; waits while the engine is busy. False once the engine takes no more: the
    /// job says why.
    pub async fn send(&self, piece: Bytes) -> bool {
        self.pieces.send(Ok(piece)).await.is_ok()
    }

    /// Says that the archive is whole.
    pub fn finish(mut self) {
        self.is_whole = true;
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.is_whole {
            let broken = std::io::Error::other("the upload broke off");
            // A full queue loses this word, but then the channel closes in the middle of the
            // archive, which the engine refuses for being cut short.
            let _queued = self.pieces.try_send(Err(broken));
        }
    }
}
