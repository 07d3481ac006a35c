//! Who has a volume, and for whom it is there.

use std::path::Path;
use std::sync::Arc;

use engine_storage::{Backing, Fill, VolumeRecord};

use super::service::{Entry, Volumes, Wish};
use crate::faults;
use crate::services::error::{Result, ServiceError, chain};

/// What a container at boot has, and whether it runs.
pub(crate) struct Held<'r> {
    pub(crate) by: &'r str,
    pub(crate) name: &'r str,
    pub(crate) is_live: bool,
}

impl Volumes {
    /// Takes a volume for a container, made where it is not there. Blocks.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn hold(&self, wish: &Wish, by: &str) -> Result<()> {
        self.make(wish, Some(by)).map(drop)
    }

    /// A container has a volume no longer.
    pub(crate) fn let_go(&self, name: &str, by: &str) {
        if let Ok(entry) = self.entry(name) {
            entry.state().users.remove(by);
        }
    }

    /// Removes a volume that a container took along when it went, unless somebody else has it. Blocks.
    pub(crate) fn remove_with(&self, name: &str) {
        match self.take_away(name) {
            Ok(()) | Err(ServiceError::NotFound(_) | ServiceError::Conflict(_)) => {}
            Err(error) => {
                let reason = chain(&error);
                tracing::warn!(volume = name, reason, "an anonymous volume is still there");
            }
        }
    }

    /// Takes what containers of the last engine have, takes away what a change that broke off has left,
    /// and unmounts what nobody uses any more. Blocks; called once, before anything else.
    pub(crate) fn adopt(&self, held: &[Held<'_>], orphans: &[String]) {
        for Held { by, name, is_live } in held {
            let Ok(entry) = self.entry(name) else {
                tracing::error!(
                    container.id = by,
                    volume = name,
                    "a container's volume is missing"
                );
                continue;
            };
            let mut state = entry.state();
            state.users.insert((*by).to_owned());
            if *is_live {
                state.active.insert((*by).to_owned());
            }
        }
        for (name, entry) in self.entries() {
            self.unmount_unused(&entry, &name);
            let state = entry.state().clone();
            let is_half = state.record.is_some_and(|record| {
                // A clone that broke off, or what was made for a container that never came to be.
                (record.options.is_empty() && record.fill == Fill::Copying)
                    || (record.is_anonymous
                        && record.made_for.is_some()
                        && record.fill != Fill::Used)
            });
            if state.users.is_empty() && (is_half || orphans.contains(&name)) {
                self.remove_with(&name);
            }
        }
    }

    /// Sees to it that a volume's files are there for a container that is about to run. Blocks.
    ///
    /// # Errors
    /// When it is gone, or cannot be mounted.
    pub(crate) fn begin(&self, name: &str, by: &str) -> Result<()> {
        let entry = self.entry(name)?;
        let _work = entry.work();
        let record = self.record(name)?;
        if let Backing::Mounted(_) = backing(&record)? {
            self.mount(&record)?;
        }
        entry.state().active.insert(by.to_owned());
        faults::point("volume.begun");
        Ok(())
    }

    /// Tells that a container has a volume's files now.
    pub(crate) fn tell_mount(&self, name: &str, by: &str, destination: &str, readonly: bool) {
        let more = [
            ("container", by.to_owned()),
            ("destination", destination.to_owned()),
            ("read/write", (!readonly).to_string()),
            ("propagation", String::new()),
        ];
        self.tell("mount", name, more);
    }

    /// A container does not run any more: what was mounted for it alone goes. Blocks.
    pub(crate) fn end(&self, name: &str, by: &str) {
        if self.put_down(name, by) {
            self.tell("unmount", name, [("container", by.to_owned())]);
        }
    }

    /// Puts down what [`Self::begin`] has taken up; `false` when it was not.
    pub(super) fn put_down(&self, name: &str, by: &str) -> bool {
        let Ok(entry) = self.entry(name) else {
            return false;
        };
        let _work = entry.work();
        let was_active = entry.state().active.remove(by);
        if was_active {
            self.unmount_unused(&entry, name);
        }
        was_active
    }

    /// Mounts a volume's file system, unless it is there already.
    fn mount(&self, record: &VolumeRecord) -> Result<()> {
        let name = record.name.as_str();
        let Backing::Mounted(wish) = backing(record)? else {
            return Ok(());
        };
        let is_mounted = self.store.is_mounted(name);
        if is_mounted.map_err(ServiceError::failed("look at the volume"))? {
            return Ok(());
        }
        let target = self.store.data(name);
        wish.mount(&target, self.owner).map_err(|error| {
            let (device, options) = (&wish.device, &wish.options);
            ServiceError::failed(format!(
                "mount local volume: mount {device}:{}, data: {options}",
                target.display()
            ))(error)
        })
    }

    fn unmount_unused(&self, entry: &Entry, name: &str) {
        let is_ours = {
            let state = entry.state();
            let is_mounted =
                |record: &Arc<VolumeRecord>| matches!(backing(record), Ok(Backing::Mounted(_)));
            state.active.is_empty() && state.record.as_ref().is_some_and(is_mounted)
        };
        if !is_ours || !self.store.is_mounted(name).unwrap_or(false) {
            return;
        }
        if let Err(error) = self.store.unmount(name) {
            tracing::error!(
                volume = name,
                reason = chain(&error),
                "a volume stays mounted"
            );
        }
    }

    /// Where a volume's files lie, for messages and inspect.
    pub(crate) fn mountpoint(&self, name: &str) -> String {
        self.store.data(name).display().to_string()
    }

    /// Judges a place on the host that a volume leads to.
    pub(super) fn may_show(&self, location: &Path) -> bool {
        self.guard.may_show(location)
    }
}

/// What a volume's files lie on.
pub(super) fn backing(record: &VolumeRecord) -> Result<Backing> {
    // They were read when it was made.
    Backing::of(&record.options).map_err(ServiceError::failed("read the volume's options"))
}
