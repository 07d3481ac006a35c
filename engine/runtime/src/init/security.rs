//! Step 6: limits, filter and capabilities, in the one order that works.
//!
//! The filter comes first, while this process may still install one without `no_new_privs`; the
//! bounding set next, which needs a capability that the last step takes away.

use std::os::fd::BorrowedFd;

use engine_sys::capability::{self, Capability, CapabilitySet, Sets};
use engine_sys::{fd, process, rlimit};

use super::user::User;
use super::{Failure, Step};
use crate::seccomp;
use crate::spec::{Process, Seccomp};

/// What a process may do, resolved before anything is given up.
pub(super) struct Rights<'a> {
    pub(super) process: &'a Process,
    pub(super) user: &'a User,
    /// Names of the capabilities to keep.
    pub(super) capabilities: &'a [String],
    pub(super) seccomp: Seccomp,
    /// The filter compiled before; without it, it is compiled here.
    pub(super) filter: Option<BorrowedFd<'a>>,
}

/// Gives up everything that the program shall not have.
pub(super) fn confine(rights: &Rights<'_>) -> Step<()> {
    for limit in &rights.process.rlimits {
        rlimit::set(&limit.name, limit.soft, limit.hard)
            .map_err(Failure::to(format!("set the limit {}", limit.name)))?;
    }
    let own = capability::bounding().map_err(Failure::to("read the own bounding set"))?;
    let keep = named(rights.capabilities)?.intersection(own);
    if rights.process.no_new_privileges {
        process::refuse_new_privileges().map_err(Failure::to("refuse new privileges"))?;
    }
    if rights.seccomp == Seccomp::Default {
        install_filter(rights.filter, keep)?;
    }
    capability::limit_bounding(keep).map_err(Failure::to("limit the bounding set"))?;
    capability::clear_ambient().map_err(Failure::to("empty the ambient set"))?;
    capability::keep_over_setuid(true).map_err(Failure::to("keep capabilities"))?;
    let User {
        uid, gid, groups, ..
    } = rights.user;
    process::become_user(*uid, *gid, groups)
        .map_err(Failure::to(format!("become user {uid} and group {gid}")))?;
    let held = if *uid == 0 {
        keep
    } else {
        CapabilitySet::EMPTY
    };
    let sets = Sets {
        effective: held,
        permitted: held,
        inheritable: CapabilitySet::EMPTY,
    };
    capability::set(&sets).map_err(Failure::to("give up capabilities"))
}

fn install_filter(compiled: Option<BorrowedFd<'_>>, keep: CapabilitySet) -> Step<()> {
    let action = || Failure::to("load the system call filter");
    let Some(compiled) = compiled else {
        return engine_sys::seccomp::install(&seccomp::filter(keep)).map_err(action());
    };
    let bytes = fd::read_sealed(compiled).map_err(action())?;
    let filter = seccomp::decode(&bytes)
        .ok_or_else(|| Failure::new("the engine has sent a damaged system call filter"))?;
    engine_sys::seccomp::install(&filter).map_err(action())
}

fn named(names: &[String]) -> Step<CapabilitySet> {
    names
        .iter()
        .map(|name| {
            name.parse::<Capability>()
                .map_err(|error| Failure::new(error.to_string()))
        })
        .collect()
}
