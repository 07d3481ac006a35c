//! How a container stands and how it ended, in words.

use engine_api::containers::ContainerState;
use frontend::format;
use frontend::ui::{Badge, Tone};
use jiff::Timestamp;

use super::Reader;
use crate::fleet::{ContainerFact, Phase};

/// Returns a container's state badge.
pub fn badge(reader: &Reader, fact: &ContainerFact) -> Badge {
    let state = &fact.state;
    let (tone, icon, key) = match fact.phase {
        Phase::Running if is_unwell(state) => (Tone::Warn, "heart-crack", "health-unhealthy"),
        Phase::Running => (Tone::Running, "circle-play", "state-running"),
        Phase::Paused => (Tone::Idle, "circle-pause", "state-paused"),
        Phase::Restarting => (Tone::Busy, "loader-circle", "state-restarting"),
        Phase::Removing => (Tone::Busy, "loader-circle", "state-removing"),
        Phase::Created => (Tone::Idle, "circle-dashed", "state-created"),
        Phase::Dead => (Tone::Failed, "circle-x", "state-dead"),
        Phase::Exited if state.oom_killed => (Tone::Failed, "circle-x", "state-oom"),
        Phase::Exited if !fact.was_asked && is_abnormal(state) => {
            (Tone::Failed, "circle-x", "state-failed")
        }
        Phase::Exited => (Tone::Idle, "circle-stop", "state-exited"),
    };
    Badge {
        tone,
        icon,
        word: reader.words.t(key),
    }
}

fn is_unwell(state: &ContainerState) -> bool {
    let health = state.health.as_ref();
    health.is_some_and(|health| health.status == "unhealthy")
}

/// Tells whether an ended container did not end as asked: SIGTERM and SIGINT are how one asks.
pub fn is_abnormal(state: &ContainerState) -> bool {
    state.oom_killed || !state.error.is_empty() || !matches!(state.exit_code, 0 | 143 | 130)
}

/// Returns the short line below the badge: "Up 3 days".
pub fn status(reader: &Reader, fact: &ContainerFact) -> String {
    let words = reader.words;
    match fact.phase {
        Phase::Running | Phase::Paused => {
            let up = words.named("status-up", &up(reader, &fact.state));
            with_health(reader, fact, up)
        }
        Phase::Created => words.t("status-created"),
        Phase::Restarting | Phase::Removing | Phase::Exited | Phase::Dead => words.with(
            "status-exited",
            &[
                ("code", &fact.state.exit_code.to_string()),
                ("ago", &ago(reader, &fact.state.finished_at)),
            ],
        ),
    }
}

/// Returns the state as a sentence.
pub fn sentence(reader: &Reader, fact: &ContainerFact) -> String {
    let words = reader.words;
    match fact.phase {
        Phase::Running | Phase::Paused => {
            let up = words.named("sentence-up", &up(reader, &fact.state));
            with_health(reader, fact, up)
        }
        Phase::Created => {
            let seconds = reader.now.as_second() - fact.summary.created;
            words.named("sentence-created", &format::ago(words, seconds))
        }
        Phase::Restarting | Phase::Removing | Phase::Exited | Phase::Dead => {
            ended(reader, &fact.state)
        }
    }
}

/// Adds how the program fares, when somebody looks after it: "Up 3 days, healthy".
fn with_health(reader: &Reader, fact: &ContainerFact, up: String) -> String {
    let health = fact.state.health.as_ref();
    let key = match health.map(|health| health.status.as_str()) {
        Some("healthy") => "is-healthy",
        Some("unhealthy") => "is-unhealthy",
        Some("starting") => "is-starting",
        _ => return up,
    };
    format!("{up}, {}", reader.words.t(key))
}

