//! Hosts: what they are and how they fare.

use std::time::Duration;

use tokio::sync::broadcast::Receiver;

use super::Services;
use crate::access::{Permit, host};
pub use crate::fleet::Change;
use crate::fleet::{Counts, HostFact};

/// Returns what is known of the host, and how many containers it has.
pub fn show(services: &Services, _permit: &Permit<host::View>) -> (HostFact, Counts) {
    (services.index().host(), services.index().counts())
}

/// Hears what changes on the host, from now on.
pub fn watch(services: &Services, _permit: &Permit<host::View>) -> Receiver<Change> {
    services.index().watch()
}

/// Returns what changed on the host in the last moments, the oldest first.
pub fn recent(services: &Services, _permit: &Permit<host::View>, within: Duration) -> Vec<Change> {
    services.index().recent(within)
}
