//! The shape of the house: door plates without logic, a sentence over every module, files that fit
//! in a head, and no file that nothing reaches.

use crate::source;
use crate::tree::{File, Problem, Tree};

/// Rust lines without tests: look again above the first, fail above the second.
const LONG_LINES: usize = 400;
const TOO_LONG_LINES: usize = 600;

/// Sample models are data: long, flat, and read by searching.
const SAMPLES: &str = "frontend/src/samples/";

/// A `mod.rs` holds documentation, `mod` lines and re-exports; never a function.
pub(crate) fn door_plates(tree: &Tree) -> Vec<Problem> {
    let plates = tree
        .rust()
        .filter(|file| file.is_product() && file.path.ends_with("/mod.rs"));
    plates
        .flat_map(|file| {
            let code = source::read(&file.text).code;
            source::words(&code, "fn")
                .map(|at| source::line_of(&code, at))
                .map(|line| {
                    Problem::new(
                        &file.path,
                        line,
                        "a mod.rs is a door plate; move the function",
                    )
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Every Rust file begins with a sentence about itself.
pub(crate) fn module_docs(tree: &Tree) -> Vec<Problem> {
    tree.rust()
        .filter(|file| !file.path.ends_with("/tests.rs"))
        .filter(|file| {
            let first = file.text.lines().find(|line| !line.starts_with("#!["));
            !first.is_some_and(|line| line.starts_with("//! ") && line.len() > "//! x".len())
        })
        .map(|file| Problem::new(&file.path, 1, "say in a module doc (//!) what this file is"))
        .collect()
}

/// No Rust file is longer than a reader bears; the long ones are printed.
#[expect(
    clippy::print_stdout,
    reason = "a test's output is where a reader of the run looks"
)]
pub(crate) fn sizes(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.rust().filter(|file| !file.path.starts_with(SAMPLES)) {
        let lines = lines_without_tests(file);
        if lines > TOO_LONG_LINES {
            let rule =
                format!("{lines} lines without tests, at most {TOO_LONG_LINES}: make it rooms");
            problems.push(Problem::new(&file.path, lines, rule));
        } else if lines > LONG_LINES {
            println!("{}: {lines} lines, look again", file.path);
        }
    }
    problems
}

fn lines_without_tests(file: &File) -> usize {
    source::read(&file.text).code.trim_end().lines().count()
}

/// Every Rust file below a `src/` is a root of its package or is named by a `mod` line above it.
pub(crate) fn dead_files(tree: &Tree) -> Vec<Problem> {
    tree.rust()
        .filter(|file| file.path.contains("src/"))
        .filter(|file| !is_crate_root(&file.path) && !is_declared(tree, &file.path))
        .map(|file| Problem::new(&file.path, 1, "no `mod` line reaches this file"))
        .collect()
}

fn is_crate_root(path: &str) -> bool {
    let below = path.rsplit_once("src/").map_or(path, |(_, below)| below);
    matches!(below, "lib.rs" | "main.rs") || below.starts_with("bin/")
}

fn is_declared(tree: &Tree, path: &str) -> bool {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let (folder, name) = match file {
        "mod.rs" => folder.rsplit_once('/').unwrap_or(("", folder)),
        _ => (folder, file.trim_end_matches(".rs")),
    };
    let above = [
        format!("{folder}/mod.rs"),
        format!("{folder}/lib.rs"),
        format!("{folder}/main.rs"),
        format!("{folder}.rs"),
    ];
    above
        .iter()
        .filter_map(|parent| tree.get(parent))
        .any(|parent| {
            let by_path = parent.text.contains(&format!("#[path = \"{file}\"]"));
            by_path
                || parent
                    .text
                    .lines()
                    .any(|line| line.trim().ends_with(&format!("mod {name};")))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_on_a_door_plate_is_seen() {
        let good = Tree::of(&[(
            "backend/src/a/mod.rs",
            "//! A.\nmod b;\npub use b::f;\n// fn x\n",
        )]);
        assert!(door_plates(&good).is_empty());

        let bad = Tree::of(&[("backend/src/a/mod.rs", "//! A.\nmod b;\nfn f() {}\n")]);
        assert_eq!(door_plates(&bad)[0].line, 3);
    }

    #[test]
    fn a_file_without_a_doc_is_seen() {
        let tree = Tree::of(&[("a/src/lib.rs", "//! Fine.\n"), ("a/src/b.rs", "use x;\n")]);
        assert_eq!(module_docs(&tree).len(), 1);
        assert_eq!(module_docs(&tree)[0].path, "a/src/b.rs");
    }

    #[test]
    fn a_long_file_is_seen_and_its_tests_do_not_count() {
        let long = "fn f();\n".repeat(TOO_LONG_LINES + 1);
        let tested = format!("fn f();\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
        let tree = Tree::of(&[("a/src/long.rs", &long), ("a/src/tested.rs", &tested)]);
        assert_eq!(sizes(&tree).len(), 1);
        assert_eq!(sizes(&tree)[0].path, "a/src/long.rs");
    }

    #[test]
    fn a_file_that_nothing_reaches_is_seen() {
        let tree = Tree::of(&[
            ("a/src/lib.rs", "//! A.\nmod b;\npub(crate) mod d;\n"),
            ("a/src/b.rs", "//! B.\n"),
            ("a/src/c.rs", "//! C.\n"),
            ("a/src/d/mod.rs", "//! D.\nmod e;\n"),
            ("a/src/d/e.rs", "//! E.\n"),
            ("a/src/bin/tool.rs", "//! Tool.\n"),
        ]);
        let dead: Vec<_> = dead_files(&tree)
            .into_iter()
            .map(|problem| problem.path)
            .collect();
        assert_eq!(dead, ["a/src/c.rs"]);
    }
}
