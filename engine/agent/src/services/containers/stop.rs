//! Ending a program: kill, stop, restart. The owner sends the signal; the wait is here.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use engine_runtime::Target;

use super::command::{Ask, Command};
use super::registry::{Containers, Handle};
use super::signal::{self, KILL, TERM};
use crate::services::error::{Result, ServiceError};

/// How long a container that says nothing may take to stop.
const DEFAULT_TIMEOUT_S: i64 = 10;

/// How long a killed program may take to be gone.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// How to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    /// Seconds until it is killed; negative waits for ever.
    pub(crate) timeout_s: Option<i64>,
    /// Instead of the container's own.
    pub(crate) signal: Option<String>,
    /// Who asks.
    pub(crate) who: String,
}

impl Containers {
    /// Sends a signal, KILL if none is named; returns when a killed program is gone.
    ///
    /// # Errors
    /// When it is not there, does not run, or there is no such signal.
    pub(crate) async fn kill(
        &self,
        reference: &str,
        signal: Option<&str>,
        who: &str,
    ) -> Result<()> {
        let handle = self.find(reference)?;
        let signal = signal.map(signal::parse).transpose()?.unwrap_or(KILL);
        let view = handle.view();
        if !view.is_up() {
            let message = format!(
                "cannot kill container: {reference}: container {} is not running",
                handle.id
            );
            return Err(ServiceError::Conflict(message));
        }
        self.signal(&handle, signal, ask("kill", who)).await?;
        if signal == KILL && view.is_running() {
            ended(&handle, view.n_exits, Some(KILL_LIMIT)).await;
        }
        Ok(())
    }

    /// Stops a program: its signal, its time, then KILL. Goes on when the caller goes away.
    ///
    /// # Errors
    /// [`ServiceError::NotModified`] when it does not run.
    pub(crate) async fn stop(self: &Arc<Self>, reference: &str, stop: Stop) -> Result<()> {
        let handle = self.find(reference)?;
        if !handle.view().is_up() {
            return Err(ServiceError::NotModified);
        }
        let containers = Arc::clone(self);
        self.to_the_end(async move { containers.stop_now("stop", &handle, &stop).await })
            .await
    }

    /// Stops a program if it runs, and starts it. Goes on when the caller goes away.
    ///
    /// # Errors
    /// When it is not there or cannot start.
    pub(crate) async fn restart(self: &Arc<Self>, reference: &str, stop: Stop) -> Result<()> {
        let handle = self.find(reference)?;
        let containers = Arc::clone(self);
        self.to_the_end(async move {
            if handle.view().is_up() {
                containers.stop_now("restart", &handle, &stop).await?;
            }
            match handle.ask(|reply| Command::Start { reply }).await {
                Ok(()) | Err(ServiceError::NotModified) => {}
                Err(error) => return Err(error),
            }
            containers.tell(&handle, "restart", []);
            Ok(())
        })
        .await
    }

    async fn stop_now(&self, verb: &'static str, handle: &Handle, stop: &Stop) -> Result<()> {
        let view = handle.view();
        let config = &view.record.config;
        let wanted = stop.signal.as_deref().unwrap_or(&config.stop_signal);
        let signal = if wanted.is_empty() {
            TERM
        } else {
            signal::parse(wanted)?
        };
        let timeout_s = stop
            .timeout_s
            .or(config.stop_timeout)
            .unwrap_or(DEFAULT_TIMEOUT_S);
        let patience = u64::try_from(timeout_s).ok().map(Duration::from_secs);

        let gone_meanwhile = |result| match result {
            // It ended or was removed by itself: that is what was wanted.
            Err(ServiceError::Conflict(_) | ServiceError::NoSuchContainer(_)) => Ok(true),
            other => other.map(|()| true),
        };
        let asked = ask(verb, &stop.who);
        let harder = Ask {
            forced: true,
            ..asked.clone()
        };
        let is_told = match gone_meanwhile(self.signal(handle, signal, asked).await) {
            // Its monitor does not answer: what is left is to end it by force.
            Err(ServiceError::Unavailable(_)) => false,
            result => result?,
        };
        if !is_told || !ended(handle, view.n_exits, patience).await {
            gone_meanwhile(self.signal(handle, KILL, harder).await)?;
            if !ended(handle, view.n_exits, Some(KILL_LIMIT)).await {
                return Err(ServiceError::Unavailable(format!(
                    "container {} was killed and is not gone after {} seconds; \
                     a process of it may wait for a disk or a file server",
                    handle.id,
                    KILL_LIMIT.as_secs()
                )));
            }
        }
        self.tell(handle, "stop", []);
        Ok(())
    }

    /// Kills a program if it runs; returns when it is gone.
    pub(super) async fn kill_to_remove(&self, handle: &Handle, who: &str) -> Result<()> {
        let view = handle.view();
        match self.signal(handle, KILL, ask("remove", who)).await {
            // In conflict with its own end, which may not have been heard of yet.
            Ok(()) | Err(ServiceError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
        ended(handle, view.n_exits, Some(KILL_LIMIT)).await;
        Ok(())
    }

    async fn signal(&self, handle: &Handle, signal: i32, ask: Ask) -> Result<()> {
        handle
            .ask(|reply| Command::Signal {
                target: Target::Init,
                signal,
                ask: Some(ask),
                reply,
            })
            .await?;
        self.tell(handle, "kill", [("signal", signal.to_string())]);
        Ok(())
    }

    /// Runs a change that must not stop half-way when its caller goes away.
    async fn to_the_end(
        &self,
        change: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Result<()> {
        let (done, result) = oneshot::channel();
        self.site.tasks.spawn("change", async move {
            // The caller may be gone; the change is done all the same.
            let _ = done.send(change.await);
        });
        let stopping = |_| ServiceError::Unavailable("the engine stops".to_owned());
        result.await.map_err(stopping)?
    }
}

fn ask(verb: &'static str, who: &str) -> Ask {
    Ask {
        verb,
        who: who.to_owned(),
        forced: false,
    }
}

/// Waits until it has ended once more than `n_exits` times, or has ended and is not started again;
/// false when that took too long.
async fn ended(handle: &Handle, n_exits: u64, limit: Option<Duration>) -> bool {
    let mut watch = handle.watch();
    let ended = async {
        // An error means that the owner is gone, and the container with it.
        let _ = watch
            .wait_for(|view| view.n_exits > n_exits || view.gone || !view.is_up())
            .await;
    };
    match limit {
        None => {
            ended.await;
            true
        }
        Some(limit) => tokio::time::timeout(limit, ended).await.is_ok(),
    }
}
