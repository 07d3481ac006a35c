//! Health: what to look at and how often, and what a result means. Nothing here waits.

use std::time::Duration;

use engine_api::containers::{ContainerConfig, Health, HealthConfig, HealthResult};

use crate::services::error::{Result, ServiceError};

const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(30);
const START_INTERVAL: Duration = Duration::from_secs(5);
const RETRIES: i64 = 3;

/// How many results are kept.
const LOG_MAX: usize = 5;

/// The shortest span that may be asked for: one millisecond.
const SPAN_MIN_NS: i64 = 1_000_000;

const SHELL: [&str; 2] = ["/bin/sh", "-c"];

/// How to look after a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) command: Vec<String>,
    interval: Duration,
    pub(super) timeout: Duration,
    start_period: Duration,
    start_interval: Duration,
    retries: i64,
}

/// Reads how to look after a program; `None` when nobody shall.
pub(super) fn plan(config: &ContainerConfig) -> Option<Plan> {
    let health = config.healthcheck.as_ref()?;
    let test = health.test.as_deref().unwrap_or_default();
    let (kind, words) = test.split_first()?;
    let command = match kind.as_str() {
        "CMD" => words.to_vec(),
        "CMD-SHELL" => {
            let shell = config.shell.clone().filter(|shell| !shell.is_empty());
            let mut command = shell.unwrap_or_else(|| SHELL.map(str::to_owned).to_vec());
            command.extend(words.first().cloned());
            command
        }
        // `NONE`, and what an image wrote that nobody knows.
        _ => return None,
    };
    let span = |ns: i64, default| match u64::try_from(ns) {
        Ok(ns) if ns > 0 => Duration::from_nanos(ns),
        _ => default,
    };
    (!command.is_empty()).then(|| Plan {
        command,
        interval: span(health.interval, INTERVAL),
        timeout: span(health.timeout, TIMEOUT),
        start_period: span(health.start_period, Duration::ZERO),
        start_interval: span(health.start_interval, START_INTERVAL),
        retries: if health.retries > 0 {
            health.retries
        } else {
            RETRIES
        },
    })
}

/// Lays what is asked for over what the image brings.
pub(super) fn merged(
    asked: Option<HealthConfig>,
    image: Option<&HealthConfig>,
) -> Option<HealthConfig> {
    let (mut asked, image) = match (asked, image) {
        (asked, None) => return asked,
        (None, Some(image)) => return Some(image.clone()),
        (Some(asked), Some(image)) => (asked, image),
    };
    if asked.test.as_ref().is_none_or(Vec::is_empty) {
        asked.test.clone_from(&image.test);
    }
    for (asked, image) in [
        (&mut asked.interval, image.interval),
        (&mut asked.timeout, image.timeout),
        (&mut asked.start_period, image.start_period),
        (&mut asked.start_interval, image.start_interval),
        (&mut asked.retries, image.retries),
    ] {
        if *asked == 0 {
            *asked = image;
        }
    }
    Some(asked)
}

/// Checks what is asked for.
///
/// # Errors
/// In Docker's words.
pub(super) fn check(asked: &HealthConfig) -> Result<()> {
    let bad = |message: String| Err(ServiceError::BadRequest(message));
    for (name, span) in [
        ("Interval", asked.interval),
        ("Timeout", asked.timeout),
        ("StartPeriod", asked.start_period),
        ("StartInterval", asked.start_interval),
    ] {
        if span != 0 && span < SPAN_MIN_NS {
            return bad(format!("{name} in Healthcheck cannot be less than 1ms"));
        }
    }
    if asked.retries < 0 {
        return bad("Retries in Healthcheck cannot be negative".to_owned());
    }
    let test = asked.test.as_deref().unwrap_or_default();
    match test.split_first() {
        None => Ok(()),
        Some((kind, words)) => match kind.as_str() {
            "NONE" => Ok(()),
            "CMD" | "CMD-SHELL" if words.is_empty() => {
                bad(format!("Test in Healthcheck has no command after {kind:?}"))
            }
            "CMD" | "CMD-SHELL" => super::process::check_process(words, &[]),
            other => bad(format!("unknown type {other:?} in Healthcheck (try 'CMD')")),
        },
    }
}

impl Plan {
    /// Returns how long to wait before the next look, so long after the start.
    pub(super) fn wait(&self, status: &str, since_start: Duration) -> Duration {
        if status == "starting" && since_start < self.start_period {
            self.start_interval
        } else {
            self.interval
        }
    }

