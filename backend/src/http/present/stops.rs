//! Why a container stopped, how its program fares, and what starts it again: in words.

use engine_api::containers::{Container, HealthResult};
use engine_api::ours::{LastStop, StopCause};
use frontend::format::{self, Moment};
use frontend::parts::{HealthCard, Probe, WhyStopped};
use frontend::paths;
use frontend::ui::{Badge, KeyValue, Pair, Tone};
use jiff::Timestamp;

use super::logs::plain;
use super::{Reader, containers, exits};
use crate::access::PermissionId;
use crate::fleet::ContainerFact;

/// What differs is told so many times; the rest is in inspect.
const MOST_CHANGES: usize = 8;

/// Returns why it stopped: for a container that does not run, and one that was started again.
///
/// `lines` are the log's last lines, for an engine that keeps no record of the stop.
pub fn why(
    reader: &Reader,
    fact: &ContainerFact,
    detail: Option<&Container>,
    lines: &[String],
) -> Option<WhyStopped> {
    let words = reader.words;
    let stop = detail.and_then(|detail| detail.gantry.last_stop.as_ref());
    let is_abnormal = containers::stopped_abnormally(fact);
    let is_over = !fact.phase.is_alive() && stop.is_some();
    if !is_abnormal && !is_over {
        return None;
    }
    let kept = stop
        .map(|stop| stop.last_lines.as_slice())
        .unwrap_or_default();
    let kept = kept
        .iter()
        .map(|line| (line.stream == "stderr", plain(&line.text)));
    let mut last_lines: Vec<_> = kept.collect();
    if last_lines.is_empty() {
        last_lines = lines.iter().map(|line| (false, plain(line))).collect();
    }
    // To see a container is less than to read its log.
    if !reader.may(PermissionId::ContainerLogs) {
        last_lines.clear();
    }
    let probe = stop.and_then(|stop| stop.last_health.as_ref());
    Some(WhyStopped {
        words,
        calm: !is_abnormal,
        title: words.t(if is_abnormal {
            "why-stopped"
        } else {
            "why-ended"
        }),
        sentence: exits::ended(reader, &fact.state),
        advice: if is_abnormal {
            exits::advice(reader, fact)
        } else {
            String::new()
        },
        facts: KeyValue {
            pairs: stop.map_or_else(Vec::new, |stop| facts(reader, stop)),
        },
        probe: probe.map_or_else(String::new, |probe| probe.output.trim().to_owned()),
        last_lines,
        logs: paths::ContainerLogs(fact.id.as_str()).to_string(),
    })
}

fn facts(reader: &Reader, stop: &LastStop) -> Vec<Pair> {
    let words = reader.words;
    let mut pairs = Vec::new();
    let mut add = |key: &str, text: String| pairs.push(Pair::text(words.t(key), text));
    match stop.cause {
        StopCause::Lost => add("why-cause", words.t("why-lost")),
        StopCause::NotStarted => add("why-cause", words.t("why-not-started")),
        StopCause::Oom => add("why-cause", words.t("why-oom")),
        StopCause::Signal => add("why-cause", words.t("why-signal")),
        StopCause::Asked | StopCause::Exited => {}
    }
    if let Some(signal) = &stop.signal {
        add("why-signal-name", signal.clone());
    }
    if let Some(asked) = &stop.asked_by {
        let key = if asked.forced {
            "why-asked-forced"
        } else {
            "why-asked-by"
        };
        let values = [
            ("who", asked.who.as_str()),
            ("verb", asked.verb.as_str()),
            ("signal", asked.signal.as_str()),
        ];
        add("why-asked", words.with(key, &values));
    }
    if let Some(peak) = stop.memory_peak_bytes {
        let limit = stop.memory_limit_bytes.filter(|limit| *limit > 0);
        let text = match limit {
            Some(limit) => words.with(
                "job-bytes",
                &[
                    ("done", &format::bytes(peak)),
                    ("total", &format::bytes(limit)),
                ],
            ),
            None => format::bytes(peak),
        };
        add("why-memory-peak", text);
    }
    if let Some(seconds) = span(&stop.started_at, &stop.finished_at) {
        add("why-ran-for", format::duration(words, seconds));
    }
    if stop.restart_count > 0 {
        add("why-restarts", stop.restart_count.to_string());
    }
    for change in stop.changes.iter().take(MOST_CHANGES) {
        let text = format!("{} → {}", change.before, change.after);
        pairs.push(Pair::code(words.named("why-changed", &change.what), text));
    }
    pairs
}

/// Returns the card of a container's health; nothing when nobody looks after it.
pub fn health(reader: &Reader, detail: &Container) -> Option<HealthCard> {
    let words = reader.words;
    let health = detail.state.health.as_ref()?;
    let check = detail.config.healthcheck.as_ref();
    let mut pairs = Vec::new();
    if let Some(test) = check.and_then(|check| check.test.as_ref()) {
        pairs.push(Pair::code(words.t("health-check"), test_line(test)));
    }
    if let Some(interval) = check.map(|check| check.interval).filter(|span| *span > 0) {
        let seconds = (interval / 1_000_000_000).max(1);
        pairs.push(Pair::text(
            words.t("health-every"),
            format::duration(words, seconds),
        ));
    }
    if health.failing_streak > 0 {
        let streak = health.failing_streak.to_string();
        pairs.push(Pair::text(words.t("health-failing"), streak));
    }
    Some(HealthCard {
        words,
        state: health_badge(reader, &health.status),
        facts: KeyValue { pairs },
        probes: health
            .log
            .iter()
            .rev()
            .map(|result| probe(reader, result))
            .collect(),
    })
}

