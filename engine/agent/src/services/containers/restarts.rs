//! Restart policies: whether a container that ended is started again, and after how long.
//!
//! ```text
//!   ended ── by a person ──────────────────────────> stays (`always` until the engine begins)
//!         ── no / code 0 / too often (on-failure) ─> stays
//!         ── else ── 100 ms, 200 ms, … 1 min ──────> started again; 10 s of running begin anew
//! ```

use std::time::Duration;

use engine_api::containers::{HostConfig, RestartPolicy};

use crate::records::LifeRecord;
use crate::services::error::{Result, ServiceError};

const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// A run as long as this was good: the next delay is the first one again.
pub(super) const GOOD_RUN: Duration = Duration::from_secs(10);

/// A policy, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    No,
    OnFailure { max: u64 },
    Always,
    UnlessStopped,
}

/// The growing delay between an end and the next start.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    last: Option<Duration>,
}

impl Backoff {
    /// Returns the next delay, after a run of that length.
    pub(super) fn next(&mut self, ran: Duration) -> Duration {
        let delay = match self.last {
            Some(last) if ran < GOOD_RUN => (last * 2).min(LONGEST_DELAY),
            _ => FIRST_DELAY,
        };
        self.last = Some(delay);
        delay
    }
}

/// Checks the policy of a container that is made or changed.
///
/// # Errors
/// In Docker's words.
pub(super) fn check(policy: &RestartPolicy, auto_remove: bool) -> Result<()> {
    let bad = |message: String| Err(ServiceError::BadRequest(message));
    let max = policy.maximum_retry_count;
    match policy.name.as_str() {
        // Clients before 25.0 leave the name away and say anything for the count.
        "" => return Ok(()),
        "no" | "always" | "unless-stopped" if max != 0 => {
            let negative = if max < 0 {
                " and cannot be negative"
            } else {
                ""
            };
            return bad(format!(
                "invalid restart policy: maximum retry count can only be used with \
                 'on-failure'{negative}"
            ));
        }
        "on-failure" if max < 0 => {
            return bad(
                "invalid restart policy: maximum retry count cannot be negative".to_owned(),
            );
        }
        "no" | "always" | "unless-stopped" | "on-failure" => {}
        other => {
            return bad(format!(
                "invalid restart policy: unknown policy '{other}'; use one of 'no', 'always', \
                 'on-failure', or 'unless-stopped'"
            ));
        }
    }
    if auto_remove && policy.name != "no" {
        return bad("can't create 'AutoRemove' container with restart policy".to_owned());
    }
    Ok(())
}

/// Tells whether a container has a policy at all.
pub(super) fn has_policy(host: &HostConfig) -> bool {
    policy(&host.restart_policy) != Policy::No
}

/// Tells whether one that has just ended is started again.
pub(super) fn after_end(host: &HostConfig, life: &LifeRecord, code: i32) -> bool {
    !life.stopped_by_hand && wants(host, life, code)
}

/// Tells whether one that does not run is started when the engine begins: with `always` also when
/// a person had stopped it.
pub(super) fn at_begin(host: &HostConfig, life: &LifeRecord, code: i32) -> bool {
    policy(&host.restart_policy) == Policy::Always || after_end(host, life, code)
}

fn wants(host: &HostConfig, life: &LifeRecord, code: i32) -> bool {
    match policy(&host.restart_policy) {
        Policy::No => false,
        Policy::Always | Policy::UnlessStopped => true,
        Policy::OnFailure { max } => code != 0 && (max == 0 || life.restart_count < max),
    }
}

fn policy(policy: &RestartPolicy) -> Policy {
    match policy.name.as_str() {
        "always" => Policy::Always,
        "unless-stopped" => Policy::UnlessStopped,
        "on-failure" => Policy::OnFailure {
            max: u64::try_from(policy.maximum_retry_count).unwrap_or(0),
        },
        _ => Policy::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, max: i64) -> HostConfig {
        HostConfig {
            restart_policy: RestartPolicy {
                name: name.to_owned(),
                maximum_retry_count: max,
            },
            ..HostConfig::default()
        }
    }

    #[test]
    fn delays_double_to_a_minute_and_begin_anew_after_a_good_run() {
        let mut backoff = Backoff::default();
        let short = Duration::from_secs(1);
        let delays: Vec<_> = (0..12).map(|_| backoff.next(short).as_millis()).collect();
        assert_eq!(
            delays,
            [
                100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000
            ]
        );
        assert_eq!(backoff.next(GOOD_RUN), FIRST_DELAY);
    }

    #[test]
    fn a_policy_decides_by_the_code_the_count_and_the_hand() {
        let life = |restart_count, stopped_by_hand| LifeRecord {
            restart_count,
            stopped_by_hand,
            ..LifeRecord::default()
        };
        // Policy, retries, count, by hand, code; after its end, when the engine begins.
        for (name, max, count, hand, code, after, begin) in [
            ("", 0, 0, false, 1, false, false),
            ("no", 0, 0, false, 1, false, false),
            ("always", 0, 9, false, 0, true, true),
            ("always", 0, 0, true, 137, false, true),
            ("unless-stopped", 0, 0, false, 0, true, true),
            ("unless-stopped", 0, 0, true, 137, false, false),
            ("on-failure", 0, 99, false, 1, true, true),
            ("on-failure", 0, 0, false, 0, false, false),
            ("on-failure", 2, 1, false, 1, true, true),
            ("on-failure", 2, 2, false, 1, false, false),
            ("on-failure", 2, 0, true, 1, false, false),
        ] {
            let (host, life) = (host(name, max), life(count, hand));
            assert_eq!(
                (after_end(&host, &life, code), at_begin(&host, &life, code)),
                (after, begin),
                "{name}:{max} {count} {hand} {code}"
            );
        }
    }

    #[test]
    fn what_cannot_be_is_refused_in_dockers_words() {
        let refused = |name, max, rm| {
            check(&host(name, max).restart_policy, rm)
                .err()
                .map(|e| e.to_string())
        };
        assert_eq!(refused("on-failure", 3, false), None);
        assert_eq!(refused("", 0, true), None);
        assert_eq!(refused("no", 0, true), None);
        for (name, max, rm, word) in [
            ("always", 1, false, "can only be used with 'on-failure'"),
            ("no", -1, false, "and cannot be negative"),
            ("on-failure", -1, false, "count cannot be negative"),
            ("sometimes", 0, false, "unknown policy 'sometimes'"),
            ("always", 0, true, "can't create 'AutoRemove' container"),
        ] {
            let said = refused(name, max, rm).unwrap_or_default();
            assert!(said.contains(word), "{name}: {said}");
        }
    }
}
