//! Calls about the engine itself.

use std::time::Duration;

use engine_api::events::Event;
use engine_api::filter::Filters;
use engine_api::operation::{self, Operation};
use engine_api::system::{Info, Version};
use engine_api::usage::{DiskUsage, Prunable, Pruned};

use crate::client::EngineClient;
use crate::error::Result;
use crate::request::Call;
use crate::stream::JsonLines;

/// How long removing much may take.
pub(crate) const PRUNE_DEADLINE: Duration = Duration::from_secs(600);

/// Which events to read.
#[derive(Debug, Clone, Default)]
pub struct EventOptions {
    /// From then on, including it: seconds since the epoch with a fraction, RFC 3339, or an age.
    pub since: Option<String>,
    /// Until then; without it the stream goes on.
    pub until: Option<String>,
    /// Which.
    pub filters: Filters,
}

impl EngineClient {
    /// Asks whether the engine answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<()> {
        self.run(Call::new(&operation::PING, "")).await
    }

    /// Asks who answers.
    ///
    /// # Errors
    /// When nobody does.
    pub async fn version(&self) -> Result<Version> {
        self.fetch(Call::new(&operation::VERSION, "")).await
    }

    /// Asks what the engine and its host can do and hold.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn info(&self) -> Result<Info> {
        self.fetch(Call::new(&operation::INFO, "")).await
    }

    /// Reads what happens, from the journal and then as it comes.
    ///
    /// # Errors
    /// When the engine refuses a filter or a time.
    pub async fn events(&self, options: &EventOptions) -> Result<JsonLines<Event>> {
        let mut call = Call::new(&operation::EVENTS, "")
            .query_some("since", options.since.as_ref())
            .query_some("until", options.until.as_ref());
        if !options.filters.is_empty() {
            call = call.query("filters", options.filters.to_json());
        }
        let answer = self.send(call).await?;
        Ok(JsonLines::new(operation::EVENTS.name, answer))
    }
}

impl EngineClient {
    /// Tells how much room everything takes. Measuring takes a while.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn disk_usage(&self) -> Result<DiskUsage> {
        self.fetch(Call::new(&operation::DISK_USAGE, "")).await
    }

    /// Removes the containers that do not run and that the filters choose.
    ///
    /// # Errors
    /// When a filter is refused.
    pub async fn prune_containers(&self, filters: &Filters) -> Result<Pruned> {
        self.prune(&operation::CONTAINER_PRUNE, filters).await
    }

    /// Removes the images that nothing needs and that the filters choose.
    ///
    /// # Errors
    /// When a filter is refused.
    pub async fn prune_images(&self, filters: &Filters) -> Result<Pruned> {
        self.prune(&operation::IMAGE_PRUNE, filters).await
    }

    /// Says what [`EngineClient::prune_images`] with these filters would remove, and what that frees.
    ///
    /// # Errors
    /// When a filter is refused.
    pub async fn prunable_images(&self, filters: &Filters) -> Result<Prunable> {
        let call = Call::new(&operation::IMAGE_PRUNABLE, "");
        self.fetch(call.query("filters", filters.to_json())).await
    }

    /// Forgets what is kept between builds and what the filters choose.
    ///
    /// # Errors
    /// When a filter is refused or nobody answers.
    pub async fn prune_builds(&self, filters: &Filters) -> Result<Pruned> {
        self.prune(&operation::BUILD_PRUNE, filters).await
    }

    async fn prune(&self, operation: &'static Operation, filters: &Filters) -> Result<Pruned> {
        let call = Call::new(operation, "").query("filters", filters.to_json());
        self.fetch(call.within(PRUNE_DEADLINE)).await
    }
}
