//! Calls about commands inside running containers.

use engine_api::execs::{ExecCreateBody, ExecCreated, ExecInspect, ExecStartBody};
use engine_api::operation;

use crate::client::EngineClient;
use crate::error::Result;
use crate::request::Call;
use crate::upgrade::Attached;

impl EngineClient {
    /// Prepares a command; returns its id.
    ///
    /// # Errors
    /// When the container is not there or does not run.
    pub async fn create_exec(&self, container: &str, body: &ExecCreateBody) -> Result<String> {
        let call = Call::new(&operation::EXEC_CREATE, container).json(body)?;
        let created: ExecCreated = self.fetch(call).await?;
        Ok(created.id)
    }

    /// Starts a prepared command and joins its streams.
    ///
    /// # Errors
    /// When it is not there or was started before.
    pub async fn start_exec(&self, id: &str, body: &ExecStartBody) -> Result<Attached> {
        let call = Call::new(&operation::EXEC_START, id)
            .json(body)?
            .header("connection", "Upgrade")?
            .header("upgrade", "tcp")?;
        Attached::new(self.send(call).await?).await
    }

    /// Starts a prepared command and lets it run.
    ///
    /// # Errors
    /// When it is not there or was started before.
    pub async fn start_exec_detached(&self, id: &str) -> Result<()> {
        let body = ExecStartBody {
            detach: true,
            ..ExecStartBody::default()
        };
        self.run(Call::new(&operation::EXEC_START, id).json(&body)?)
            .await
    }

    /// Tells a command the size of its terminal.
    ///
    /// # Errors
    /// When it is not there or does not run.
    pub async fn resize_exec(&self, id: &str, rows: u16, columns: u16) -> Result<()> {
        let call = Call::new(&operation::EXEC_RESIZE, id)
            .query("h", rows)
            .query("w", columns);
        self.run(call).await
    }

    /// Returns what is known of a command.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn exec(&self, id: &str) -> Result<ExecInspect> {
        self.fetch(Call::new(&operation::EXEC_INSPECT, id)).await
    }
}
