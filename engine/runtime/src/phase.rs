//! Where a container stands in its life, as a pure function of what happened.
//!
//! ```text
//!            Launched            Started
//!   Created ─────────> Starting ─────────> Running
//!      ^                  │  StartFailed      │ Exited
//!      │                  v                   v
//!      └── (never) ──── Exited <──────────────┘
//!                         │ Launched: once more to Starting
//! ```
//!
//! `Lost` is what recovery reports when neither the monitor nor an exit record is there.

use serde::{Deserialize, Serialize};

use crate::exit::ExitRecord;

/// A container's place in its life, with what is true then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Its record and its directories are there; it never ran.
    Created,
    /// Its monitor was asked for and has not told yet that the program runs.
    Starting,
    /// Its program runs.
    Running { pid: i32, started_at_unix_ns: u64 },
    /// Its program ended, or could not be started.
    Exited(ExitRecord),
}

/// Something that happened to a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The engine asked for a monitor.
    Launched,
    /// The program runs.
    Started { pid: i32, started_at_unix_ns: u64 },
    /// The set-up or the execution failed.
    StartFailed(ExitRecord),
    /// The program ended.
    Exited(ExitRecord),
    /// The monitor is gone and left no record; this one stands in.
    Lost(ExitRecord),
}

/// A fact that cannot be true in the phase at hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a container that is {phase} cannot be {fact}")]
pub struct Refused {
    pub phase: &'static str,
    pub fact: &'static str,
}

impl Phase {
    /// Returns the phase after `fact`.
    ///
    /// # Errors
    /// [`Refused`] when the fact does not fit; the phase is then unchanged.
    pub fn step(self, fact: Fact) -> Result<Self, Refused> {
        match (self, fact) {
            (Self::Created | Self::Exited(_), Fact::Launched) => Ok(Self::Starting),
            (
                Self::Starting,
                Fact::Started {
                    pid,
                    started_at_unix_ns,
                },
            ) => Ok(Self::Running {
                pid,
                started_at_unix_ns,
            }),
            (Self::Starting, Fact::StartFailed(record))
            | (Self::Running { .. }, Fact::Exited(record))
            | (Self::Starting | Self::Running { .. }, Fact::Lost(record)) => {
                Ok(Self::Exited(record))
            }
            (phase, fact) => Err(Refused {
                phase: phase.name(),
                fact: fact.name(),
            }),
        }
    }

    /// Says whether a monitor may exist in this phase.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Starting | Self::Running { .. })
    }

    /// The phase in one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Starting => "starting",
            Self::Running { .. } => "running",
            Self::Exited(_) => "exited",
        }
    }
}

impl Fact {
    fn name(&self) -> &'static str {
        match self {
            Self::Launched => "launched",
            Self::Started { .. } => "started",
            Self::StartFailed(_) => "failed to start",
            Self::Exited(_) => "exited",
            Self::Lost(_) => "lost",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(code: i32) -> ExitRecord {
        ExitRecord {
            code,
            ..ExitRecord::default()
        }
    }

    fn fact() -> impl Strategy<Value = Fact> {
        prop_oneof![
            Just(Fact::Launched),
            (2..9_i32).prop_map(|pid| Fact::Started {
                pid,
                started_at_unix_ns: 1
            }),
            (0..256_i32).prop_map(|code| Fact::StartFailed(record(code))),
            (0..256_i32).prop_map(|code| Fact::Exited(record(code))),
            (0..256_i32).prop_map(|code| Fact::Lost(record(code))),
        ]
    }

    proptest! {
        #[test]
        fn a_container_runs_only_after_it_was_launched_and_never_twice_at_once(
            facts in proptest::collection::vec(fact(), 0..64),
        ) {
            let mut phase = Phase::Created;
            let mut n_live = 0_i32;
            for fact in facts {
                let was_live = phase.is_live();
                let Ok(next) = phase.clone().step(fact.clone()) else { continue };
                if matches!(fact, Fact::Launched) {
                    n_live += 1;
                }
                if was_live && !next.is_live() {
                    n_live -= 1;
                }
                prop_assert!((0..=1).contains(&n_live));
                prop_assert_eq!(next.is_live(), n_live == 1);
                prop_assert!(next != Phase::Created);
                if let Phase::Running { .. } = next {
                    let was_started = matches!(fact, Fact::Started { .. });
                    prop_assert!(was_started);
                }
                phase = next;
            }
        }
    }

    #[test]
    fn a_running_container_is_not_launched_again() {
        let running = Phase::Running {
            pid: 7,
            started_at_unix_ns: 1,
        };
        let refused = running.step(Fact::Launched).expect_err("it runs already");
        assert_eq!(
            refused.to_string(),
            "a container that is running cannot be launched"
        );
    }
}
