//! The one way from async code to work that blocks.

use std::io;

/// Runs `work` where it may block, and waits for it.
///
/// Cancelling stops the waiting, not the work: give the work something that fails then.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the crate's one `blocking` function"
)]
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| io::Error::other("the work panicked"))
}
