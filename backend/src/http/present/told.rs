//! Failures in words: the engine's own are quoted, ours are found in the catalogue.

use frontend::Words;

/// The beginnings of the keys that failures are noted by.
const KEYS: &[&str] = &[
    "obstacle-",
    "problem-",
    "engine-",
    "rule-",
    "terminal-",
    "edit-",
    "refused-",
];

/// Returns what a noted failure says to a reader of that language.
///
/// What is noted is a key and its values, as `rule-number least=0 most=9`, or somebody else's words,
/// which are passed on as they are.
pub fn told(words: Words, noted: &str) -> String {
    let (key, values) = noted.split_once(' ').unwrap_or((noted, ""));
    if !KEYS.iter().any(|beginning| key.starts_with(beginning)) {
        return noted.to_owned();
    }
    let values = match key.strip_prefix("edit-") {
        // Why it went back is a failure of its own.
        Some(_) => vec![("name", told(words, values.trim_start_matches("name=")))],
        None => values_of(values),
    };
    let values: Vec<_> = values
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let said = words.with(key, &values);
    if said == key { noted.to_owned() } else { said }
}

/// The values that words name.
const NAMES: &[&str] = &["name", "least", "most", "seconds", "option"];

/// Takes `least=1 most=2 and more` apart; a word without a name belongs to the value before it.
fn values_of(text: &str) -> Vec<(&'static str, String)> {
    let mut values: Vec<(&'static str, String)> = Vec::new();
    for word in text.split(' ') {
        let (before, after) = word.split_once('=').unwrap_or((word, ""));
        match NAMES.iter().find(|name| **name == before) {
            Some(name) => values.push((name, after.to_owned())),
            None => {
                if let Some((_, value)) = values.last_mut() {
                    value.push(' ');
                    value.push_str(word);
                }
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use frontend::Language;

    use super::*;
    use crate::domain::Rule;
    use crate::services::{Error, Obstacle};

    #[test]
    fn ours_is_said_in_the_readers_language_and_the_engines_is_quoted() {
        let error = Error::InTheWay(Obstacle::TooManyJobs { n: 16 });
        let (english, korean) = (Words(Language::English), Words(Language::Korean));
        assert!(told(english, &error.noted()).contains("16"), "{error}");
        assert_ne!(told(english, &error.noted()), told(korean, &error.noted()));

        let rule = Error::field("cpus", Rule::Number { least: 0, most: 9 });
        let said = told(english, &rule.noted());
        assert!(said.contains('0') && said.contains('9'), "{said}");
        let away = Error::Unavailable(crate::fleet::doctor::Diagnosis::NoSocket {
            address: "/a place/engine.sock".to_owned(),
        });
        assert!(told(english, &away.noted()).contains("/a place/engine.sock"));

        for quoted in [
            "name is in use",
            "no space left on device",
            "engine-is odd",
            "",
        ] {
            assert_eq!(told(korean, quoted), quoted);
        }
    }

    #[test]
    fn every_obstacle_has_its_words() {
        for obstacle in Obstacle::ALL {
            for words in Language::ALL.map(Words) {
                let noted = Error::InTheWay(*obstacle).noted();
                assert_ne!(told(words, &noted), noted, "{}", words.tag());
            }
        }
    }
}
