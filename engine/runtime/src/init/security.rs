//! Step 6: limits, filter and capabilities, in the one order that works.
//!
//! The bounding set comes first, which needs a capability that a later step takes away; the filter
//! last, since a given one may refuse every call on the way. Without `no_new_privs` loading it takes
//! the right of an administrator, which is kept until then and given up behind it.

use std::os::fd::BorrowedFd;

use engine_sys::capability::{self, Capability, CapabilitySet, Sets};
use engine_sys::seccomp::Instruction;
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

/// The last two steps: the filter, and what had to be kept to load it.
pub(super) struct Last {
    filter: Option<Vec<Instruction>>,
    /// To give up after the filter, which must allow that.
    sets: Option<Sets>,
}

/// Gives up everything that the program shall not have, but for what [`Last::seal`] needs.
pub(super) fn give_up(rights: &Rights<'_>) -> Step<Last> {
    for limit in &rights.process.rlimits {
        rlimit::set(&limit.name, limit.soft, limit.hard)
            .map_err(Failure::to(format!("set the limit {}", limit.name)))?;
    }
    let own = capability::bounding().map_err(Failure::to("read the own bounding set"))?;
    let keep = named(rights.capabilities)?.intersection(own);
    if rights.process.no_new_privileges {
        process::refuse_new_privileges().map_err(Failure::to("refuse new privileges"))?;
    }
    let filter = filter(rights, keep)?;
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
    // Loading a filter is for the administrator, or for who can gain nothing any more.
    let for_filter = match filter.is_some() && !rights.process.no_new_privileges {
        true => held.with(Capability::SYS_ADMIN),
        false => held,
    };
    let sets = |held| Sets {
        effective: held,
        permitted: held,
        inheritable: CapabilitySet::EMPTY,
    };
    capability::set(&sets(for_filter)).map_err(Failure::to("give up capabilities"))?;
    Ok(Last {
        filter,
        sets: (for_filter != held).then(|| sets(held)),
    })
}

impl Last {
    /// Loads the filter; nothing but the program may follow.
    pub(super) fn seal(self) -> Step<()> {
        if let Some(filter) = self.filter {
            engine_sys::seccomp::install(&filter)
                .map_err(Failure::to("load the system call filter"))?;
        }
        match self.sets {
            Some(sets) => capability::set(&sets).map_err(Failure::to("give up capabilities")),
            None => Ok(()),
        }
    }
}

fn filter(rights: &Rights<'_>, keep: CapabilitySet) -> Step<Option<Vec<Instruction>>> {
    let Some(compiled) = rights.filter else {
        return match rights.seccomp {
            Seccomp::Unconfined => Ok(None),
            Seccomp::Default => Ok(Some(seccomp::filter(keep).to_vec())),
            Seccomp::Given => Err(Failure::new("the engine has sent no system call filter")),
        };
    };
    let bytes = fd::read_sealed(compiled).map_err(Failure::to("read the system call filter"))?;
    seccomp::decode(&bytes)
        .map(Some)
        .ok_or_else(|| Failure::new("the engine has sent a damaged system call filter"))
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
