//! What a container changed against its image, as a list.

use frontend::pages::{ChangeRow, ContainerChanges};
use frontend::parts::Tab;
use frontend::paths;
use frontend::ui::{Badge, Empty, Filter, Pager, Tone, View};

use super::{Reader, containers, details};
use crate::access::PermissionId as Id;
use crate::domain::shown_name;
use crate::fleet::ContainerFact;
use crate::services::files::{Change, ChangeKind};

/// Rows of a page.
const ROWS: usize = 200;

const KINDS: [(ChangeKind, &str); 3] = [
    (ChangeKind::Changed, "changed"),
    (ChangeKind::Added, "added"),
    (ChangeKind::Deleted, "deleted"),
];

/// Returns the page; `all` is in the order of the paths.
pub fn page(
    reader: &Reader,
    fact: &ContainerFact,
    view: &View,
    all: &[Change],
) -> ContainerChanges {
    let words = reader.words;
    let fitting: Vec<_> = all
        .iter()
        .filter(|change| fits(change, &view.filter))
        .collect();
    let skipped = view.page.saturating_sub(1).saturating_mul(ROWS);
    let rows = fitting.iter().skip(skipped).take(ROWS);
    ContainerChanges {
        shell: details::shell(reader, fact, Tab::Changes),
        header: containers::header(reader, fact, Tab::Changes),
        filter: Filter {
            words,
            hint: words.t("changes-filter"),
            chips: chips(reader, view, all),
            view: view.clone(),
        },
        rows: rows.map(|change| row(reader, fact, change)).collect(),
        pager: Pager::new(words, view, ROWS, fitting.len()),
        empty: fitting.is_empty().then(|| empty(reader, all.is_empty())),
    }
}

/// Words of the filter that begin with `kind:` choose kinds, any other must be in the path.
fn fits(change: &Change, filter: &str) -> bool {
    let mut kinds = filter
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("kind:"))
        .peekable();
    let own = KINDS.iter().find(|(kind, _)| *kind == change.kind);
    let is_kind = kinds.peek().is_none() || kinds.any(|kind| own.is_some_and(|own| own.1 == kind));
    let path = change.path.to_lowercase();
    let mut words = filter
        .split_whitespace()
        .filter(|word| !word.starts_with("kind:"));
    is_kind && words.all(|word| path.contains(&word.to_lowercase()))
}

fn chips(reader: &Reader, view: &View, all: &[Change]) -> Vec<(String, String, String, bool)> {
    let words = reader.words;
    let chip = |label: &str, count: usize, filter: &str| {
        let url = view.filtered(filter).url();
        (
            words.t(label),
            count.to_string(),
            url,
            view.filter == filter,
        )
    };
    let count = |kind| all.iter().filter(|change| change.kind == kind).count();
    let mut chips = vec![chip("all", all.len(), "")];
    chips.extend(KINDS.map(|(kind, word)| chip(label(kind), count(kind), &format!("kind:{word}"))));
    chips
}

const fn label(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Changed => "change-changed",
        ChangeKind::Added => "change-added",
        ChangeKind::Deleted => "change-deleted",
    }
}

fn row(reader: &Reader, fact: &ContainerFact, change: &Change) -> ChangeRow {
    let (tone, icon) = match change.kind {
        ChangeKind::Changed => (Tone::Warn, "pencil"),
        ChangeKind::Added => (Tone::Running, "plus"),
        ChangeKind::Deleted => (Tone::Failed, "trash-2"),
    };
    let (before, name) = change.path.rsplit_once('/').unwrap_or(("", &change.path));
    // A name that was not UTF-8 leads nowhere any more.
    let is_lossy = change.path.contains('\u{fffd}');
    let can_be_opened = change.kind != ChangeKind::Deleted && !is_lossy;
    ChangeRow {
        kind: Badge {
            tone,
            icon,
            word: reader.words.t(label(change.kind)),
        },
        before: shown_name(&format!("{before}/")),
        name: shown_name(name),
        path: match can_be_opened && reader.may(Id::ContainerFiles) {
            true => paths::inside(&paths::ContainerFiles(fact.id.as_str()), &change.path),
            false => String::new(),
        },
    }
}

fn empty(reader: &Reader, is_same: bool) -> Empty {
    let words = reader.words;
    let (title, text) = match is_same {
        true => ("changes-none", "changes-none-text"),
        false => ("changes-nothing-found", "files-nothing-found-text"),
    };
    Empty {
        words,
        icon: "file-diff",
        title: words.t(title),
        text: words.t(text),
        action: None,
        command: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_chooses_by_kind_and_by_part_of_the_path() {
        let change = Change {
            path: "/etc/Nginx/nginx.conf".to_owned(),
            kind: ChangeKind::Added,
        };
        for good in [
            "",
            "nginx",
            "kind:added",
            "kind:deleted kind:added conf",
            "ETC nginx",
        ] {
            assert!(fits(&change, good), "{good}");
        }
        for bad in ["kind:deleted", "var", "kind:added var", "kind:"] {
            assert!(!fits(&change, bad), "{bad}");
        }
    }
}