/// Returns how a container ended: code, when, why.
pub fn ended(reader: &Reader, state: &ContainerState) -> String {
    let words = reader.words;
    let ago = ago(reader, &state.finished_at);
    if state.exit_code == 0 && !state.oom_killed && state.error.is_empty() {
        return words.named("sentence-exited-clean", &ago);
    }
    let why = if state.error.is_empty() {
        cause(reader, state)
    } else {
        state.error.clone()
    };
    let code = state.exit_code.to_string();
    words.with(
        "sentence-exited",
        &[("code", &code), ("ago", &ago), ("why", &why)],
    )
}

fn cause(reader: &Reader, state: &ContainerState) -> String {
    let words = reader.words;
    match state.exit_code {
        _ if state.oom_killed => words.t("exit-oom"),
        126 => words.t("exit-not-executable"),
        127 => words.t("exit-not-found"),
        134 => words.t("exit-abort"),
        137 => words.t("exit-killed"),
        139 => words.t("exit-segfault"),
        143 => words.t("exit-terminated"),
        code @ 129..=192 => words.named("exit-signal", &(code - 128).to_string()),
        _ => words.t("exit-error"),
    }
}

/// Returns what to do about an end.
pub fn advice(reader: &Reader, fact: &ContainerFact) -> String {
    let words = reader.words;
    match fact.state.exit_code {
        _ if fact.state.oom_killed => {
            let limit = u64::try_from(fact.memory_limit_bytes).unwrap_or(0);
            words.named("why-oom-advice", &format::bytes(limit))
        }
        126 => words.t("why-not-executable-advice"),
        127 => words.t("why-not-found-advice"),
        137 => words.t("why-killed-advice"),
        134 | 139 => words.t("why-crash-advice"),
        _ => words.t("why-error-advice"),
    }
}

fn up(reader: &Reader, state: &ContainerState) -> String {
    format::duration(reader.words, seconds_since(reader, &state.started_at))
}

fn ago(reader: &Reader, at: &str) -> String {
    format::ago(reader.words, seconds_since(reader, at))
}

fn seconds_since(reader: &Reader, at: &str) -> i64 {
    let at: Timestamp = at.parse().unwrap_or(reader.now);
    reader.now.as_second() - at.as_second()
}

#[cfg(test)]
mod tests {
    use engine_api::containers::ContainerSummary;

    use super::*;
    use crate::domain::Language;

    fn check(exit_code: i32, expected: &str) {
        let state = ContainerState {
            exit_code,
            finished_at: "2026-11-21T05:58:00Z".to_owned(),
            ..ContainerState::default()
        };
        let now = "2026-11-21T06:00:00Z".parse().unwrap();
        let reader = Reader::outside(Language::English, now);
        assert_eq!(ended(&reader, &state), expected);
    }

    #[test]
    fn an_exit_code_is_told_in_words() {
        check(0, "Ended without error 2 minutes ago");
        check(
            3,
            "Exited 3, 2 minutes ago: the program ended with an error",
        );
        check(137, "Exited 137, 2 minutes ago: killed (SIGKILL)");
        check(
            139,
            "Exited 139, 2 minutes ago: the program crashed (SIGSEGV)",
        );
        check(129, "Exited 129, 2 minutes ago: ended by signal 1");
    }

    #[test]
    fn a_program_that_was_killed_when_somebody_asked_is_stopped() {
        let word = |cause: &str| {
            let id = "ab".repeat(32);
            let state = r#"{"Status":"exited","ExitCode":137}"#;
            let text = format!(
                r#"{{"Id":"{id}","State":{state},"Gantry":{{"LastStop":{{"Cause":"{cause}"}}}}}}"#
            );
            let detail = serde_json::from_str(&text).unwrap();
            let summary = ContainerSummary {
                id,
                ..ContainerSummary::default()
            };
            let now = "2026-11-21T06:00:00Z".parse().unwrap();
            let reader = Reader::outside(Language::English, now);
            badge(&reader, &ContainerFact::new(summary, &detail).unwrap()).word
        };
        assert_eq!(["asked", "signal"].map(word), ["Stopped", "Failed"]);
    }
}
