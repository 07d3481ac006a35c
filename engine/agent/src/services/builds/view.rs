//! The files of an image so far, for one thread: read, or changed and taken as a layer.
//!
//! No container is made for it, and nothing of it is mounted where anybody else could see it.

use std::path::PathBuf;
use std::sync::Arc;

use engine_storage::{Access, LayerError, LayerOptions, Merged, PackError, Snapshot, TreeRoot};

use crate::records::BuildDir;
use crate::services::error::{Result, ServiceError, chain};
use crate::services::images::LayersHeld;

/// The directory below an image without layers.
const NOTHING: &str = "nothing";

/// An overlay on top of an image's layers.
pub(super) struct View {
    snapshot: Snapshot,
    lowers: Vec<PathBuf>,
    _held: LayersHeld,
    /// It goes when nobody looks any more.
    _build: Arc<BuildDir>,
}

impl View {
    /// Makes the overlay's directories, under a name that the build has not used. Blocks.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn make(
        build: &Arc<BuildDir>,
        name: &str,
        mut lowers: Vec<PathBuf>,
        held: LayersHeld,
    ) -> Result<Self> {
        let failed = || ServiceError::failed("look at the files of a step");
        if lowers.is_empty() {
            // Of two stages that begin with nothing at once, one makes it.
            if build.open(NOTHING).is_err()
                && let Err(error) = build.make(NOTHING)
            {
                build.open(NOTHING).map_err(|_| failed()(error))?;
            }
            lowers.push(build.path_of(NOTHING));
        }
        build.make(name).map_err(failed())?;
        let snapshot = Snapshot::at(&build.path_of(name));
        let created = snapshot.create(&lowers);
        created.map_err(ServiceError::failed("make the files of a step"))?;
        Ok(Self {
            snapshot,
            lowers,
            _held: held,
            _build: Arc::clone(build),
        })
    }

    /// Reads the files. Blocks.
    ///
    /// # Errors
    /// When they cannot be mounted.
    pub(super) fn read<T: Send>(&self, work: impl FnOnce(&TreeRoot) -> T + Send) -> Result<T> {
        self.with(Access::Read, work)
    }

    /// Changes the files. Blocks.
    ///
    /// # Errors
    /// When they cannot be mounted.
    pub(super) fn change<T: Send>(&self, work: impl FnOnce(&TreeRoot) -> T + Send) -> Result<T> {
        let access = Access::Write {
            readonly_root: false,
        };
        self.with(access, work)
    }

    fn with<T: Send>(&self, access: Access, work: impl FnOnce(&TreeRoot) -> T + Send) -> Result<T> {
        let merged = Merged {
            snapshot: self.snapshot.clone(),
            lowers: self.lowers.clone(),
            binds: Vec::new(),
            users: None,
        };
        merged
            .with(access, work)
            .map_err(ServiceError::failed("mount the files of a step"))
    }

    /// Writes what was changed as the archive of a layer. Blocks.
    ///
    /// # Errors
    /// When something cannot be read or written.
    pub(super) fn write_layer(
        self,
        latest: Option<i64>,
        target: &mut dyn std::io::Write,
    ) -> std::io::Result<()> {
        let options = LayerOptions {
            latest,
            ..LayerOptions::default()
        };
        let written = self
            .snapshot
            .write_layer_with(&self.lowers, &options, target);
        match written {
            Ok(_) => Ok(()),
            Err(LayerError::Pack(PackError::Write(error))) => Err(error),
            Err(error) => Err(std::io::Error::other(chain(&error))),
        }
    }
}
