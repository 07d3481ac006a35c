//! The only place of this crate that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns nanoseconds since 1970.
pub(crate) fn unix_ns() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "this is the crate's clock")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since
        .ok()
        .and_then(|since| u64::try_from(since.as_nanos()).ok())
        .unwrap_or(0)
}
