//! Hosts: what they are and how they fare.

use super::Services;
use crate::access::{Permit, host};
use crate::fleet::{Counts, HostFact};

/// Returns what is known of the host, and how many containers it has.
pub fn show(services: &Services, _permit: &Permit<host::View>) -> (HostFact, Counts) {
    (services.index().host(), services.index().counts())
}
