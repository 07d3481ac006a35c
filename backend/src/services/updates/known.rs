//! What registries said, in memory, and what is under way: read by every page, written by checks.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::tracked::Tracked;
use crate::domain::TagCheck;

/// Checks that people asked for and whose turn has not come.
const MOST_ASKED: usize = 32;

/// What is known of tags. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Known(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    checks: HashMap<String, TagCheck>,
    /// Registries that are left alone, and until when.
    rests: HashMap<String, Timestamp>,
    /// References and registries that nobody is asked about without being told to, and until when.
    held: HashMap<String, Timestamp>,
    asked: VecDeque<Tracked>,
    /// Registries that are being asked.
    busy: HashSet<String>,
    /// References that are being asked for.
    going: HashSet<String>,
    is_off: bool,
}

/// One registry's turn; the registry is free again when it is dropped, however that comes.
#[derive(Debug)]
pub(super) struct Turn {
    known: Known,
    registry: String,
    /// Whether the registry is free again, and may be somebody else's by now.
    is_over: bool,
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_over {
            self.known.state().busy.remove(&self.registry);
        }
    }
}

impl Known {
    pub(super) fn load(&self, checks: Vec<TagCheck>, rests: Vec<(String, Timestamp)>) {
        let mut state = self.state();
        state.checks = checks
            .into_iter()
            .map(|check| (check.reference.clone(), check))
            .collect();
        state.rests = rests.into_iter().collect();
    }

    pub(super) fn turn_off(&self) {
        self.state().is_off = true;
    }

    pub(super) fn is_off(&self) -> bool {
        self.state().is_off
    }

    pub(super) fn check(&self, reference: &str) -> Option<TagCheck> {
        self.state().checks.get(reference).cloned()
    }

    pub(super) fn references(&self) -> Vec<String> {
        self.state().checks.keys().cloned().collect()
    }

    pub(super) fn put(&self, check: TagCheck) {
        let mut state = self.state();
        state.checks.insert(check.reference.clone(), check);
    }

    pub(super) fn forget(&self, reference: &str) {
        self.state().checks.remove(reference);
    }

    pub(super) fn rest(&self, registry: &str, until: Timestamp) {
        self.state().rests.insert(registry.to_owned(), until);
    }

    /// Returns until when a registry is left alone, if it is.
    pub(super) fn rests_until(&self, registry: &str, now: Timestamp) -> Option<Timestamp> {
        let until = self.state().rests.get(registry).copied();
        until.filter(|until| *until > now)
    }

    /// Holds a reference, or all of a registry, back from being asked about in rounds.
    pub(super) fn hold(&self, what: &str, until: Timestamp, now: Timestamp) {
        let mut state = self.state();
        state.held.retain(|_, until| *until > now);
        state.held.insert(what.to_owned(), until);
    }

    /// Lets rounds ask again.
    pub(super) fn release(&self, what: &str) {
        self.state().held.remove(what);
    }

    pub(super) fn is_held(&self, what: &str, now: Timestamp) -> bool {
        self.state()
            .held
            .get(what)
            .is_some_and(|until| *until > now)
    }

    /// Tells whether somebody waits for that tag.
    pub(super) fn is_under_way(&self, reference: &str) -> bool {
        let state = self.state();
        state.going.contains(reference) || state.asked.iter().any(|one| one.reference == reference)
    }

    /// Notes what a person asks for; false when too much waits already.
    pub(super) fn ask(&self, tracked: &Tracked) -> bool {
        let mut state = self.state();
        let is_known = state.going.contains(&tracked.reference)
            || state
                .asked
                .iter()
                .any(|one| one.reference == tracked.reference);
        if is_known {
            return true;
        }
        if state.asked.len() >= MOST_ASKED {
            return false;
        }
        state.asked.push_back(tracked.clone());
        true
    }

    /// Takes a registry's turn; none while it is being asked.
    pub(super) fn turn(&self, registry: &str) -> Option<Turn> {
        let is_free = self.state().busy.insert(registry.to_owned());
        is_free.then(|| Turn {
            known: self.clone(),
            registry: registry.to_owned(),
            is_over: false,
        })
    }

    /// Takes what a person asked of a registry and waits the longest. When nothing waits the turn
    /// ends at that very moment: whoever asks a moment later finds the registry free.
    pub(super) fn next_asked(&self, turn: &mut Turn) -> Option<Tracked> {
        let mut state = self.state();
        let mut asked = state.asked.iter();
        let at = asked.position(|one| one.registry == turn.registry);
        let Some(next) = at.and_then(|at| state.asked.remove(at)) else {
            if !std::mem::replace(&mut turn.is_over, true) {
                state.busy.remove(&turn.registry);
            }
            return None;
        };
        state.going.insert(next.reference.clone());
        Some(next)
    }

    pub(super) fn goes(&self, reference: &str) {
        self.state().going.insert(reference.to_owned());
    }

    pub(super) fn gone(&self, reference: &str) {
        self.state().going.remove(reference);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_free_after_its_time_or_when_it_is_released() {
        let (known, now) = (Known::default(), Timestamp::UNIX_EPOCH);
        let later = |seconds| now + jiff::SignedDuration::from_secs(seconds);
        known.hold("r.test", later(10), now);
        known.hold("r.test/app:1", later(20), now);
        assert!(known.is_held("r.test", now) && known.is_held("r.test", later(9)));
        assert!(!known.is_held("r.test", later(10)) && !known.is_held("other", now));
        known.release("r.test");
        assert!(!known.is_held("r.test", now) && known.is_held("r.test/app:1", now));
    }

    #[test]
    fn what_is_asked_just_after_a_turn_found_nothing_has_a_turn_of_its_own() {
        let asked = Tracked {
            familiar: "app:1".to_owned(),
            reference: "r.test/app:1".to_owned(),
            registry: "r.test".to_owned(),
            digests: Vec::new(),
        };
        let known = Known::default();
        let mut first = known.turn("r.test").unwrap();
        assert_eq!(known.next_asked(&mut first), None);

        assert!(known.ask(&asked));
        let mut second = known.turn("r.test").expect("the registry is free");
        assert_eq!(known.next_asked(&mut second), Some(asked));

        drop(first);
        assert!(known.turn("r.test").is_none(), "the second turn goes on");
        drop(second);
        assert!(known.turn("r.test").is_some());
    }
}
