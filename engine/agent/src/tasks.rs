//! Every task of the engine begins here, has a name, and ends on shutdown.

use std::future::Future;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Spawns tasks and knows when all have ended.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Spawns a task that is dropped at shutdown, wherever it waits then.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.spawn_to_end(name, async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Spawns a task that shutdown waits for; it must end soon by itself.
    #[expect(clippy::disallowed_methods, reason = "this is the crate's tasks.rs")]
    pub fn spawn_to_end(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let span = tracing::debug_span!("task", name);
        tokio::spawn(self.tracker.track_future(task.instrument(span)));
    }

    /// Resolves when shutdown begins.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Tells whether shutdown has begun.
    pub fn are_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Begins the shutdown and waits until every task has ended.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// Runs something that blocks on a thread that may, and returns its result.
///
/// # Panics
/// When `work` panics; the panic goes on in the caller.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the crate's one `blocking` function"
)]
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime only refuses work while it shuts down; nobody waits any more then.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Runs a loop that blocks, such as a reader that feeds a channel; nobody waits for it.
#[expect(clippy::disallowed_methods, reason = "this is the crate's tasks.rs")]
pub fn blocking_detached(work: impl FnOnce() + Send + 'static) {
    drop(tokio::task::spawn_blocking(work));
}

/// Runs something on a thread of its own and waits for its result: for work whose pace a client
/// sets, which would keep others waiting for one of the threads of [`blocking`].
///
/// # Errors
/// When there is no thread left.
pub(crate) async fn on_own_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (done, result) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(move || {
        // Whoever waited may have gone.
        let _ = done.send(work());
    })?;
    result
        .await
        .map_err(|_| io::Error::other("the thread ended in a panic"))
}

/// Does what [`on_own_thread`] does; nobody waits for it.
///
/// # Errors
/// When there is no thread left.
pub(crate) fn own_thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(work).map(drop)
}

/// A descriptor that wakes a task when it has something to read.
///
/// What it holds must own its descriptor and keep it as long as it lives; that is what [`AsFd`] on
/// an owned value says, and why the safe constructor is enough here.
pub(crate) struct Watched<T>(T);

impl<T: AsFd> AsRawFd for Watched<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl<T> std::ops::Deref for Watched<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Watches a non-blocking descriptor for something to read.
///
/// # Errors
/// When the kernel cannot watch it.
#[expect(
    deprecated,
    reason = "its successor is `unsafe`, which stays in engine-sys; `Watched` keeps its promise"
)]
pub(crate) fn watched<T: AsFd>(descriptor: T) -> io::Result<AsyncFd<Watched<T>>> {
    AsyncFd::with_interest(Watched(descriptor), Interest::READABLE)
}
