//! The catalogue: the languages hold the same keys with the same arguments, and what is used exists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Reads a catalogue: each key (attributes as `key.attribute`) with the arguments it names.
fn catalogue(language: &str) -> BTreeMap<String, BTreeSet<String>> {
    let path = format!("{}/messages/{language}.ftl", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).expect("the catalogue can be read");
    let mut keys = BTreeMap::new();
    let (mut message, mut current) = (String::new(), String::new());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let head = line.trim_start();
        let is_key = line.starts_with(|c: char| c.is_ascii_lowercase());
        if is_key && let Some((key, _)) = line.split_once(" =") {
            key.clone_into(&mut message);
            key.clone_into(&mut current);
            assert!(
                keys.insert(message.clone(), BTreeSet::new()).is_none(),
                "{key} twice"
            );
        } else if let Some((attribute, _)) = head.split_once(" =").filter(|_| head.starts_with('.'))
        {
            current = format!("{message}{attribute}");
            keys.insert(current.clone(), BTreeSet::new());
        }
        let arguments = line.split('$').skip(1).map(|rest| {
            rest.chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect::<String>()
        });
        keys.entry(current.clone()).or_default().extend(arguments);
    }
    keys
}

/// Finds the keys that a directory's files name: `t("key")`, `named("key"`, and the like.
fn used(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).expect("the directory is there") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() {
            used(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        for call in ["t(", "with(", "named(", "n(", "json("] {
            for rest in text.split(&format!("words.{call}")).skip(1) {
                let literal = rest
                    .trim_start()
                    .strip_prefix('"')
                    .and_then(|r| r.split('"').next());
                found.extend(literal.map(str::to_owned));
            }
        }
    }
}

#[test]
fn korean_says_everything_that_english_says() {
    let (english, korean) = (catalogue("en"), catalogue("ko"));
    let keys = |all: &BTreeMap<String, _>| all.keys().cloned().collect::<BTreeSet<_>>();
    let differing: Vec<_> = keys(&english)
        .symmetric_difference(&keys(&korean))
        .cloned()
        .collect();
    assert!(differing.is_empty(), "only in one language: {differing:?}");
    for (key, arguments) in &english {
        assert_eq!(arguments, &korean[key], "arguments of {key}");
    }
}

#[test]
fn every_key_that_is_used_exists() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeSet::new();
    for directory in ["src", "templates", "../backend/src/http"] {
        used(&here.join(directory), &mut found);
    }
    let known = catalogue("en");
    let missing: Vec<_> = found
        .iter()
        .filter(|key| !known.contains_key(*key))
        .collect();
    assert!(found.len() > 150, "the search finds nothing any more");
    assert!(missing.is_empty(), "not in the catalogue: {missing:?}");
}

#[test]
fn nothing_in_the_catalogue_is_dead() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    for directory in ["src", "templates", "../backend/src"] {
        gather(&here.join(directory), &mut text);
    }
    // Made at run time: `create-<field>`, `theme-<tag>`, `level-<name>`.
    let is_made = |key: &str| {
        ["create-", "theme-", "level-"]
            .iter()
            .any(|begin| key.starts_with(begin))
    };
    let known = catalogue("en");
    let names = known
        .keys()
        .filter(|key| !key.is_empty() && !key.contains('.'));
    let dead: Vec<_> = names
        .filter(|key| !is_made(key) && !text.contains(&format!("\"{key}\"")))
        .collect();
    assert!(dead.is_empty(), "nobody says: {dead:?}");
}

fn gather(directory: &Path, text: &mut String) {
    for entry in fs::read_dir(directory).expect("the directory is there") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() {
            gather(&path, text);
        } else {
            text.push_str(&fs::read_to_string(&path).unwrap_or_default());
        }
    }
}
