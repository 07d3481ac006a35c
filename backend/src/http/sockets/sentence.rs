//! A failure as one sentence, in the language of whoever reads it.

use frontend::{Language, Words};

use crate::access::Actor;
use crate::http::extract::Visit;
use crate::http::present::told;
use crate::http::{Error, Problem};
use crate::services;

/// Returns the words of an actor's own language, else of their browser's.
pub(super) fn words(actor: &Actor, visit: &Visit) -> Words {
    let language = actor.account.language.unwrap_or(visit.language);
    Words(Language::from_tag(language.tag()).unwrap_or_default())
}

/// Returns what failed and what to do.
pub(super) fn of(words: Words, error: services::Error) -> String {
    let problem = Problem::of(&Error::from(error));
    let part = |part| words.named(&format!("{}.{part}", problem.key), &problem.message);
    match problem.message.as_str() {
        "" => format!("{} {}", part("text"), part("advice")),
        message if problem.key.starts_with("problem-") => told(words, message),
        _ => format!("{} {}", part("text"), part("advice")),
    }
}
