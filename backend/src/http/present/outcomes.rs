//! What became of many things that were acted on at once.

use frontend::pages::BulkOutcome;
use frontend::parts::{Outcome, OutcomeRow};
use frontend::paths;
use frontend::shell::Section;
use frontend::ui::{Action, Badge, Look, Tone};

use super::Reader;
use crate::domain::ContainerId;

/// What became of one container.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: ContainerId,
    /// Whether it is no more.
    pub is_gone: bool,
    /// Why it failed, if it did.
    pub failed: Option<String>,
}

/// Returns the page that tells; those that failed come first.
pub fn page(reader: &Reader, label: &str, mut ended: Vec<Ended>, back: &str) -> BulkOutcome {
    let words = reader.words;
    ended.sort_by_key(|one| one.failed.is_none());
    let n_failed = ended.iter().filter(|one| one.failed.is_some()).count();
    let key = if n_failed == 0 {
        "bulk-done"
    } else {
        "bulk-done-some"
    };
    let values = [
        ("action", label.to_owned()),
        ("done", (ended.len() - n_failed).to_string()),
        ("total", ended.len().to_string()),
    ];
    let values = values.each_ref().map(|(name, text)| (*name, text.as_str()));
    let sentence = words.with(key, &values);
    let action = Action::link(words.t("back-to-containers"), "box", back.to_owned());
    BulkOutcome {
        shell: reader.shell(Section::Containers, sentence.clone()),
        outcome: Outcome {
            words,
            sentence,
            failed: n_failed > 0,
            rows: ended.into_iter().map(|one| row(reader, one)).collect(),
        },
        back: action.look(Look::Primary),
    }
}

fn row(reader: &Reader, ended: Ended) -> OutcomeRow {
    let (tone, icon, key) = match ended.failed {
        None => (Tone::Running, "circle-check", "outcome-done"),
        Some(_) => (Tone::Failed, "circle-x", "outcome-failed"),
    };
    OutcomeRow {
        result: Badge {
            tone,
            icon,
            word: reader.words.t(key),
        },
        name: ended.name,
        path: (!ended.is_gone).then(|| paths::Container(ended.id.as_str()).to_string()),
        text: ended.failed.unwrap_or_default(),
    }
}
