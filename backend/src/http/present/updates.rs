//! Marks: how images stand against their registries.

use frontend::format::Moment;
use frontend::pages::NameUpdate;
use frontend::parts::UpdateMark;
use frontend::paths::{self, Value};
use frontend::ui::{Action, Badge, Tone};
use jiff::Timestamp;

use super::{Reader, told};
use crate::access::PermissionId as Id;
use crate::fleet::{ContainerFact, ImageFact};
use crate::services::updates::{Standing, Untracked};

/// Returns a container's mark for a list: the state and its age.
pub(super) fn of_row(reader: &Reader, fact: &ContainerFact) -> Option<UpdateMark> {
    let standing = reader.marks.as_ref()?.of_container(fact);
    mark(reader, &standing)
}

/// Returns a container's mark with the way on.
pub(super) fn of_container(reader: &Reader, fact: &ContainerFact) -> Option<UpdateMark> {
    let standing = reader.marks.as_ref()?.of_container(fact);
    let is_here = match standing {
        Standing::Behind { is_here, .. } => Some(is_here),
        _ => None,
    };
    let words = reader.words;
    let way = match is_here {
        // Its name stands for the new one already: made anew, the container runs that.
        Some(true) if reader.may(Id::ContainerEdit) => Some((
            words.t("update-anew"),
            paths::ContainerEdit(fact.id.as_str()).to_string(),
        )),
        Some(false) if reader.may(Id::ImagePull) => {
            Some((words.t("update-pull"), pull_path(&fact.summary.image)))
        }
        _ => None,
    };
    let mark = mark(reader, &standing)?;
    Some(UpdateMark { way, ..mark })
}

/// Returns the mark of one of an image's names, for a list.
pub(super) fn of_name(reader: &Reader, fact: &ImageFact, name: &str) -> Option<UpdateMark> {
    let standing = reader.marks.as_ref()?.of_name(fact, name);
    match standing {
        Standing::Unasked { .. } => None,
        standing => mark(reader, &standing),
    }
}

/// Returns the line of one of an image's names on the image's page.
pub(super) fn line(reader: &Reader, fact: &ImageFact, name: &str) -> Option<NameUpdate> {
    let words = reader.words;
    let standing = reader.marks.as_ref()?.of_name(fact, name);
    let id = fact.id.as_str();
    let path = format!("{}?tag={}", paths::ImageCheck(id), Value(name));
    let check = Action::post(words.t("update-check"), "rotate-cw", path);
    let pull = Action::link(words.t("pull"), "download", pull_path(name));
    let is_tracked = !matches!(standing, Standing::Untracked(_));
    let is_behind = matches!(standing, Standing::Behind { .. });
    let reason = match standing {
        Standing::Untracked(Untracked::ById) => "update-by-id",
        Standing::Untracked(Untracked::ByDigest) => "update-by-digest",
        _ => "update-made-here",
    };
    Some(NameUpdate {
        name: name.to_owned(),
        mark: mark(reader, &standing).ok_or_else(|| words.t(reason)),
        check: is_tracked.then(|| reader.guard(check, Id::ImageCheck, None)),
        pull: is_behind.then(|| reader.guard(pull, Id::ImagePull, None)),
    })
}

/// Returns whether the server asks by itself, in a sentence.
pub(super) fn note(reader: &Reader) -> String {
    let is_off = reader.marks.as_ref().is_some_and(|marks| marks.is_off());
    let key = if is_off {
        "updates-off"
    } else {
        "updates-automatic"
    };
    reader.words.t(key)
}

fn mark(reader: &Reader, standing: &Standing) -> Option<UpdateMark> {
    let words = reader.words;
    let age = |at: Timestamp| Moment::past(words, at, reader.now).text;
    let checked = |at: Timestamp| words.named("update-checked", &age(at));
    let (tone, icon, key, note) = match standing {
        Standing::Untracked(_) => return None,
        Standing::Unasked { .. } => (Tone::Idle, "clock", "update-unasked", String::new()),
        Standing::UnderWay => (
            Tone::Busy,
            "loader-circle",
            "update-under-way",
            String::new(),
        ),
        Standing::Current { at } => (Tone::Idle, "circle-check", "update-current", checked(*at)),
        Standing::Behind { at, .. } => (Tone::Warn, "download", "update-behind", checked(*at)),
        Standing::Unknown { at, why } => {
            let why = told(words, why);
            let values = [("why", why.as_str()), ("age", &age(*at))];
            let note = words.with("update-unknown-note", &values);
            (Tone::Idle, "triangle-alert", "update-unknown", note)
        }
    };
    let badge = Badge {
        tone,
        icon,
        word: words.t(key),
    };
    Some(UpdateMark {
        badge,
        note,
        way: None,
    })
}

fn pull_path(name: &str) -> String {
    format!("{}?pull={}", paths::Images, Value(name))
}
