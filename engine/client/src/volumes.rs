//! Calls about volumes.

use engine_api::filter::Filters;
use engine_api::operation;
use engine_api::usage::Pruned;
use engine_api::volumes::{Volume, VolumeCreateBody, VolumeList};

use crate::client::EngineClient;
use crate::error::Result;
use crate::request::Call;
use crate::system::PRUNE_DEADLINE;

impl EngineClient {
    /// Lists the volumes that the filters choose.
    ///
    /// # Errors
    /// When a filter is refused.
    pub async fn volumes(&self, filters: &Filters) -> Result<VolumeList> {
        let call = Call::new(&operation::VOLUME_LIST, "");
        self.fetch(call.query("filters", filters.to_json())).await
    }

    /// Describes a volume.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn volume(&self, name: &str) -> Result<Volume> {
        self.fetch(Call::new(&operation::VOLUME_INSPECT, name))
            .await
    }

    /// Makes a volume, or returns the one that has the name.
    ///
    /// # Errors
    /// When the name, the driver or an option is refused.
    pub async fn create_volume(&self, body: &VolumeCreateBody) -> Result<Volume> {
        self.fetch(Call::new(&operation::VOLUME_CREATE, "").json(body)?)
            .await
    }

    /// Removes a volume that nobody has; with `force`, one that is not there is no failure.
    ///
    /// # Errors
    /// When a container has it.
    pub async fn remove_volume(&self, name: &str, force: bool) -> Result<()> {
        let call = Call::new(&operation::VOLUME_REMOVE, name).query("force", force);
        self.run(call).await
    }

    /// Removes the volumes that nobody has and that the filters choose.
    ///
    /// # Errors
    /// When a filter is refused.
    pub async fn prune_volumes(&self, filters: &Filters) -> Result<Pruned> {
        let call = Call::new(&operation::VOLUME_PRUNE, "").query("filters", filters.to_json());
        self.fetch(call.within(PRUNE_DEADLINE)).await
    }
}
