//! Leaves the host's root for another one, for good.

use std::os::fd::AsFd;

use rustix::mount::UnmountFlags;

use crate::{During as _, Result};

/// Makes the mount whose root is `new_root` this namespace's root and forgets the old one.
///
/// # Errors
/// `EINVAL` when `new_root` is not the root of a mount.
pub fn into(new_root: impl AsFd) -> Result<()> {
    rustix::process::fchdir(new_root).during("fchdir", "the new root")?;
    // The old root is stacked on top of the new one and taken away from there: no directory for
    // it is needed inside the container.
    rustix::process::pivot_root(".", ".").during("pivot_root", "the new root")?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).during("umount2", "the old root")?;
    rustix::process::chdir("/").during("chdir", "/")
}
