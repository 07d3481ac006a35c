//! Making every process of a container stand still, and letting it go on.
//!
//! The kernel's freezer is the only truth: an engine that begins asks it.

use std::sync::Arc;

use engine_runtime::Phase;
use engine_runtime::cgroups::Cgroup;

use super::command::Command;
use super::owner::Owner;
use super::registry::{Containers, Site};
use crate::faults;
use crate::records::ContainerRecord;
use crate::services::error::{Result, ServiceError};
use crate::tasks::blocking;

impl Containers {
    /// Makes a container stand still.
    ///
    /// # Errors
    /// When it is not there, does not run, or stands still already.
    pub(crate) async fn pause(&self, reference: &str) -> Result<()> {
        self.find(reference)?
            .ask(|reply| Command::Pause { reply })
            .await
    }

    /// Lets a container go on.
    ///
    /// # Errors
    /// When it is not there or does not stand still.
    pub(crate) async fn unpause(&self, reference: &str) -> Result<()> {
        self.find(reference)?
            .ask(|reply| Command::Unpause { reply })
            .await
    }
}

impl Owner {
    pub(super) async fn pause(&mut self) -> Result<()> {
        let id = self.record.id.clone();
        let conflict = |message: String| Err(ServiceError::Conflict(message));
        if self.restart_at.is_some() {
            return conflict(self.view.borrow().is_restarting());
        }
        if !matches!(self.phase, Phase::Running { .. }) {
            return conflict(format!("container {id} is not running"));
        }
        if self.paused {
            return conflict(format!("container {id} is already paused"));
        }
        // A look at its health would stand still too, and count as too slow.
        self.probing = None;
        let (site, record) = (Arc::clone(&self.site), Arc::clone(&self.record));
        let frozen = blocking(move || group(&site, &record)?.freeze()).await;
        if let Err(error) = frozen {
            self.begin_probing();
            return Err(ServiceError::failed(format!("pause container {id}"))(error));
        }
        faults::point("pause.frozen");
        self.paused = true;
        self.publish_view();
        self.tell("pause", []);
        Ok(())
    }

    pub(super) async fn unpause(&mut self) -> Result<()> {
        let id = &self.record.id;
        if !self.paused {
            let message = format!("container {id} is not paused");
            return Err(ServiceError::Conflict(message));
        }
        let (site, record) = (Arc::clone(&self.site), Arc::clone(&self.record));
        blocking(move || group(&site, &record)?.thaw())
            .await
            .map_err(ServiceError::failed(format!("unpause container {id}")))?;
        self.paused = false;
        self.publish_view();
        self.tell("unpause", []);
        self.begin_probing();
        Ok(())
    }
}

/// Tells whether a container that runs stands still. What cannot be read goes on.
pub(crate) fn is_paused(site: &Site, record: &ContainerRecord) -> bool {
    group(site, record)
        .and_then(|group| group.is_frozen())
        .unwrap_or(false)
}

pub(super) fn group(
    site: &Site,
    record: &ContainerRecord,
) -> Result<Cgroup, engine_runtime::cgroups::CgroupError> {
    Cgroup::open(&site.layout, &site.cgroup(record))
}
