//! Removing a container.

use std::sync::Arc;

use super::command::Command;
use super::registry::Containers;
use crate::services::error::{Result, ServiceError};

impl Containers {
    /// Removes a container, with the volumes made for it alone if it takes them; one that runs only if it
    /// may be killed for it.
    ///
    /// # Errors
    /// When it is not there, or runs.
    pub(crate) async fn remove(
        self: &Arc<Self>,
        reference: &str,
        force: bool,
        takes_volumes: bool,
        who: &str,
    ) -> Result<()> {
        let handle = self.find(reference)?;
        if handle.view().removing {
            let message = format!("removal of container {reference} is already in progress");
            return Err(ServiceError::Conflict(message));
        }
        if force && handle.view().is_up() {
            self.kill_to_remove(&handle, who).await?;
        }
        let removed = handle.ask(|reply| Command::Remove {
            takes_volumes,
            reply,
        });
        match removed.await {
            // With `--rm` it went by itself once it was killed.
            Err(ServiceError::NoSuchContainer(_)) if handle.view().gone => Ok(()),
            result => result,
        }
    }
}
