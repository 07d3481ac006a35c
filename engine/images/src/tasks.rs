//! The ways from async code to work that blocks.

use std::io::{self, Read};

use bytes::Bytes;
use tokio::sync::mpsc;

/// What one read brings.
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks between the disk and whoever takes them.
const CHUNKS_MAX: usize = 8;

/// Runs `work` on a thread of its own, and waits for it: a registry sets its pace, and must not take
/// the threads that everybody shares.
///
/// Cancelling stops the waiting, not the work: give the work something that fails then.
pub(crate) async fn on_own_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (done, result) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("fetch".to_owned());
    thread.spawn(move || {
        // Whoever waited may have gone.
        let _ = done.send(work());
    })?;
    result
        .await
        .map_err(|_| io::Error::other("the work panicked"))
}

/// Reads `source` on a thread of its own, to its end or until nobody takes what it brings.
pub(crate) fn read_ahead(
    mut source: impl Read + Send + 'static,
) -> io::Result<mpsc::Receiver<io::Result<Bytes>>> {
    let (chunks, incoming) = mpsc::channel(CHUNKS_MAX);
    let thread = std::thread::Builder::new().name("push".to_owned());
    thread.spawn(move || {
        loop {
            let mut bytes = vec![0; CHUNK_BYTES];
            let chunk = match source.read(&mut bytes) {
                Ok(0) => return,
                Ok(n_bytes) => {
                    bytes.truncate(n_bytes);
                    Ok(Bytes::from(bytes))
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let is_last = chunk.is_err();
            if chunks.blocking_send(chunk).is_err() || is_last {
                return;
            }
        }
    })?;
    Ok(incoming)
}
