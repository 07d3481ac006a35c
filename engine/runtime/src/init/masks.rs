//! Step 3, the end: what of `/proc` and `/sys` is hidden, and what is read-only.

use std::os::fd::OwnedFd;
use std::path::Path;

use engine_sys::Errno;
use engine_sys::dir::metadata_of;
use engine_sys::mount::{self, Attributes};
use engine_sys::path::{FileType, Mode, OFlags, Root};

use super::{Failure, Step};
use crate::spec::Spec;

/// Puts masks and read-only copies over the paths that the spec names and the kernel has.
///
/// `null` is the container's `/dev/null`, made and checked by us; it hides files.
pub(super) fn apply(root: &Root, spec: &Spec, null: &OwnedFd) -> Step<()> {
    for path in &spec.readonly_paths {
        if let Some(target) = find(root, Path::new(path))? {
            freeze(path, &target)?;
        }
    }
    if spec.masked_paths.is_empty() {
        return Ok(());
    }
    let mut nothing = None;
    for path in spec.masked_paths.iter().map(Path::new) {
        if let Some(target) = find(root, path)? {
            hide(path, &target, &mut nothing, null)?;
        }
    }
    Ok(())
}

fn find(root: &Root, path: &Path) -> Step<Option<OwnedFd>> {
    match root.open_at(path, OFlags::PATH, Mode::empty()) {
        Ok(target) => Ok(Some(target)),
        Err(error) if matches!(error.errno, Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(error) => Err(Failure::to(format!("open {}", path.display()))(error)),
    }
}

fn freeze(path: &str, target: &OwnedFd) -> Step<()> {
    let action = || Failure::to(format!("make {path} read-only"));
    let copy = mount::copy(target, true).map_err(action())?;
    mount::restrict(&copy, Attributes::MOUNT_ATTR_RDONLY, true).map_err(action())?;
    mount::attach(&copy, target).map_err(action())
}

/// Covers a path: a file with the null device, a directory with one empty directory for all.
fn hide(path: &Path, target: &OwnedFd, nothing: &mut Option<OwnedFd>, null: &OwnedFd) -> Step<()> {
    let action = || Failure::to(format!("hide {}", path.display()));
    let kind = metadata_of(target).map_err(action())?.kind;
    let original = match (kind, &*nothing) {
        (FileType::Directory, Some(nothing)) => nothing,
        (FileType::Directory, None) => {
            let made = empty_directory()?;
            mount::attach(&made, target).map_err(action())?;
            *nothing = Some(made);
            return Ok(());
        }
        _ => null,
    };
    let copy = mount::copy(original, false).map_err(action())?;
    mount::attach(&copy, target).map_err(action())
}

fn empty_directory() -> Step<OwnedFd> {
    let attributes = Attributes::MOUNT_ATTR_RDONLY
        | Attributes::MOUNT_ATTR_NOSUID
        | Attributes::MOUNT_ATTR_NODEV
        | Attributes::MOUNT_ATTR_NOEXEC;
    let parameters = [("mode", "555"), ("size", "4k"), ("nr_inodes", "2")];
    mount::create("tmpfs", &parameters, attributes).map_err(Failure::to("make an empty directory"))
}
