//! A migration that has landed may have run on somebody's data; its text is fixed for good.

use sha2::{Digest, Sha256};

use crate::golden;
use crate::tree::{Problem, Tree};

const GOLDEN: &str = "docker-free-tests/golden/migrations.txt";

/// Every migration has the hash it landed with, and numbers are used once.
pub(crate) fn migrations(tree: &Tree) -> Vec<Problem> {
    let known: Vec<(&str, &str)> = tree
        .get(GOLDEN)
        .map(|file| {
            file.text
                .lines()
                .filter_map(|line| line.split_once("  "))
                .collect()
        })
        .unwrap_or_default();
    let mut problems = Vec::new();
    let mut lines = Vec::new();
    for file in tree
        .ending(".sql")
        .filter(|file| file.path.starts_with("migrations/"))
    {
        let name = &file.path["migrations/".len()..];
        let hash = hash(&file.text);
        match known.iter().find(|(_, of)| *of == name) {
            Some((landed, _)) if *landed == hash => {}
            Some(_) => problems.push(Problem::new(
                &file.path,
                1,
                "landed already; write a new migration",
            )),
            None if golden::writing() => {}
            None => problems.push(Problem::new(
                &file.path,
                1,
                "new: write its hash (GANTRY_GOLDEN=write)",
            )),
        }
        lines.push(format!("{hash}  {name}"));
    }
    for (_, name) in known
        .iter()
        .filter(|(_, name)| tree.get(&format!("migrations/{name}")).is_none())
    {
        problems.push(Problem::new(
            GOLDEN,
            0,
            format!("{name} landed and is gone"),
        ));
    }
    if problems.is_empty() && golden::writing() {
        lines.sort_by(|a, b| a[66..].cmp(&b[66..]));
        return golden::compare(tree, "migrations.txt", &(lines.join("\n") + "\n"));
    }
    problems
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_a_new_and_a_lost_migration_are_seen() {
        if golden::writing() {
            return;
        }
        let golden = format!(
            "{}  0001_a.sql\n{}  0002_b.sql\n",
            hash("create"),
            hash("create")
        );
        let problems = |files: &[(&str, &str)]| {
            let mut files = files.to_vec();
            files.push((GOLDEN, &golden));
            migrations(&Tree::of(&files)).len()
        };
        let (a, b) = (
            ("migrations/0001_a.sql", "create"),
            ("migrations/0002_b.sql", "create"),
        );
        assert_eq!(problems(&[a, b]), 0);
        assert_eq!(problems(&[a, ("migrations/0002_b.sql", "changed")]), 1);
        assert_eq!(problems(&[a, b, ("migrations/0003_c.sql", "new")]), 1);
        assert_eq!(problems(&[a]), 1);
    }
}
