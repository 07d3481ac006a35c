//! Events and audit entries as rows.

use frontend::Words;
use frontend::format::Moment;
use frontend::parts::{AuditRow, EventRow};
use frontend::paths;
use frontend::ui::{Badge, Tone};

use super::{Reader, told};
use crate::domain::{AuditRecord, Outcome};
use crate::fleet::EventFact;

/// Returns an event's row.
pub fn event(reader: &Reader, fact: &EventFact) -> EventRow {
    let event = &fact.event;
    let attribute = |name: &str| event.actor.attributes.get(name).cloned();
    let id = event.actor.id.as_str();
    let name = attribute("name").unwrap_or_else(|| frontend::format::short_id(id).to_owned());
    let (icon, link) = match event.kind.as_str() {
        "container" if event.action == "destroy" => ("box", None),
        "container" => ("box", Some(paths::Container(id).to_string())),
        "image" => ("layers", Some(paths::Image(id).to_string())),
        _ => ("activity", None),
    };
    let detail = match attribute("exitCode") {
        Some(code) if event.action == "die" => reader.words.named("event-exit-code", &code),
        _ => attribute("image").unwrap_or_default(),
    };
    EventRow {
        number: u64::try_from(event.time_nano).unwrap_or_default(),
        at: Moment::stamp(fact.at),
        kind: match event.kind.as_str() {
            "container" => reader.words.t("container"),
            "image" => reader.words.t("image"),
            other => other.to_owned(),
        },
        icon,
        action: event.action.clone(),
        subject: (name, link),
        detail,
    }
}

/// Returns an audit entry's row.
pub fn audit(reader: &Reader, record: &AuditRecord) -> AuditRow {
    let (tone, icon, key) = match record.outcome {
        Outcome::Begun => (Tone::Busy, "loader-circle", "outcome-open"),
        Outcome::Done => (Tone::Running, "circle-check", "outcome-done"),
        Outcome::Failed => (Tone::Failed, "circle-x", "outcome-failed"),
        Outcome::Refused => (Tone::Warn, "lock", "outcome-refused"),
        Outcome::Interrupted => (Tone::Warn, "triangle-alert", "outcome-interrupted"),
    };
    let target = match (record.place_name.as_str(), record.place_id.as_str()) {
        ("", "") => record.place_kind.clone(),
        ("", id) => frontend::format::short_id(id).to_owned(),
        (name, _) => name.to_owned(),
    };
    AuditRow {
        number: record.number,
        at: Moment::stamp(record.at),
        actor: match record.actor_kind.as_str() {
            "server" => reader.words.t("actor-server"),
            "operator" => reader.words.t("actor-operator"),
            _ if record.actor.is_empty() => "–".to_owned(),
            _ => record.actor.clone(),
        },
        action: record.action.clone(),
        target,
        outcome: Badge {
            tone,
            icon,
            word: reader.words.t(key),
        },
        address: record.address.clone().unwrap_or_default(),
        detail: both(
            &asked(reader.words, &record.detail),
            &told(reader.words, &record.result),
        ),
    }
}

/// What was asked for; of refusals like one before, how many they were.
fn asked(words: Words, detail: &str) -> String {
    let counted = detail.rsplit_once("times=");
    match counted {
        Some(("", times)) => words.named("refused-times", times),
        Some((why, times)) if why.starts_with("refused-") => {
            let times = words.named("refused-times", times);
            format!("{} {times}", told(words, why.trim_end()))
        }
        _ => told(words, detail),
    }
}

/// What was asked for, and what came of it.
fn both(detail: &str, result: &str) -> String {
    match (detail, result) {
        (detail, "") => detail.to_owned(),
        ("", result) => result.to_owned(),
        (detail, result) => format!("{detail} – {result}"),
    }
}

#[cfg(test)]
mod tests {
    use frontend::Language;

    use super::*;

    #[test]
    fn refusals_that_were_counted_are_said_in_the_readers_language() {
        let english = Words(Language::English);
        let korean = Words(Language::Korean);
        assert_eq!(asked(english, "times=40"), "40 times more");
        let locked = asked(english, "refused-too-many-tries times=898");
        assert!(locked.starts_with("Too many"), "{locked}");
        assert!(locked.ends_with("898 times more"), "{locked}");
        let other = asked(korean, "refused-too-many-tries times=898");
        assert!(other.contains("898") && other != locked, "{other}");
        assert_eq!(asked(korean, "path=/times=5"), "path=/times=5");
        assert_eq!(asked(korean, ""), "");
    }
}
