//! The ways from async code to work that blocks.

use std::io;

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
