//! Calls about networks. A network is named by its name, its id, or a prefix of the id.

use engine_api::networks::{
    ConnectBody, CreateNetwork, DisconnectBody, Network, NetworkCreated, NetworksPruned,
};
use engine_api::operation;

use crate::client::EngineClient;
use crate::error::Result;
use crate::request::Call;

impl EngineClient {
    /// Lists the networks, without who is in them.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn networks(&self) -> Result<Vec<Network>> {
        self.fetch(Call::new(&operation::NETWORK_LIST, "")).await
    }

    /// Returns a network with who is in it.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn network(&self, name: &str) -> Result<Network> {
        self.fetch(Call::new(&operation::NETWORK_INSPECT, name))
            .await
    }

    /// Creates a network.
    ///
    /// # Errors
    /// When the name or the addresses are taken, or an option is refused.
    pub async fn create_network(&self, body: &CreateNetwork) -> Result<NetworkCreated> {
        let call = Call::new(&operation::NETWORK_CREATE, "");
        self.fetch(call.json(body)?).await
    }

    /// Connects a container to a network.
    ///
    /// # Errors
    /// When either is not there, it is connected already, or the address is not free.
    pub async fn connect_network(&self, name: &str, body: &ConnectBody) -> Result<()> {
        let call = Call::new(&operation::NETWORK_CONNECT, name);
        self.run(call.json(body)?).await
    }

    /// Disconnects a container from a network.
    ///
    /// # Errors
    /// When either is not there, or it is not connected.
    pub async fn disconnect_network(&self, name: &str, body: &DisconnectBody) -> Result<()> {
        let call = Call::new(&operation::NETWORK_DISCONNECT, name);
        self.run(call.json(body)?).await
    }

    /// Removes a network.
    ///
    /// # Errors
    /// When it is not there, is the engine's own, or a container is in it.
    pub async fn remove_network(&self, name: &str) -> Result<()> {
        self.run(Call::new(&operation::NETWORK_REMOVE, name)).await
    }

    /// Removes the networks that no container is in; tells their names.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn prune_networks(&self) -> Result<NetworksPruned> {
        self.fetch(Call::new(&operation::NETWORK_PRUNE, "")).await
    }
}
