//! Noticing that a client has gone for good.
//!
//! A client that only stopped writing still listens: that is how the docker command ends its
//! input. Reading alone cannot tell the two apart, and a quiet container writes nothing that could
//! fail; the kernel tells them apart by a hang-up on the socket itself.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::UnixStream;

/// Watches one connection. Cheap to clone.
#[derive(Clone)]
pub(super) struct Hangup(Arc<AsyncFd<OwnedFd>>);

impl Hangup {
    /// Begins to watch `stream`.
    ///
    /// # Errors
    /// When there are no descriptors left.
    #[expect(
        deprecated,
        reason = "its successor is `unsafe`, which stays in engine-sys; the descriptor is owned \
                  and never handed out, which is all it asks for"
    )]
    pub(super) fn of(stream: &UnixStream) -> io::Result<Self> {
        let own = stream.as_fd().try_clone_to_owned()?;
        // Nothing ever arrives out of band, and a hang-up is told whatever one is interested in.
        let watched = AsyncFd::with_interest(own, Interest::PRIORITY)?;
        Ok(Self(Arc::new(watched)))
    }

    /// Waits until the client has closed both directions.
    pub(super) async fn wait(&self) {
        // An error of the watch itself cannot be waited for either: nothing will be told any more.
        if self.0.ready(Interest::PRIORITY).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn a_half_closed_client_is_still_there_and_a_closed_one_is_not() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let hangup = Hangup::of(&ours).unwrap();

        theirs.write_all(b"bytes that nobody reads").await.unwrap();
        theirs.shutdown().await.unwrap();
        let waited = tokio::time::timeout(Duration::from_millis(50), hangup.wait()).await;
        assert!(waited.is_err(), "it only stopped writing");

        drop(theirs);
        let waited = tokio::time::timeout(Duration::from_secs(5), hangup.wait()).await;
        assert!(waited.is_ok(), "it is gone");
    }
}
