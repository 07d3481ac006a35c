//! Where every task is spawned: with a name, counted, and ending on shutdown.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// The tasks of one server.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

impl Tasks {
    /// Runs a task to its own end; for work that must not be cut, such as a change half done.
    pub fn finish<F>(&self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let span = tracing::info_span!("task", name);
        #[expect(clippy::disallowed_methods, reason = "this is the place that spawns")]
        tokio::spawn(self.tracker.track_future(future.instrument(span)))
    }

    /// Runs a task until it ends or the server shuts down, whichever is first.
    pub fn spawn<F>(&self, name: &'static str, future: F) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let shutdown = self.shutdown.clone();
        self.finish(name, async move {
            let _cut = shutdown.run_until_cancelled_owned(future).await;
        })
    }

    /// Returns the token that is cancelled when the server begins to shut down.
    pub fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Tells every task to end and waits for them, at most the given time.
    pub async fn end(&self, patience: Duration) {
        self.shutdown.cancel();
        self.tracker.close();
        if tokio::time::timeout(patience, self.tracker.wait())
            .await
            .is_err()
        {
            tracing::warn!(n_tasks = self.tracker.len(), "tasks were cut at shutdown");
        }
    }
}

/// Runs blocking work away from the threads that serve; `None` when it panicked.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one blocking function"
    )]
    tokio::task::spawn_blocking(work).await.ok()
}
