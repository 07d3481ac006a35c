//! Everything the server says by a key has its words, in every language.

use backend::domain::Rule;
use backend::fleet::doctor::Diagnosis;
use backend::http::Problem;
use frontend::words::{Language, Words};

fn rules() -> Vec<Rule> {
    let text = String::new;
    vec![
        Rule::Required,
        Rule::TooShort { least: 1 },
        Rule::TooLong { most: 1 },
        Rule::Name,
        Rule::Taken,
        Rule::CommonPassword,
        Rule::PasswordIsName,
        Rule::PasswordsDiffer,
        Rule::WrongPassword,
        Rule::WrongCredentials,
        Rule::TooManyTries { seconds: 900 },
        Rule::Choice,
        Rule::Number { least: 0, most: 1 },
        Rule::Size,
        Rule::Environment,
        Rule::Label,
        Rule::ImageName,
        Rule::AbsolutePath,
        Rule::Mount,
        Rule::CommandLine,
        Rule::UnknownOption { option: text() },
        Rule::Subnet,
        Rule::Moment,
        Rule::NoSuchImage,
        Rule::TooMany { most: 1 },
        Rule::Engine { message: text() },
    ]
}

fn diagnoses() -> Vec<Diagnosis> {
    let (address, message) = (String::new, String::new);
    vec![
        Diagnosis::NoSocket { address: address() },
        Diagnosis::NobodyListens { address: address() },
        Diagnosis::NoAccess { address: address() },
        Diagnosis::TooSlow,
        Diagnosis::Strange { message: message() },
        Diagnosis::Broken { message: message() },
    ]
}

/// A key without words is shown as it is.
fn is_said(words: Words, key: &str) -> bool {
    words.with(key, &[("name", "x")]) != key
}

#[test]
fn every_rule_has_its_words() {
    for words in Language::ALL.map(Words) {
        for rule in rules() {
            let values = rule.values();
            let values: Vec<_> = values
                .iter()
                .map(|(name, text)| (*name, text.as_str()))
                .collect();
            let said = words.with(rule.key(), &values);
            assert_ne!(said, rule.key(), "{}", words.tag());
            assert!(!said.contains("{$"), "{}: {said}", words.tag());
        }
    }
}

#[test]
fn every_problem_says_what_happened_and_what_to_do() {
    let of_engine = diagnoses();
    let keys = of_engine
        .iter()
        .map(Diagnosis::key)
        .chain(Problem::KEYS.iter().copied());
    for key in keys {
        for words in Language::ALL.map(Words) {
            for part in ["", ".text", ".advice"] {
                let key = format!("{key}{part}");
                assert!(is_said(words, &key), "{} {key}", words.tag());
            }
        }
    }
}
