//! A failure as one sentence, in the language of whoever reads it.

use frontend::{Language, Words};

use crate::access::Actor;
use crate::http::extract::Visit;
use crate::http::present::problems;
use crate::http::{Error, Problem};
use crate::services;

/// Returns the words of an actor's own language, else of their browser's.
pub(super) fn words(actor: &Actor, visit: &Visit) -> Words {
    let language = actor.account.language.unwrap_or(visit.language);
    Words(Language::from_tag(language.tag()).unwrap_or_default())
}

/// Returns what failed and what to do.
pub(super) fn of(words: Words, error: services::Error) -> String {
    problems::sentence(words, &Problem::of(&Error::from(error)))
}
