//! Step 5, before it: from the host's users to the container's own, where those are others.
//!
//! Everything that takes the host's rights has been done. From here on this process is the root of
//! the container's user namespace, and what it sees are copies of its mounts that belong to that
//! namespace: none of them can be taken off another.

use std::os::fd::AsFd as _;
use std::path::Path;

use engine_sys::namespace::{self, Namespaces};
use engine_sys::path::Root;
use engine_sys::users::IdMap;
use engine_sys::{fd, process, rlimit};

use super::namespaces::Members;
use super::rootfs::Rootfs;
use super::start::ChildStdio;
use super::{Failure, Step};
use crate::spec::{Process, Remap};

/// Becomes the container's root; returns its root as seen from there.
pub(super) fn enter(rootfs: Rootfs, members: &Members) -> Step<Rootfs> {
    let action = || Failure::to("enter the user namespace");
    let Some(users) = members.users() else {
        return Err(Failure::new("the user namespace is missing"));
    };
    drop(rootfs);
    namespace::enter(users, Namespaces::USER).map_err(action())?;
    namespace::unshare(Namespaces::MOUNT).map_err(Failure::to("make its mounts its own"))?;
    become_root()?;
    let root = Root::open(Path::new("/")).map_err(action())?;
    let proc = root
        .open_dir(Path::new("/proc"))
        .map_err(Failure::to("open /proc"))?;
    let mount = root
        .open_dir(Path::new("/"))
        .and_then(|dir| fd::duplicate(dir.as_fd()))
        .map_err(action())?;
    Ok(Rootfs::inside(root, Root::new(proc), mount))
}

/// Becomes root of the user namespace that this process has just entered; its rights stay.
pub(super) fn become_root() -> Step<()> {
    process::become_user(0, 0, &[0]).map_err(Failure::to("become the container's root"))?;
    // A change of user may have made it traceable, as the host is set.
    process::hide_from_tracers().map_err(Failure::to("hide from tracers"))
}

/// Does what only the host's root may do for a process of the container: its limits are raised,
/// and its streams belong to the container's root, who can give them away.
pub(super) fn prepare(remap: Remap, process: &Process, stdio: Option<&ChildStdio>) -> Step<()> {
    for limit in &process.rlimits {
        rlimit::raise_most(&limit.name, limit.hard)
            .map_err(Failure::to(format!("raise the limit {}", limit.name)))?;
    }
    let owner = IdMap::from(remap).first;
    for stream in stdio.iter().flat_map(|stdio| stdio.all()) {
        fd::give_to(stream, owner, owner).map_err(Failure::to("give away the streams"))?;
    }
    Ok(())
}

/// Returns who a number of the container is on the host.
pub(super) fn outside(remap: Option<Remap>, id: u32) -> Step<u32> {
    let Some(remap) = remap else { return Ok(id) };
    IdMap::from(remap).outside(id).ok_or_else(|| {
        Failure::new(format!(
            "the number {id} is nobody here: there are {} users and groups",
            remap.count
        ))
    })
}
