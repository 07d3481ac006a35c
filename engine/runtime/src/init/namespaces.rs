//! Step 2: which namespaces a container has, and what is set inside them.

use std::fs::{self, File};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use engine_sys::namespace::{self, Namespaces};
use engine_sys::process;

use super::{Failure, Step};
use crate::spec::{Member, Namespace, Network, Sharing, Spec};
use crate::users::Seed;

/// Returns the namespaces that a container is cloned into.
///
/// The one for control groups is missing: it shows the group of the process that makes it, so init
/// makes it after it has been put into its group.
pub(crate) fn wanted(spec: &Spec) -> Namespaces {
    let base = Namespaces::MOUNT.and(Namespaces::TIME);
    let base = match spec.sharing.pid {
        Namespace::Own => base.and(Namespaces::PID),
        _ => base,
    };
    match spec.remap {
        None => base.and(owned_by_users(spec)),
        // They are there already, and belong to the container's users.
        Some(_) => base,
    }
}

/// Returns the namespaces of its own that belong to the container's users, where those are others
/// than the host's.
pub(crate) fn owned_by_users(spec: &Spec) -> Namespaces {
    let Sharing { ipc, uts, .. } = &spec.sharing;
    [
        (*uts == Namespace::Own, Namespaces::UTS),
        (*ipc == Namespace::Own, Namespaces::IPC),
        (spec.network == Network::None, Namespaces::NETWORK),
    ]
    .into_iter()
    .filter(|(is_own, _)| *is_own)
    .fold(Namespaces::NONE, |all, (_, kind)| all.and(kind))
}

/// Returns the namespaces that an exec enters, for a container cloned into `made`.
pub(crate) fn joined(made: Namespaces, spec: &Spec) -> Namespaces {
    let sharing = &spec.sharing;
    let made = match spec.remap {
        None => made,
        Some(_) => made.and(owned_by_users(spec)).and(Namespaces::USER),
    };
    let differs = |one: &Namespace| *one != Namespace::Host;
    [
        (&sharing.pid, Namespaces::PID),
        (&sharing.uts, Namespaces::UTS),
        (&sharing.ipc, Namespaces::IPC),
        (&sharing.cgroup, Namespaces::CGROUP),
    ]
    .into_iter()
    .filter(|(one, _)| differs(one))
    .fold(made, |all, (_, kind)| all.and(kind))
    .and(match spec.network {
        Network::Of(_) => Namespaces::NETWORK,
        Network::None | Network::Host => Namespaces::NONE,
    })
}

/// The processes whose namespaces a container shares.
#[derive(Debug, Default)]
pub(crate) struct Members<'a> {
    pub(crate) pid: Option<OwnedFd>,
    ipc: Option<OwnedFd>,
    uts: Option<OwnedFd>,
    network: Option<OwnedFd>,
    /// Whose users the container's are, and who has the namespaces that belong to them.
    seed: Option<&'a Seed>,
}

impl<'a> Members<'a> {
    /// Opens each, while their numbers mean what the engine meant.
    pub(crate) fn open(spec: &Spec, seed: Option<&'a Seed>) -> Step<Self> {
        let sharing = &spec.sharing;
        Ok(Self {
            network: match &spec.network {
                Network::Of(of) => Some(open(of)?),
                Network::None | Network::Host => None,
            },
            pid: member(&sharing.pid)?,
            ipc: member(&sharing.ipc)?,
            uts: member(&sharing.uts)?,
            seed,
        })
    }

    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let all = [&self.pid, &self.ipc, &self.uts, &self.network];
        let seed = self.seed.into_iter();
        let seed = seed.flat_map(|seed| [seed.process(), seed.namespace()]);
        all.into_iter().flatten().map(OwnedFd::as_fd).chain(seed)
    }

    /// The process whose users are the container's, where those are not the host's.
    pub(super) fn users(&self) -> Option<BorrowedFd<'_>> {
        self.seed.map(Seed::process)
    }

    /// The container's user namespace, to show files as its own.
    pub(super) fn user_namespace(&self) -> Option<BorrowedFd<'_>> {
        self.seed.map(Seed::namespace)
    }

    /// Copies the shared memory of the container whose IPC namespace is shared.
    pub(super) fn shared_memory(&self) -> Step<Option<OwnedFd>> {
        const ACTION: &str = "share the other container's /dev/shm";
        let Some(ipc) = &self.ipc else {
            return Ok(None);
        };
        let home = File::open("/proc/self/ns/mnt").map_err(Failure::to(ACTION))?;
        namespace::enter(ipc, Namespaces::MOUNT).map_err(Failure::to(ACTION))?;
        let copied = super::mounts::shared_memory_here();
        namespace::enter(&home, Namespaces::MOUNT).map_err(Failure::to(ACTION))?;
        copied.map(Some)
    }
}

fn member(namespace: &Namespace) -> Step<Option<OwnedFd>> {
    match namespace {
        Namespace::Of(member) => open(member).map(Some),
        Namespace::Own | Namespace::Host => Ok(None),
    }
}

/// Opens the first process of a container, proven to be the one by its control group.
pub(crate) fn open(Member { pid, cgroup }: &Member) -> Step<OwnedFd> {
    let gone = || Failure::new("the container whose namespace is shared does not run any more");
    let pidfd = process::open(*pid).map_err(|_| gone())?;
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).map_err(|_| gone())?;
    // It lived before and after its group was read: so the group is this process's.
    process::signal(&pidfd, 0).map_err(|_| gone())?;
    if cgroup.is_empty() || !groups.lines().any(|line| line.ends_with(cgroup.as_str())) {
        return Err(gone());
    }
    Ok(pidfd)
}

/// Joins the namespaces that are shared, and sets names and the loopback interface in fresh ones.
pub(super) fn settle(spec: &Spec, members: &Members<'_>) -> Step<()> {
    let owned = owned_by_users(spec);
    if let Some(users) = members.users().filter(|_| owned != Namespaces::NONE) {
        namespace::enter(users, owned).map_err(Failure::to("enter the users' namespaces"))?;
    }
    for (member, kind) in [
        (&members.ipc, Namespaces::IPC),
        (&members.uts, Namespaces::UTS),
        (&members.network, Namespaces::NETWORK),
    ] {
        if let Some(member) = member {
            namespace::enter(member, kind)
                .map_err(Failure::to("share another container's namespace"))?;
        }
    }
    if spec.sharing.uts == Namespace::Own {
        namespace::set_hostname(&spec.hostname).map_err(Failure::to(format!(
            "set the host name {:?}",
            spec.hostname
        )))?;
        namespace::set_domainname(&spec.domainname).map_err(Failure::to(format!(
            "set the domain name {:?}",
            spec.domainname
        )))?;
    }
    if spec.network == Network::None {
        namespace::raise_loopback().map_err(Failure::to("bring the loopback interface up"))?;
    }
    Ok(())
}

/// Makes the namespace that shows the groups which this process is in as the topmost.
pub(super) fn separate_groups(spec: &Spec) -> Step<()> {
    if spec.sharing.cgroup == Namespace::Host {
        return Ok(());
    }
    namespace::unshare(Namespaces::CGROUP).map_err(Failure::to("make a control group namespace"))
}
