//! Every word that a person reads, by key, in the language of the reader.
//!
//! **Invariant:** no sentence for people is written anywhere else in the house than in `messages/`;
//! a test holds the languages complete and every used key existing.

use std::borrow::Cow;
use std::collections::HashMap;

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, langid, static_loader};

static_loader! {
    static MESSAGES = {
        locales: "./messages",
        fallback_language: "en",
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// A language that the pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Korean.
    Korean,
}

impl Language {
    /// All of them, in the order they are offered.
    pub const ALL: [Language; 2] = [Language::English, Language::Korean];

    /// Returns the tag for `lang` attributes and the account.
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Korean => "ko",
        }
    }

    /// Returns the language's own name for itself.
    pub fn own_name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Korean => "한국어",
        }
    }

    /// Returns the language with this tag.
    pub fn from_tag(tag: &str) -> Option<Language> {
        Language::ALL
            .into_iter()
            .find(|language| language.tag() == tag)
    }

    /// Returns the best language for an `Accept-Language` header.
    pub fn from_accept(header: &str) -> Language {
        let mut best = (0.0, Language::English);
        for wish in header.split(',').take(20) {
            let (tag, quality) = wish.split_once(";q=").unwrap_or((wish, "1"));
            let quality: f32 = quality.trim().parse().unwrap_or(0.0);
            let primary = tag
                .trim()
                .split('-')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            if let Some(language) = Language::from_tag(&primary).filter(|_| quality > best.0) {
                best = (quality, language);
            }
        }
        best.1
    }
}

/// The catalogue in one language. Copied freely; every view model carries one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Words(pub Language);

impl Words {
    /// Returns the text of a key.
    pub fn t(self, key: &str) -> String {
        self.look_up(key, None)
    }

    /// Returns the text of a key with its arguments put in.
    pub fn with(self, key: &str, arguments: &[(&'static str, &str)]) -> String {
        let arguments: HashMap<Cow<'static, str>, FluentValue> = arguments
            .iter()
            .map(|(name, value)| (Cow::Borrowed(*name), FluentValue::from(*value)))
            .collect();
        self.look_up(key, Some(&arguments))
    }

    /// Returns the text of a key that names one thing, as `$name`.
    pub fn named(self, key: &str, name: &str) -> String {
        self.with(key, &[("name", name)])
    }

    /// Returns the text of a key that counts something, as `$count`.
    pub fn n(self, key: &str, count: u64) -> String {
        let arguments = HashMap::from([(Cow::Borrowed("count"), FluentValue::from(count))]);
        self.look_up(key, Some(&arguments))
    }

    /// Returns some texts as a JSON object, for an element that speaks in the browser.
    pub fn json(self, keys: &[&str]) -> String {
        let texts: serde_json::Map<String, serde_json::Value> = keys
            .iter()
            .map(|key| ((*key).to_owned(), self.t(key).into()))
            .collect();
        serde_json::Value::Object(texts).to_string()
    }

    /// Returns the tag for `lang` attributes.
    pub fn tag(self) -> &'static str {
        self.0.tag()
    }

    /// A missing key shows itself; the tests see to it that there is none.
    fn look_up(
        self,
        key: &str,
        arguments: Option<&HashMap<Cow<'static, str>, FluentValue<'_>>>,
    ) -> String {
        const ENGLISH: LanguageIdentifier = langid!("en");
        const KOREAN: LanguageIdentifier = langid!("ko");
        let language = match self.0 {
            Language::English => &ENGLISH,
            Language::Korean => &KOREAN,
        };
        let found = MESSAGES.lookup_single_language(language, key, arguments);
        found.unwrap_or_else(|_| key.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_chooses_the_language() {
        assert_eq!(
            Language::from_accept("ko-KR,ko;q=0.9,en;q=0.8"),
            Language::Korean
        );
        assert_eq!(
            Language::from_accept("fr, en;q=0.5, ko;q=0.4"),
            Language::English
        );
        assert_eq!(Language::from_accept(""), Language::English);
    }
}
