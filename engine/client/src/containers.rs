//! Calls about containers. A container is named by its id, a prefix of it, or its name.

use std::time::Duration;

use engine_api::containers::{
    Container, ContainerSummary, CreateAnswer, CreateBody, Top, UpdateAnswer, UpdateBody,
    WaitAnswer, WaitCondition,
};
use engine_api::filter::Filters;
use engine_api::operation;
use engine_api::stats::Stats;

use crate::client::EngineClient;
use crate::error::Result;
use crate::request::{Call, DEADLINE};
use crate::stream::{JsonLines, OutputStream};
use crate::upgrade::Attached;

/// The longest anybody waits for the end of a container.
const WAIT_DEADLINE: Duration = Duration::from_secs(366 * 24 * 3600);

/// Which containers to list.
#[derive(Debug, Clone, Default)]
pub struct ListOptions {
    /// Also those that do not run.
    pub all: bool,
    /// Only the newest so many.
    pub limit: Option<usize>,
    /// Which.
    pub filters: Filters,
}

/// How to remove a container.
#[derive(Debug, Clone, Copy, Default)]
pub struct RemoveOptions {
    /// Kill it first if it runs.
    pub force: bool,
    /// Remove its anonymous volumes too.
    pub volumes: bool,
}

/// Which output to read from the log.
#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    /// Go on as it comes.
    pub follow: bool,
    /// Ordinary output.
    pub stdout: bool,
    /// Error output.
    pub stderr: bool,
    /// From then on.
    pub since: Option<String>,
    /// Until then.
    pub until: Option<String>,
    /// Begin each line with its time.
    pub timestamps: bool,
    /// Only the last so many lines.
    pub tail: Option<u64>,
}

/// Which streams to join.
#[derive(Debug, Clone, Default)]
pub struct AttachOptions {
    /// The way in.
    pub stdin: bool,
    /// Ordinary output.
    pub stdout: bool,
    /// Error output.
    pub stderr: bool,
    /// Begin with what the log holds.
    pub logs: bool,
    /// The keys that let go of a terminal.
    pub detach_keys: Option<String>,
}

impl EngineClient {
    /// Lists containers.
    ///
    /// # Errors
    /// When a filter is refused or nobody answers.
    pub async fn containers(&self, options: &ListOptions) -> Result<Vec<ContainerSummary>> {
        let mut call = Call::new(&operation::CONTAINER_LIST, "")
            .query("all", options.all)
            .query_some("limit", options.limit);
        if !options.filters.is_empty() {
            call = call.query("filters", options.filters.to_json());
        }
        self.fetch(call).await
    }

    /// Creates a container.
    ///
    /// # Errors
    /// When the name is taken, the image is not there, or an option is refused.
    pub async fn create_container(
        &self,
        name: Option<&str>,
        body: &CreateBody,
    ) -> Result<CreateAnswer> {
        let call = Call::new(&operation::CONTAINER_CREATE, "").query_some("name", name);
        self.fetch(call.json(body)?).await
    }

