//! Whose code we build: the licences and bans of `deny.toml`, held without cargo-deny, which takes
//! longer to install than everything else here takes to run.

use std::process::Command;

use serde_json::Value;

use crate::tree::{Problem, Tree, root};

/// Every package in the lock file has an allowed licence and a name that is not banned.
pub(crate) fn licences_and_bans(tree: &Tree) -> Vec<Problem> {
    let rules = &tree
        .get("deny.toml")
        .expect("deny.toml stands at the root")
        .text;
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .expect("cargo runs this test");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"]
        .as_array()
        .expect("metadata lists packages");
    assert!(
        packages.len() > 50,
        "cargo named only {} packages",
        packages.len()
    );
    judge(packages, rules)
}

fn judge(packages: &[Value], rules: &str) -> Vec<Problem> {
    let allowed = listed(rules, "allow = [");
    let banned: Vec<String> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("{ name = \""))
        .filter_map(|rest| rest.split('"').next().map(str::to_owned))
        .collect();
    let mut problems = Vec::new();
    for package in packages
        .iter()
        .filter(|package| !package["source"].is_null())
    {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or_default();
        if banned.iter().any(|ban| ban == name) {
            problems.push(Problem::new(
                "Cargo.lock",
                0,
                format!("{name} is banned in deny.toml"),
            ));
        }
        if !satisfied(licence, &allowed) {
            problems.push(Problem::new(
                "Cargo.lock",
                0,
                format!("{name}: licence {licence:?}"),
            ));
        }
        let source = package["source"].as_str().unwrap_or_default();
        if !source.starts_with("registry+") {
            problems.push(Problem::new(
                "Cargo.lock",
                0,
                format!("{name} comes from {source}"),
            ));
        }
    }
    problems
}

fn listed(rules: &str, begin: &str) -> Vec<String> {
    let Some(at) = rules.find(begin) else {
        return Vec::new();
    };
    let inside = rules[at + begin.len()..]
        .split(']')
        .next()
        .unwrap_or_default();
    inside
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Whether an SPDX expression of names, `AND`, `OR` and brackets holds with the allowed names.
fn satisfied(expression: &str, allowed: &[String]) -> bool {
    let text = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let text = text.replace(" WITH ", "+WITH+");
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut at = 0;
    !words.is_empty() && any_of(&words, &mut at, allowed) && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut holds = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        holds |= all_of(words, at, allowed);
    }
    holds
}

fn all_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut holds = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        holds &= one(words, at, allowed);
    }
    holds
}

fn one(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let word = words.get(*at).copied().unwrap_or_default();
    *at += 1;
    if word != "(" {
        return allowed
            .iter()
            .any(|name| *name == word.replace("+WITH+", " WITH "));
    }
    let holds = any_of(words, at, allowed);
    *at += 1;
    holds
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str =
        "allow = [\"MIT\", \"A WITH B\"]\ndeny = [\n  { name = \"bad-one\", reason = \"x\" },\n]";

    fn package(name: &str, licence: &str) -> Value {
        serde_json::json!({ "name": name, "license": licence, "source": "registry+x" })
    }

    #[test]
    fn a_banned_name_and_a_foreign_licence_are_seen() {
        assert!(judge(&[package("good", "MIT")], RULES).is_empty());
        assert_eq!(judge(&[package("bad-one", "MIT")], RULES).len(), 1);
        assert_eq!(judge(&[package("good", "GPL-3.0")], RULES).len(), 1);
        assert_eq!(judge(&[package("good", "")], RULES).len(), 1);
        let git = serde_json::json!({ "name": "g", "license": "MIT", "source": "git+x" });
        assert_eq!(judge(&[git], RULES).len(), 1);
    }

    #[test]
    fn licence_expressions_are_understood() {
        let allowed = listed(RULES, "allow = [");
        for good in [
            "MIT",
            "MIT OR GPL",
            "GPL/MIT",
            "(GPL OR MIT) AND MIT",
            "A WITH B",
        ] {
            assert!(satisfied(good, &allowed), "{good}");
        }
        for bad in ["", "GPL", "MIT AND GPL", "(MIT OR GPL) AND GPL", "A"] {
            assert!(!satisfied(bad, &allowed), "{bad}");
        }
    }
}
