//! Noticing that a client has gone for good.
//!
//! A client that only stopped writing still listens: that is how the docker command ends its
//! input. Reading alone cannot tell the two apart, and a quiet container writes nothing that could
//! fail; the kernel tells them apart by a hang-up on the socket itself.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::UnixStream;

/// How long a client may take to read an answer before its stream begins anyway.
const READ_DEADLINE: Duration = Duration::from_millis(50);
/// Usually it has read it by the first look.
const READ_PERIOD: Duration = Duration::from_millis(1);

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

    /// Waits a moment until the client has read everything that was sent to it.
    pub(super) async fn until_read(&self) {
        let deadline = tokio::time::Instant::now() + READ_DEADLINE;
        while engine_sys::socket::n_unread(self.0.get_ref()).is_ok_and(|n_bytes| n_bytes > 0)
            && tokio::time::Instant::now() < deadline
        {
            tokio::time::sleep(READ_PERIOD).await;
        }
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
    use tokio::io::AsyncReadExt;
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn what_was_sent_is_read_or_not() {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let hangup = Hangup::of(&ours).unwrap();
        let n_unread = || engine_sys::socket::n_unread(hangup.0.get_ref()).unwrap();

        assert_eq!(n_unread(), 0);
        ours.write_all(b"an answer").await.unwrap();
        assert!(n_unread() > 0);
        hangup.until_read().await;
        theirs.read_exact(&mut [0; 9]).await.unwrap();
        assert_eq!(n_unread(), 0);
    }

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
