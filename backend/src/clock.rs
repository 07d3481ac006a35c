//! Where time comes from. Everything else takes a [`Clock`] or a moment as an argument.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// Tells the time: the machine's, or a test's own.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// Stands still until a test moves it; seconds since the epoch.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// Returns a clock that stands at the given second until [`Clock::advance`].
    pub fn manual(second: i64) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(second)))
    }

    /// Returns the present moment.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Manual(second) => {
                Timestamp::from_second(second.load(Ordering::Relaxed)).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Moves a manual clock; the machine's is left alone.
    pub fn advance(&self, by: SignedDuration) {
        if let Self::Manual(second) = self {
            second.fetch_add(by.as_secs(), Ordering::Relaxed);
        }
    }
}

/// Writes a moment as the database keeps it: UTC text whose order is the order of time.
pub fn text(moment: Timestamp) -> String {
    format!("{moment:.3}")
}
