//! Waiting for a fact: never a sleep of a guessed length, always an end.

use std::time::{Duration, Instant};

/// How long a fact may take to come true on a loaded two-core machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again and again until `fact` gives something.
///
/// # Panics
/// When [`PATIENCE`] is over; `what` says what did not come true.
pub fn until<T>(what: &str, mut fact: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = fact() {
            return value;
        }
        assert!(
            Instant::now() < deadline,
            "waited {PATIENCE:?} in vain: {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Looks again and again until `fact` holds.
///
/// # Panics
/// When [`PATIENCE`] is over.
pub fn until_true(what: &str, mut fact: impl FnMut() -> bool) {
    until(what, || fact().then_some(()));
}
