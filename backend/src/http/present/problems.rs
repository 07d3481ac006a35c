//! Failures as pages: what happened, to what, what to do next.

use frontend::pages::{Problem as Page, ProblemOutside};
use frontend::paths;
use frontend::shell::Section;
use frontend::ui::{Action, Look};
use frontend::{Template, Words};

use super::{Reader, told};
use crate::http::Problem;

/// Draws a failure for its reader.
pub fn page(reader: &Reader, problem: &Problem, request: &str) -> String {
    let words = reader.words;
    let part = |part: &str| words.named(&format!("{}{part}", problem.key), &problem.message);
    let title = part("");
    let text = text(reader, problem, part(".text"));
    let advice = part(".advice");
    let shell = reader.shell(Section::Elsewhere, title.clone());
    let home = paths::Overview.to_string();
    let back = Action::link(words.t("back-to-overview"), "layout-dashboard", home);
    let actions = vec![back.look(Look::Primary)];
    let drawn = if reader.account.is_some() {
        let request_id = request.to_owned();
        Page {
            shell,
            title,
            text,
            advice,
            actions,
            request_id,
        }
        .render()
    } else {
        ProblemOutside {
            shell,
            title,
            text,
            advice,
            actions,
        }
        .render()
    };
    drawn.unwrap_or_else(|error| error.to_string())
}

/// The engine's own words go after ours; a missing permission is named.
fn text(reader: &Reader, problem: &Problem, ours: String) -> String {
    if let Some(refused) = &problem.refused {
        return reader.reason(refused.permission).unwrap_or(ours);
    }
    let is_named = problem.key.starts_with("engine-");
    if problem.message.is_empty() || is_named {
        ours
    } else {
        let said = told(reader.words, &problem.message);
        format!("{ours} {}.", said.trim_end_matches('.'))
    }
}

/// Returns a failure as one sentence: what a rule or the engine says, else what to do.
pub fn sentence(words: Words, problem: &Problem) -> String {
    let part = |part| words.named(&format!("{}.{part}", problem.key), &problem.message);
    match problem.message.as_str() {
        message if !message.is_empty() && problem.key.starts_with("problem-") => {
            told(words, message)
        }
        _ => format!("{} {}", part("text"), part("advice")),
    }
}
