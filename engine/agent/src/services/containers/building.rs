//! What a build does with containers: each step that changes files has one, made of an image that
//! is nowhere listed. It is a container like every other while it lives.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use engine_api::containers::CreateBody;
use engine_api::id::ContainerId;
use engine_storage::{LayerError, LayerOptions, PackError};

use super::registry::Containers;
use super::users;
use crate::records::StepBind;
use crate::services::error::{Result, chain};
use crate::services::images::{ImageForContainer, LayersHeld};

/// Writes what a container changed as the archive of a layer. Blocks.
pub(crate) type LayerWriter = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

impl Containers {
    /// Makes the container of a step, under an id that was written down before.
    ///
    /// # Errors
    /// When an option is refused; nothing is left then.
    pub(crate) async fn create_step(
        &self,
        id: &ContainerId,
        asked: CreateBody,
        made_of: (ImageForContainer, LayersHeld),
        binds: Vec<StepBind>,
    ) -> Result<()> {
        let id_of_it = id.clone();
        let created = self.create_of(None, asked, made_of, id_of_it, Some(binds));
        let created = created.await?;
        for warning in created.warnings {
            tracing::debug!(container.id = id.as_str(), warning, "of a build's step");
        }
        let handle = self.find(id.as_str())?;
        handle.is_step.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The step's files are read: from now on it may be pruned like every other container.
    pub(crate) fn let_step_go(&self, id: &ContainerId) {
        if let Ok(handle) = self.find(id.as_str()) {
            handle.is_step.store(false, Ordering::Relaxed);
        }
    }

    /// Returns what writes a container's changes as a layer; nothing in it is later than `latest`,
    /// in seconds since 1970.
    ///
    /// # Errors
    /// When the container is not there.
    pub(crate) fn layer_writer(
        &self,
        id: &ContainerId,
        latest: Option<i64>,
    ) -> Result<LayerWriter> {
        let record = Arc::clone(&self.find(id.as_str())?.view().record);
        let snapshot = users::snapshot(&self.site, &record);
        // What was mounted for the step is no part of what it made.
        let binds = record.step_binds.iter().map(|bind| &bind.target);
        let others = record.host_config.mounts.iter().map(|mount| &mount.target);
        let options = LayerOptions {
            latest,
            mount_points: binds.chain(others).map(PathBuf::from).collect(),
        };
        Ok(Box::new(move |target| {
            let written = snapshot.write_layer_with(&record.layers, &options, target);
            match written {
                Ok(_) => Ok(()),
                Err(LayerError::Pack(PackError::Write(error))) => Err(error),
                Err(error) => Err(io::Error::other(chain(&error))),
            }
        }))
    }
}
