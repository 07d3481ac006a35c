//! When to try again.

use std::time::Duration;

const TRIES_MAX: u32 = 5;
const FIRST_MS: u64 = 200;
const LONGEST_MS: u64 = 5000;

/// Counts tries that brought nothing.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    n_failed: u32,
}

impl Tries {
    /// Something came: the count begins again.
    pub(crate) fn progressed(&mut self) {
        self.n_failed = 0;
    }

    /// How long to wait before the next try; `None` when it is enough.
    pub(crate) fn failed(&mut self) -> Option<Duration> {
        self.n_failed += 1;
        if self.n_failed >= TRIES_MAX {
            return None;
        }
        let wait_ms = (FIRST_MS << (2 * (self.n_failed - 1))).min(LONGEST_MS);
        Some(Duration::from_millis(wait_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let mut tries = Tries::default();
        let waits: Vec<_> = std::iter::from_fn(|| tries.failed()).collect();
        assert_eq!(waits, [200, 800, 3200, 5000].map(Duration::from_millis));
        tries.progressed();
        assert_eq!(tries.failed(), Some(Duration::from_millis(200)));
    }
}
