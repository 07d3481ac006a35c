//! What of a volume is mounted in a container: opened, judged and named.

use std::path::{Path, PathBuf};

use engine_runtime::Source;
use engine_storage::{Backing, Judge, locate_below};

use super::service::Volumes;
use super::using::backing;
use crate::services::error::{Result, ServiceError};

impl Volumes {
    /// Opens what is to be mounted: the volume, or what lies at a path in it. Blocks.
    ///
    /// # Errors
    /// When it is not there, or leads to what the host denies.
    pub(crate) fn open_source(&self, name: &str, subpath: &str) -> Result<(PathBuf, Source)> {
        let path = self.location(name, subpath)?;
        let opened =
            Source::open(&path).map_err(ServiceError::failed(format!("mount volume {name}")))?;
        let record = self.record(name)?;
        let is_elsewhere = matches!(backing(&record)?, Backing::Directory { .. });
        if is_elsewhere && !self.may_show(opened.location()) {
            return Err(ServiceError::Forbidden(format!(
                "the profile of this host does not allow to mount {}, which belongs to the engine",
                path.display()
            )));
        }
        // What was swapped in meanwhile may lie anywhere.
        if !opened.location().starts_with(self.root_of(name)?) {
            return Err(gone(subpath, name));
        }
        let path = opened.location().to_owned();
        Ok((path, opened))
    }

    /// Names what a container that rests would have, with who judges it when it is opened; `None`
    /// where there is nothing.
    pub(crate) fn resting(&self, name: &str, subpath: &str) -> Option<(PathBuf, Judge)> {
        let path = self.location(name, subpath).ok()?;
        let root = self.root_of(name).ok()?;
        let guard = self.guard.clone();
        let is_elsewhere = !root.starts_with(self.store.data(name));
        let judge = Judge::by(move |location| {
            location.starts_with(&root) && (!is_elsewhere || guard.may_show(location))
        });
        Some((path, judge))
    }

    /// The directory that a volume's files lie in, no link on the way to it.
    pub(super) fn root_of(&self, name: &str) -> Result<PathBuf> {
        let path = match backing(&*self.record(name)?)? {
            Backing::Directory { path, .. } => path,
            Backing::Own | Backing::Mounted(_) => self.store.data(name),
        };
        path.canonicalize().map_err(|error| {
            let message = format!("mount local volume: mount {}", path.display());
            ServiceError::failed(message)(error)
        })
    }

    /// Finds where a path of a volume really lies, looked up inside the volume.
    fn location(&self, name: &str, subpath: &str) -> Result<PathBuf> {
        let root = self.root_of(name)?;
        if subpath.is_empty() {
            return Ok(root);
        }
        let location = locate_below(&root, Path::new(subpath)).map_err(|_| gone(subpath, name))?;
        match location.starts_with(&root) {
            true => Ok(location),
            false => Err(gone(subpath, name)),
        }
    }

    /// Says whether the volume's own options let nothing be written.
    pub(crate) fn is_readonly(&self, name: &str) -> bool {
        let record = self.record(name).ok();
        let backing = record.and_then(|record| backing(&record).ok());
        matches!(backing, Some(Backing::Directory { readonly: true, .. }))
    }
}

fn gone(subpath: &str, name: &str) -> ServiceError {
    ServiceError::BadRequest(format!(
        "failed to mount the volume {name}: cannot find the subpath {subpath:?} in it"
    ))
}
