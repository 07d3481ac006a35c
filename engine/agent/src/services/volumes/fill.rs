//! An image's content goes into a volume that nobody has used: once, and whole or not at all.
//!
//! ```text
//!   a volume's own directory:  copy beside it ── sync ── rename over the empty one ── note
//!   another directory:         note "copying" ── copy ── note     (begun again when it broke off)
//! ```
//!
//! The rename succeeds over an empty directory alone; so whatever somebody has put there stays,
//! however late it came (podman CVE-2020-1726).

use std::sync::Arc;

use engine_storage::{
    Backing, Content, Fill, TreeRoot, VolumeRecord, is_empty_directory, settle_content,
};

use super::service::{Entry, Volumes};
use super::using::backing;
use crate::faults;
use crate::services::error::{Result, ServiceError};

/// Copies an image's directory into a root; `None` when the image has none there.
pub(super) type Filler<'f> = &'f mut dyn FnMut(&TreeRoot) -> Result<Option<Content>>;

/// When a volume is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// When a container is made: volumes that lie in their own directory.
    Create,
    /// When a container is about to run: all others, which are mounted then.
    Start,
}

impl Volumes {
    /// Says whether an image's content may go into a volume at that moment.
    pub(crate) fn may_fill(&self, name: &str, moment: Moment) -> bool {
        let record = self.record(name).ok();
        record.is_some_and(|record| may_fill(&record, moment))
    }

    /// Fills a volume, if nobody has used it and nothing is in it. Blocks.
    ///
    /// # Errors
    /// When the content cannot be copied; the volume is as it was then, or is filled the next time.
    pub(crate) fn fill(&self, name: &str, moment: Moment, copy: Filler<'_>) -> Result<()> {
        let entry = self.entry(name)?;
        let _work = entry.work();
        let record = self.record(name)?;
        // Another container may have been quicker.
        if !may_fill(&record, moment) {
            return Ok(());
        }
        match moment {
            Moment::Create => self.fill_own(&entry, &record, copy),
            Moment::Start => self.fill_in_place(&entry, &record, copy),
        }
    }

    /// From now on no image's content goes into a volume. Blocks.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub(crate) fn note_use(&self, name: &str) -> Result<()> {
        if self.record(name)?.fill == Fill::Used {
            return Ok(());
        }
        let entry = self.entry(name)?;
        let _work = entry.work();
        self.change(&entry, |record| record.fill = Fill::Used)
    }

    fn fill_own(&self, entry: &Entry, record: &Arc<VolumeRecord>, copy: Filler<'_>) -> Result<()> {
        let name = record.name.as_str();
        let failed = || ServiceError::failed("copy the image's content into the volume");
        if !self.store.is_empty(name).map_err(failed())? {
            return Ok(());
        }
        let staged = self.store.stage(name).map_err(failed())?;
        faults::point("copy_up.begun");
        let copied = copy(&staged);
        drop(staged);
        let content = match copied {
            Ok(Some(content)) => content,
            nothing => {
                self.store.drop_staged(name);
                return nothing.map(drop);
            }
        };
        faults::point("copy_up.copied");
        self.store
            .settle_staged(name, content.owner, content.mode)
            .map_err(failed())?;
        let is_taken = self.store.take_staged(name).map_err(failed())?;
        faults::point("copy_up.placed");
        if is_taken && content.has_any {
            self.change(entry, |record| record.fill = Fill::Filled)?;
        }
        faults::point("copy_up.noted");
        Ok(())
    }

    fn fill_in_place(
        &self,
        entry: &Entry,
        record: &Arc<VolumeRecord>,
        copy: Filler<'_>,
    ) -> Result<()> {
        let failed = || "copy the image's content into the volume";
        let root = self.root_of(&record.name)?;
        let tree = TreeRoot::open(&root).map_err(ServiceError::failed(failed()))?;
        let is_empty = is_empty_directory(&root).map_err(ServiceError::failed(failed()))?;
        if !is_empty && record.fill != Fill::Copying {
            return Ok(());
        }
        self.change(entry, |record| record.fill = Fill::Copying)?;
        faults::point("copy_up.begun");
        if let Some(content) = copy(&tree)? {
            settle_content(&root, &content).map_err(ServiceError::failed(failed()))?;
        }
        faults::point("copy_up.copied");
        self.change(entry, |record| record.fill = Fill::Filled)
    }
}

fn may_fill(record: &VolumeRecord, moment: Moment) -> bool {
    let may_now = match backing(record) {
        Ok(Backing::Own) => moment == Moment::Create,
        Ok(Backing::Directory { readonly, .. }) => moment == Moment::Start && !readonly,
        Ok(Backing::Mounted(wish)) => moment == Moment::Start && !wish.is_readonly(),
        Err(_) => false,
    };
    may_now && matches!(record.fill, Fill::Fresh | Fill::Copying)
}
