//! Files under `golden/` that a person has read: a difference is a question, never noise.
//!
//! `GANTRY_GOLDEN=write cargo test -p docker-free-tests --test tidy` writes them anew; the commit
//! that takes the new text in is where it is reviewed.

use crate::tree::{Problem, Tree, root};

const FOLDER: &str = "docker-free-tests/golden/";

/// Whether the golden files are to be written rather than compared.
pub(crate) fn writing() -> bool {
    std::env::var_os("GANTRY_GOLDEN").is_some_and(|value| value == "write")
}

/// Compares `text` with the golden file of that name.
pub(crate) fn compare(tree: &Tree, name: &str, text: &str) -> Vec<Problem> {
    let path = format!("{FOLDER}{name}");
    if writing() {
        std::fs::write(root().join(&path), text).expect("the golden folder is ours to write");
        return Vec::new();
    }
    let golden = tree.get(&path).map_or("", |file| file.text.as_str());
    let mut problems = Vec::new();
    for line in text
        .lines()
        .filter(|line| !golden.lines().any(|known| known == *line))
    {
        problems.push(Problem::new(&path, 0, format!("new, not reviewed: {line}")));
    }
    for (at, line) in golden.lines().enumerate() {
        if !text.lines().any(|now| now == line) {
            problems.push(Problem::new(
                &path,
                at + 1,
                format!("no longer true: {line}"),
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_more_and_a_line_less_are_both_seen() {
        if writing() {
            return;
        }
        let tree = Tree::of(&[("docker-free-tests/golden/x.txt", "a\nb\n")]);
        assert!(compare(&tree, "x.txt", "a\nb\n").is_empty());
        assert_eq!(compare(&tree, "x.txt", "a\nc\n").len(), 2);
    }
}
