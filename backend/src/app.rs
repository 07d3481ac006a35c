//! The composition root: opens the database, joins the services, builds the router.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use engine_client::EngineClient;

use crate::clock::Clock;
use crate::domain::Front;
use crate::fleet::{Index, Link};
use crate::services::{self, Services};
use crate::store::{Store, StoreError};
use crate::tasks::Tasks;
use crate::{http, jobs};

/// The server, ready to answer. Cheap to clone: every handler holds one.
#[derive(Clone)]
pub struct App {
    /// What the product does.
    pub services: Services,
    /// What stands between the browsers and the server.
    pub front: Arc<Front>,
}

impl App {
    /// Opens the database in the data directory and joins everything to the engine's socket.
    ///
    /// # Errors
    /// When the database cannot be opened or is from a newer version.
    pub async fn open(
        data: &Path,
        engine_socket: &Path,
        front: Front,
        tasks: Tasks,
    ) -> Result<Self, StoreError> {
        let store = Store::open(&data.join("gantry.db")).await?;
        let client = EngineClient::unix(engine_socket);
        Ok(Self::new(store, Clock::System, tasks, client, front))
    }

    /// Joins everything; tests bring a database, a clock and an engine of their own.
    pub fn new(
        store: Store,
        clock: Clock,
        tasks: Tasks,
        client: EngineClient,
        front: Front,
    ) -> Self {
        let link = Link::new(client);
        Self {
            services: Services::new(store, clock, tasks, Index::default(), link),
            front: Arc::new(front),
        }
    }

    /// Begins what goes on beside the requests: following the engine, and the background loops.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(&self) -> Result<(), services::Error> {
        services::audit::end_interrupted(&self.services).await?;
        services::updates::begin(&self.services).await?;
        let tasks = self.services.tasks();
        tasks.spawn("follow engine", self.services.clone().follow_engine());
        jobs::begin(&self.services);
        Ok(())
    }

    /// Returns the path of a fresh set-up link, while there is no account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setup_link(&self) -> Result<Option<String>, services::Error> {
        let token = services::setup::new_token(&self.services).await?;
        Ok(token.map(|token| frontend::paths::Setup(&token).to_string()))
    }

    /// Returns everything that browsers may ask for.
    pub fn router(&self) -> Router {
        http::router(self)
    }

    /// Closes the database, when nobody asks any more.
    pub async fn close(&self) {
        self.services.store().close().await;
    }
}