/// The words of a check as they are written in a Dockerfile.
fn test_line(test: &[String]) -> String {
    match test {
        [kind, line] if kind == "CMD-SHELL" => line.clone(),
        [kind, words @ ..] if kind == "CMD" => {
            shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
        }
        other => other.join(" "),
    }
}

fn health_badge(reader: &Reader, status: &str) -> Badge {
    let (tone, icon, key) = match status {
        "healthy" => (Tone::Running, "heart-pulse", "health-healthy"),
        "unhealthy" => (Tone::Warn, "heart-crack", "health-unhealthy"),
        _ => (Tone::Busy, "loader-circle", "health-starting"),
    };
    Badge {
        tone,
        icon,
        word: reader.words.t(key),
    }
}

fn probe(reader: &Reader, result: &HealthResult) -> Probe {
    let words = reader.words;
    let is_well = result.exit_code == 0;
    let code = result.exit_code.to_string();
    let at: Timestamp = result.start.parse().unwrap_or(reader.now);
    Probe {
        result: Badge {
            tone: if is_well { Tone::Running } else { Tone::Warn },
            icon: if is_well { "circle-check" } else { "circle-x" },
            word: match result.exit_code {
                0 => words.t("probe-well"),
                -1 => words.t("probe-not-run"),
                _ => words.named("event-exit-code", &code),
            },
        },
        at: Moment::past(words, at, reader.now),
        took: took(&result.start, &result.end),
        output: result.output.trim().to_owned(),
    }
}

/// How long a check took, in milliseconds: most take less than a second.
fn took(start: &str, end: &str) -> String {
    let parse = |text: &str| text.parse::<Timestamp>().ok();
    match (parse(start), parse(end)) {
        (Some(start), Some(end)) => {
            let ms = end.as_millisecond().saturating_sub(start.as_millisecond());
            format!("{} ms", ms.max(0))
        }
        _ => String::new(),
    }
}

/// Seconds between two moments that were.
fn span(start: &str, end: &str) -> Option<i64> {
    let parse = |text: &str| {
        text.parse::<Timestamp>()
            .ok()
            .filter(|at| at.as_second() > 0)
    };
    Some((parse(end)?.as_second() - parse(start)?.as_second()).max(0))
}

/// Returns what starts a container again, and how often it did.
pub fn restarts(reader: &Reader, detail: &Container) -> Vec<Pair> {
    let words = reader.words;
    let host = detail.host_config();
    let policy = &host.restart_policy;
    let text = match policy.name.as_str() {
        "always" => words.t("restart-always"),
        "unless-stopped" => words.t("restart-unless-stopped"),
        "on-failure" if policy.maximum_retry_count > 0 => words.named(
            "restart-on-failure-most",
            &policy.maximum_retry_count.to_string(),
        ),
        "on-failure" => words.t("restart-on-failure"),
        _ => words.t("restart-no"),
    };
    vec![
        Pair::text(words.t("restart-policy"), text),
        Pair::text(words.t("restart-count"), detail.restart_count.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Language;

    fn reader() -> Reader {
        Reader::outside(Language::English, "2026-11-21T06:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_stop_is_told_with_who_asked_and_what_it_held() {
        let stop: LastStop = serde_json::from_str(
            r#"{"Cause":"oom","ExitCode":137,"Signal":"SIGKILL",
                "AskedBy":{"Verb":"stop","Signal":"SIGTERM","Who":"anna","Forced":true},
                "StartedAt":"2026-11-21T05:00:00Z","FinishedAt":"2026-11-21T05:58:00Z",
                "MemoryPeakBytes":8388608,"MemoryLimitBytes":8388608,"RestartCount":2,
                "Changes":[{"What":"HostConfig.Memory","Before":"64m","After":"8m"}]}"#,
        )
        .unwrap();
        let told = facts(&reader(), &stop);
        let text: Vec<_> = told.iter().map(|pair| pair.value.as_str()).collect();
        assert_eq!(text[1], "SIGKILL");
        assert!(
            text[2].contains("anna") && text[2].contains("SIGTERM"),
            "{text:?}"
        );
        assert_eq!(
            text[3..],
            ["8.0 MiB of 8.0 MiB", "58 minutes", "2", "64m → 8m"]
        );
    }

    #[test]
    fn a_check_is_written_as_in_a_dockerfile() {
        let line = |test: &[&str]| {
            let test: Vec<_> = test.iter().map(|word| (*word).to_owned()).collect();
            test_line(&test)
        };
        assert_eq!(line(&["CMD-SHELL", "curl -f /"]), "curl -f /");
        assert_eq!(line(&["CMD", "a b", "c"]), "'a b' c");
        assert_eq!(
            took("2026-01-01T00:00:00.1Z", "2026-01-01T00:00:00.134Z"),
            "34 ms"
        );
    }
}
