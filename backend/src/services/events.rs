//! Events: what happened on a host.

use super::Services;
use crate::access::{Permit, event};
use crate::fleet::{EventFact, EventQuery, Page};

/// Returns a page of events, the newest first.
pub fn list(
    services: &Services,
    _permit: &Permit<event::List>,
    query: &EventQuery,
) -> Page<EventFact> {
    services.index().events(query)
}
