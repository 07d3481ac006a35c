//! A file or directory of the host that is to be mounted: held open while it is judged and until
//! it is mounted, so that the one is the other, whatever its path leads to meanwhile.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use engine_sys::dir::metadata_of;
use engine_sys::{mount, pinned};

use crate::error::{Error, Result};
use crate::spec::Identity;

/// What a path led to when it was opened.
#[derive(Debug)]
pub struct Source {
    _fd: OwnedFd,
    location: PathBuf,
    identity: Identity,
}

impl Source {
    /// Opens what the path leads to now, without looking into it.
    ///
    /// # Errors
    /// When there is nothing.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = || Error::sys("open what is to be mounted");
        let fd = mount::open_source(path).map_err(failed())?;
        let location = pinned::location(&fd).map_err(failed())?;
        let metadata = metadata_of(&fd).map_err(failed())?;
        let identity = Identity {
            file_system: metadata.file_system,
            inode: metadata.inode,
        };
        Ok(Self {
            _fd: fd,
            location,
            identity,
        })
    }

    /// Where it really lies, no link on the way.
    pub fn location(&self) -> &Path {
        &self.location
    }

    /// By what it is known again, as long as this is held.
    pub fn identity(&self) -> Identity {
        self.identity
    }
}
