//! What an edit would do, before it is done.

use frontend::Words;
use frontend::pages::{ContainerPlan, PlanRow};
use frontend::paths;
use frontend::shell::Section;
use frontend::ui::Notice;

use super::{Reader, told};
use crate::access::PermissionId;
use crate::domain::ContainerPlace;
use crate::http::extract::Fields;
use crate::services::drafts::{Change, Way};
use crate::services::edits::Plan;
use crate::services::{Error, Obstacle};

/// Returns the page.
pub fn plan(
    reader: &Reader,
    place: &ContainerPlace,
    plan: &Plan,
    fields: &Fields,
    obstacle: Option<Obstacle>,
) -> ContainerPlan {
    let words = reader.words;
    let is_anew = plan.way == Way::Anew;
    let is_nothing = !is_anew && plan.changes.is_empty();
    let mut rows: Vec<_> = plan.changes.iter().map(|one| row(words, one)).collect();
    if plan.image_moved && is_anew {
        rows.push(PlanRow {
            label: words.t("create-image"),
            lost: vec![plan.stored.image().to_owned()],
            won: vec![words.t("plan-image-moved")],
            in_place: false,
        });
    }
    let mut hidden: Vec<(String, String)> = fields
        .pairs()
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "step" | "seen" | "keep_old"))
        .cloned()
        .collect();
    hidden.push(("seen".to_owned(), plan.stored.fingerprint()));
    let why = obstacle.map(|obstacle| told(words, &Error::InTheWay(obstacle).noted()));
    let title = words.named("edit-title", &place.name);
    ContainerPlan {
        shell: reader.shell(Section::Containers, title),
        notices: why.map(Notice::failed).into_iter().collect(),
        is_anew,
        is_nothing,
        says: says(words, plan),
        rows,
        path: paths::ContainerEdit(place.id.as_str()).to_string(),
        back: paths::Container(place.id.as_str()).to_string(),
        hidden,
        keeps_old: fields.is_set("keep_old"),
        blocked: reader.reason(PermissionId::ContainerEdit),
    }
}

/// What goes and what stays, in sentences.
fn says(words: Words, plan: &Plan) -> Vec<String> {
    match plan.way {
        Way::Anew => {
            let n = plan.n_changed_files as u64;
            vec![
                words.t("plan-anew-steps"),
                words.n("plan-anew-files", n),
                words.t("plan-anew-back"),
            ]
        }
        _ if plan.changes.is_empty() => vec![words.t("plan-nothing-text")],
        _ => vec![words.t("plan-in-place-text")],
    }
}

fn row(words: Words, change: &Change) -> PlanRow {
    let label = words.t(&format!("create-{}", change.field.replace('_', "-")));
    let lines = |text: &str, other: &str| {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let other: Vec<_> = other.lines().map(str::trim).collect();
        let differing = lines.filter(|line| !other.contains(&line.trim()));
        differing.map(str::to_owned).collect::<Vec<_>>()
    };
    PlanRow {
        label,
        lost: lines(&change.before, &change.after),
        won: lines(&change.after, &change.before),
        in_place: change.in_place,
    }
}
