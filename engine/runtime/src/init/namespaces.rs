//! Step 2: which namespaces a container has, and what is set inside them.

use engine_sys::namespace::{self, Namespaces};

use super::{Failure, Step};
use crate::spec::{Network, Spec};

/// Returns the namespaces that a container is cloned into.
///
/// The one for control groups is missing: it shows the group of the process that makes it, so init
/// makes it after it has been put into its group.
pub(crate) fn wanted(network: Network) -> Namespaces {
    let always = Namespaces::MOUNT
        .and(Namespaces::PID)
        .and(Namespaces::UTS)
        .and(Namespaces::IPC)
        .and(Namespaces::TIME);
    match network {
        Network::None => always.and(Namespaces::NETWORK),
        Network::Host => always,
    }
}

/// Returns the namespaces that an exec enters, for a container cloned into `made`.
pub(crate) fn joined(made: Namespaces) -> Namespaces {
    made.and(Namespaces::CGROUP)
}

/// Makes the last namespace and sets names and the loopback interface in the fresh ones.
pub(super) fn settle(spec: &Spec) -> Step<()> {
    namespace::unshare(Namespaces::CGROUP)
        .map_err(Failure::to("make a control group namespace"))?;
    namespace::set_hostname(&spec.hostname).map_err(Failure::to(format!(
        "set the host name {:?}",
        spec.hostname
    )))?;
    namespace::set_domainname(&spec.domainname).map_err(Failure::to(format!(
        "set the domain name {:?}",
        spec.domainname
    )))?;
    if spec.network == Network::None {
        namespace::raise_loopback().map_err(Failure::to("bring the loopback interface up"))?;
    }
    Ok(())
}