    /// Returns everything that is known of a container.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn container(&self, id: &str) -> Result<Container> {
        self.fetch(Call::new(&operation::CONTAINER_INSPECT, id))
            .await
    }

    /// Starts a container; nothing happens if it runs.
    ///
    /// # Errors
    /// When it is not there or cannot start.
    pub async fn start_container(&self, id: &str) -> Result<()> {
        self.run(Call::new(&operation::CONTAINER_START, id)).await
    }

    /// Stops a container, by force after the given time or its own; nothing happens if it is
    /// stopped.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn stop_container(&self, id: &str, timeout_s: Option<u32>) -> Result<()> {
        let call = Call::new(&operation::CONTAINER_STOP, id).query_some("t", timeout_s);
        self.run(call.within(patience(timeout_s))).await
    }

    /// Stops a container as [`EngineClient::stop_container`] and starts it.
    ///
    /// # Errors
    /// When it is not there or cannot start.
    pub async fn restart_container(&self, id: &str, timeout_s: Option<u32>) -> Result<()> {
        let call = Call::new(&operation::CONTAINER_RESTART, id).query_some("t", timeout_s);
        self.run(call.within(patience(timeout_s))).await
    }

    /// Sends a signal, by name or number; KILL if none is given.
    ///
    /// # Errors
    /// When it is not there or does not run.
    pub async fn kill_container(&self, id: &str, signal: Option<&str>) -> Result<()> {
        self.run(Call::new(&operation::CONTAINER_KILL, id).query_some("signal", signal))
            .await
    }

    /// Makes every process of a container stand still.
    ///
    /// # Errors
    /// When it is not there, does not run, or stands still already.
    pub async fn pause_container(&self, id: &str) -> Result<()> {
        self.run(Call::new(&operation::CONTAINER_PAUSE, id)).await
    }

    /// Lets a container that stands still go on.
    ///
    /// # Errors
    /// When it is not there or does not stand still.
    pub async fn unpause_container(&self, id: &str) -> Result<()> {
        self.run(Call::new(&operation::CONTAINER_UNPAUSE, id)).await
    }

    /// Changes what a container may use, also while it runs.
    ///
    /// # Errors
    /// When it is not there, or the kernel or the engine refuses; nothing is changed then.
    pub async fn update_container(&self, id: &str, body: &UpdateBody) -> Result<UpdateAnswer> {
        let call = Call::new(&operation::CONTAINER_UPDATE, id);
        self.fetch(call.json(body)?).await
    }

    /// Waits for the end of a container.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn wait_container(&self, id: &str, until: WaitCondition) -> Result<WaitAnswer> {
        let call = Call::new(&operation::CONTAINER_WAIT, id).query("condition", until.as_str());
        self.fetch(call.within(WAIT_DEADLINE)).await
    }

    /// Removes a container.
    ///
    /// # Errors
    /// When it is not there, or runs and is not to be killed.
    pub async fn remove_container(&self, id: &str, options: RemoveOptions) -> Result<()> {
        let call = Call::new(&operation::CONTAINER_REMOVE, id)
            .query("force", options.force)
            .query("v", options.volumes);
        self.run(call).await
    }

    /// Gives a container another name.
    ///
    /// # Errors
    /// When it is not there or the name is taken.
    pub async fn rename_container(&self, id: &str, name: &str) -> Result<()> {
        self.run(Call::new(&operation::CONTAINER_RENAME, id).query("name", name))
            .await
    }

    /// Joins the streams of a container, running or not yet.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn attach_container(&self, id: &str, options: &AttachOptions) -> Result<Attached> {
        let call = Call::new(&operation::CONTAINER_ATTACH, id)
            .query("stream", true)
            .query("stdin", options.stdin)
            .query("stdout", options.stdout)
            .query("stderr", options.stderr)
            .query("logs", options.logs)
            .query_some("detachKeys", options.detach_keys.as_ref());
        let call = call
            .header("connection", "Upgrade")?
            .header("upgrade", "tcp")?;
        Attached::new(self.send(call).await?).await
    }

    /// Reads the log of a container.
    ///
    /// # Errors
    /// When it is not there or no stream is chosen.
    pub async fn container_logs(&self, id: &str, options: &LogOptions) -> Result<OutputStream> {
        let call = Call::new(&operation::CONTAINER_LOGS, id)
            .query("follow", options.follow)
            .query("stdout", options.stdout)
            .query("stderr", options.stderr)
            .query("timestamps", options.timestamps)
            .query_some("since", options.since.as_ref())
            .query_some("until", options.until.as_ref())
            .query_some("tail", options.tail);
        Ok(OutputStream::new(self.send(call).await?))
    }

    /// Tells a container the size of its terminal.
    ///
    /// # Errors
    /// When it is not there or does not run.
    pub async fn resize_container(&self, id: &str, rows: u16, columns: u16) -> Result<()> {
        let call = Call::new(&operation::CONTAINER_RESIZE, id)
            .query("h", rows)
            .query("w", columns);
        self.run(call).await
    }

    /// Reads what a container uses, once a second, until dropped.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn container_stats(&self, id: &str) -> Result<JsonLines<Stats>> {
        let call = Call::new(&operation::CONTAINER_STATS, id).query("stream", true);
        Ok(JsonLines::new(
            operation::CONTAINER_STATS.name,
            self.send(call).await?,
        ))
    }

    /// Reads what a container uses, once.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn container_stats_once(&self, id: &str) -> Result<Stats> {
        let call = Call::new(&operation::CONTAINER_STATS, id)
            .query("stream", false)
            .query("one-shot", true);
        self.fetch(call).await
    }

    /// Lists the processes of a container.
    ///
    /// # Errors
    /// When it is not there or does not run.
    pub async fn container_top(&self, id: &str, ps_args: Option<&str>) -> Result<Top> {
        self.fetch(Call::new(&operation::CONTAINER_TOP, id).query_some("ps_args", ps_args))
            .await
    }
}

/// A stop may take its whole time-out before it is answered.
fn patience(timeout_s: Option<u32>) -> Duration {
    DEADLINE + Duration::from_secs(u64::from(timeout_s.unwrap_or(60)))
}