    /// Takes a result of a look that began so long after the start; tells whether the status is
    /// another one now.
    pub(super) fn judge(
        &self,
        health: &mut Health,
        result: HealthResult,
        since_start: Duration,
    ) -> bool {
        let before = health.status.clone();
        if result.exit_code == 0 {
            health.failing_streak = 0;
            "healthy".clone_into(&mut health.status);
        } else if before != "starting" || since_start >= self.start_period {
            health.failing_streak += 1;
            if health.failing_streak >= self.retries {
                "unhealthy".clone_into(&mut health.status);
            }
        }
        let too_many = (health.log.len() + 1).saturating_sub(LOG_MAX);
        health.log.drain(..too_many);
        health.log.push(result);
        before != health.status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(test: &[&str], start_period_s: i64, retries: i64) -> HealthConfig {
        HealthConfig {
            test: Some(test.iter().map(ToString::to_string).collect()),
            start_period: start_period_s * 1_000_000_000,
            retries,
            ..HealthConfig::default()
        }
    }

    fn of(health: HealthConfig) -> Option<Plan> {
        plan(&ContainerConfig {
            healthcheck: Some(health),
            ..ContainerConfig::default()
        })
    }

    #[test]
    fn a_command_is_read_in_each_form() {
        let command = |test: &[&str]| of(config(test, 0, 0)).map(|plan| plan.command);
        assert_eq!(command(&["CMD", "a", "b"]).unwrap(), ["a", "b"]);
        assert_eq!(
            command(&["CMD-SHELL", "a | b"]).unwrap(),
            ["/bin/sh", "-c", "a | b"]
        );
        for none in [&["NONE"][..], &[], &["CMD"], &["WHAT", "a"]] {
            assert_eq!(command(none), None, "{none:?}");
        }
    }

    #[test]
    fn failures_count_after_the_start_period_and_one_success_ends_them() {
        let plan = of(config(&["CMD", "x"], 10, 2)).unwrap();
        let mut health = Health {
            status: "starting".to_owned(),
            ..Health::default()
        };
        let result = |exit_code| HealthResult {
            exit_code,
            ..HealthResult::default()
        };
        let second = Duration::from_secs;
        // Exit code, seconds after the start; changed, status, streak.
        for (code, at, changed, status, streak) in [
            (1, 1, false, "starting", 0),
            (1, 11, false, "starting", 1),
            (1, 12, true, "unhealthy", 2),
            (-1, 13, false, "unhealthy", 3),
            (0, 14, true, "healthy", 0),
            (1, 15, false, "healthy", 1),
            (0, 16, false, "healthy", 0),
        ] {
            let is_changed = plan.judge(&mut health, result(code), second(at));
            assert_eq!(
                (is_changed, health.status.as_str(), health.failing_streak),
                (changed, status, streak),
                "{code} at {at}"
            );
        }
        assert_eq!(health.log.len(), LOG_MAX);
        assert_eq!(plan.wait("starting", second(1)), START_INTERVAL);
        assert_eq!(plan.wait("starting", second(10)), INTERVAL);
        assert_eq!(plan.wait("healthy", second(1)), INTERVAL);
    }

    #[test]
    fn the_image_fills_in_and_numbers_out_of_range_are_refused() {
        let image = config(&["CMD", "image"], 7, 9);
        let asked = HealthConfig {
            retries: 1,
            ..HealthConfig::default()
        };
        let both = merged(Some(asked), Some(&image)).unwrap();
        assert_eq!((both.retries, both.start_period), (1, 7_000_000_000));
        assert_eq!(both.test, image.test);
        let none = config(&["NONE"], 0, 0);
        assert_eq!(of(merged(Some(none), Some(&image)).unwrap()), None);

        let refused = |asked: HealthConfig| check(&asked).map_err(|e| e.to_string()).unwrap_err();
        let short = HealthConfig {
            interval: 5,
            ..HealthConfig::default()
        };
        assert!(refused(short).contains("Interval in Healthcheck cannot be less than 1ms"));
        assert!(refused(config(&[], 0, -1)).contains("Retries"));
        assert!(refused(config(&["RUN", "x"], 0, 0)).contains("unknown type"));
        assert!(refused(config(&["CMD"], 0, 0)).contains("no command"));
    }
}
