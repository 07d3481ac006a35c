//! The time of day; the only place of this crate that asks for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Tells the time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that a test moves by hand.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// Returns nanoseconds since 1970.
    pub fn now_ns(&self) -> i64 {
        match self {
            Self::System => system_ns(),
            Self::Fixed(time) => time.load(Ordering::Relaxed),
        }
    }

    /// Returns the time as a timestamp.
    pub fn now(&self) -> Timestamp {
        timestamp(self.now_ns())
    }
}

/// Turns nanoseconds since 1970 into a timestamp.
pub fn timestamp(unix_ns: i64) -> Timestamp {
    // Every i64 of nanoseconds lies between the years 1677 and 2262, which Timestamp covers.
    Timestamp::from_nanosecond(i128::from(unix_ns)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Writes a time as Docker's inspect does: RFC 3339 with nine digits and `Z`.
pub fn rfc3339(unix_ns: i64) -> String {
    format!("{:.9}", timestamp(unix_ns))
}

/// Writes a moment in whole seconds, as Docker's volumes have it.
pub fn rfc3339_seconds(unix_ns: i64) -> String {
    format!("{:.0}", timestamp(unix_ns))
}

#[expect(clippy::disallowed_methods, reason = "this is the crate's clock.rs")]
fn system_ns() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_nine_digits() {
        assert_eq!(
            rfc3339(1_700_000_000_000_000_120),
            "2023-11-14T22:13:20.000000120Z"
        );
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000000000Z");
    }
}
