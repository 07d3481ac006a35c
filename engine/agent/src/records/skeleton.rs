//! What every container's root has below its image: the places where the engine mounts something.
//!
//! It is a layer under all others, one for all containers. An image that lacks such a place gets it
//! without a file of its own, so that a start writes nothing and the list of changes begins empty.
//! Docker has a layer of its own per container for the same.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use engine_sys::dir::Dir;
use engine_sys::path::Root;
use engine_sys::{Errno, SysError, file};

/// The files of `/etc` that every container gets from its engine, anew at each start.
pub(crate) const ETC: [&str; 3] = ["hostname", "hosts", "resolv.conf"];
const DIRECTORIES: [&str; 4] = ["dev", "etc", "proc", "sys"];

/// Makes it below the data directory, as far as it is not there; returns where it is.
///
/// # Errors
/// When the disk fails or is full.
pub(crate) fn make_skeleton(data: &Path) -> Result<PathBuf, SysError> {
    let path = data.join("skeleton");
    let root = Root::new(file::create_private_dir(&path)?);
    for name in DIRECTORIES {
        root.create_dir_all(Path::new(name), 0o755)?;
    }
    let etc = root.open_dir(Path::new("etc"))?;
    for name in ETC {
        keep(&etc, name.as_ref())?;
    }
    Ok(path)
}

fn keep(dir: &Dir, name: &OsStr) -> Result<(), SysError> {
    match dir.create_file(name, 0o644) {
        Err(error) if error.errno == Errno::EXIST => Ok(()),
        other => other.map(drop),
    }
}
