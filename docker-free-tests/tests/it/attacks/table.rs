//! The table of this room against the tests that there are.

use std::fs;
use std::path::Path;

use docker_free_tests::need;

/// Collects the text of every test file below a folder.
fn collect(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, text);
        } else if path.extension().is_some_and(|end| end == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

#[test]
fn every_test_of_the_table_is_there() {
    let mut code = String::new();
    for folder in ["tests", "../engine"] {
        collect(&need::file(folder), &mut code);
    }
    let table = include_str!("mod.rs")
        .lines()
        .filter(|line| line.starts_with("//! | A-"));
    let mut n_tests = 0;
    for row in table {
        let named = row.split('|').nth(3).unwrap_or_default();
        for name in named.split('`').skip(1).step_by(2) {
            assert!(
                code.contains(&format!("fn {name}(")),
                "no test is called {name}"
            );
            n_tests += 1;
        }
    }
    assert!(n_tests > 40, "the table was not read: {n_tests}");
}
