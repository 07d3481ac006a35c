//! Whose code we build: the licences and bans of `deny.toml`, held without cargo-deny, which takes
//! longer to install than everything else here takes to run.
//!
//! Advisories are held as far as `deny.toml` names their versions. That is no check against the
//! database: `docker-free-tests/run supply` says so where cargo-deny or the database is missing.

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
    let banned: Vec<Ban> = rules.lines().filter_map(Ban::read).collect();
    let mut problems = Vec::new();
    for package in packages
        .iter()
        .filter(|package| !package["source"].is_null())
    {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or_default();
        let version = package["version"].as_str().unwrap_or_default();
        let broken = banned.iter().filter(|ban| ban.holds(name, version));
        problems.extend(broken.map(|ban| {
            let text = format!("{name} {version} is banned in deny.toml: {}", ban.reason);
            Problem::new("Cargo.lock", 0, text)
        }));
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

/// One line of the bans: a name, and the versions that are meant where not all are.
struct Ban<'r> {
    name: &'r str,
    versions: Option<&'r str>,
    reason: &'r str,
}

impl<'r> Ban<'r> {
    fn read(line: &'r str) -> Option<Self> {
        let line = line.trim().strip_prefix("{ name = ")?;
        let value = |key: &str| {
            let (_, rest) = line.split_once(key)?;
            rest.split('"').next()
        };
        Some(Self {
            name: line.split('"').nth(1)?,
            versions: value(", version = \""),
            reason: value("reason = \"").unwrap_or_default(),
        })
    }

    fn holds(&self, name: &str, version: &str) -> bool {
        let fits = |versions: &str| {
            versions
                .split(',')
                .all(|bound| within(bound.trim(), version))
        };
        self.name == name && self.versions.is_none_or(fits)
    }
}

/// Whether a version keeps a bound such as `<1.2.3`, `>=1.2.3` or `=1.2.3`.
fn within(bound: &str, version: &str) -> bool {
    let number = |text: &str| -> Vec<u64> {
        let plain = text.split(['-', '+']).next().unwrap_or_default();
        plain
            .split('.')
            .map(|part| part.parse().unwrap_or(0))
            .collect()
    };
    let of = |sign: &str| bound.strip_prefix(sign).map(number);
    let version = number(version);
    match (of(">="), of("<"), of("=")) {
        (Some(least), _, _) => version >= least,
        (_, Some(end), _) => version < end,
        (_, _, Some(one)) => version == one,
        _ => panic!("the bound {bound:?} in deny.toml is none of <, >=, ="),
    }
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

    const RULES: &str = r#"allow = ["MIT", "A WITH B"]
deny = [
  { name = "bad-one", reason = "x" },
  { name = "holed", version = ">=1.2.0, <1.10.1", reason = "RUSTSEC-x" },
  { name = "holed", version = "=2.0.0", reason = "RUSTSEC-y" },
]"#;

    fn package(name: &str, licence: &str) -> Value {
        serde_json::json!({ "name": name, "license": licence, "source": "registry+x", "version": "1.0.0" })
    }

    #[test]
    fn a_version_with_an_advisory_is_seen_and_its_mended_one_is_not() {
        let found = |version: &str| {
            let mut package = package("holed", "MIT");
            package["version"] = version.into();
            judge(&[package], RULES).len()
        };
        for (version, n) in [
            ("1.1.9", 0),
            ("1.2.0", 1),
            ("1.9.9", 1),
            ("1.10.0+build", 1),
            ("1.10.1", 0),
            ("2.0.0", 1),
            ("2.0.1", 0),
        ] {
            assert_eq!(found(version), n, "{version}");
        }
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
