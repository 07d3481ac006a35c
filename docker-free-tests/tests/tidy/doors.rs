//! Who may call whom: the doors table of the house as data, checked against the dependency lists
//! and against every path a file uses.
//!
//! A room that is not in the table is a problem too: a new room says first whom it may call. Tests
//! inside a file may use anything.

use std::collections::{BTreeMap, BTreeSet};

use crate::golden;
use crate::imports;
use crate::source;
use crate::tables::{FOUNDATION, PACKAGES, Package, ROOMS, Room, WATCHED};
use crate::tree::{File, Problem, Tree};

/// Every package's dependency list against its row.
pub(crate) fn packages(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree
        .files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
    {
        let Some(name) = file
            .text
            .lines()
            .find_map(|line| line.strip_prefix("name = \""))
        else {
            continue;
        };
        let name = name.trim_end_matches('"');
        let Some(row) = PACKAGES.iter().find(|row| row.name == name) else {
            problems.push(Problem::new(
                &file.path,
                1,
                format!("{name} is not in the doors table"),
            ));
            continue;
        };
        problems.extend(dependencies(file, row));
    }
    problems
}

fn dependencies(file: &File, row: &Package) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut section = "";
    for (at, line) in file.text.lines().enumerate() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
            continue;
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        let ours = PACKAGES.iter().any(|package| package.name == name);
        let allowed = match section {
            "dependencies" | "build-dependencies" => row.may.contains(&name),
            "dev-dependencies" => row.may.contains(&name) || row.may_in_tests.contains(&name),
            _ => continue,
        };
        if (ours && !allowed) || (row.never.contains(&name) && section == "dependencies") {
            let rule = format!("{} must not depend on {name}", row.name);
            problems.push(Problem::new(&file.path, at + 1, rule));
        }
    }
    problems
}

/// Every path a room uses against its row.
pub(crate) fn rooms(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.rust().filter(|file| file.is_product()) {
        let Some((package, table)) = table_of(&file.path) else {
            continue;
        };
        let module = imports::module_of(&file.path);
        let Some(room) = room_of(table, &module) else {
            if !module.is_empty() {
                let rule = format!(
                    "{package} has no room {} in the doors table",
                    module.join("::")
                );
                problems.push(Problem::new(&file.path, 1, rule));
            }
            continue;
        };
        for (line, target) in targets(file, table) {
            if !may(room, &target) {
                let rule = format!("{} must not use {target}", room.name);
                problems.push(Problem::new(&file.path, line, rule));
            }
        }
    }
    problems.sort();
    problems.dedup();
    problems
}

fn may(room: &Room, target: &str) -> bool {
    room.name == target
        || FOUNDATION.contains(&target)
        || room.rooms.contains(&target)
        || room.rooms.contains(&"*") && !target.starts_with('@')
        || room.crates.contains(&"*") && target.starts_with('@')
        || target
            .strip_prefix('@')
            .is_some_and(|name| room.crates.contains(&name))
}

/// The rooms and watched crates (`@name`) that a file uses, with the line.
fn targets(file: &File, table: &[Room]) -> Vec<(usize, String)> {
    let module = imports::module_of(&file.path);
    let code = source::read(&file.text).code;
    let mut targets = Vec::new();
    for used in imports::own_paths(&module, &code) {
        if let Some(room) = room_of(table, &used.path) {
            targets.push((used.line, room.name.to_owned()));
        }
    }
    for name in WATCHED {
        let lines = imports::crate_lines(&code, name);
        targets.extend(lines.into_iter().map(|line| (line, format!("@{name}"))));
    }
    targets
}

fn table_of(path: &str) -> Option<(&'static str, &'static [Room])> {
    ROOMS
        .iter()
        .find(|(folder, _)| path.starts_with(folder))
        .map(|(folder, rooms)| (*folder, *rooms))
}

/// The row with the longest name that `path` begins with.
fn room_of<'a>(table: &'a [Room], path: &[String]) -> Option<&'a Room> {
    (1..=path.len()).rev().find_map(|n| {
        let name = path[..n].join("::");
        table.iter().find(|room| room.name == name)
    })
}

/// The whole graph as text: one line a room, whom it really calls.
pub(crate) fn graph_is_golden(tree: &Tree) -> Vec<Problem> {
    golden::compare(tree, "module-graph.txt", &graph(tree))
}

fn graph(tree: &Tree) -> String {
    let mut edges: BTreeMap<(&str, String), BTreeSet<String>> = BTreeMap::new();
    for file in tree.rust().filter(|file| file.is_product()) {
        let Some((package, table)) = table_of(&file.path) else {
            continue;
        };
        let Some(room) = room_of(table, &imports::module_of(&file.path)) else {
            continue;
        };
        let seen = edges.entry((package, room.name.to_owned())).or_default();
        for (_, target) in targets(file, table) {
            if target != room.name {
                seen.insert(target);
            }
        }
    }
    let mut text = String::new();
    for ((package, room), targets) in edges {
        let targets: Vec<String> = targets.into_iter().collect();
        text.push_str(&format!("{package}{room} -> {}\n", targets.join(" ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(problems: Vec<Problem>) -> Vec<String> {
        problems
            .into_iter()
            .map(|problem| format!("{} {}", problem.line, problem.rule))
            .collect()
    }

    #[test]
    fn a_forbidden_dependency_is_seen() {
        let tree = Tree::of(&[
            (
                "frontend/Cargo.toml",
                "name = \"frontend\"\n[dependencies]\nserde.workspace = true\naxum.workspace = true\n",
            ),
            (
                "engine/images/Cargo.toml",
                "name = \"engine-images\"\n[dependencies]\nengine-runtime = { path = \"x\" }\n",
            ),
            (
                "engine/agent/Cargo.toml",
                "name = \"engine-agent\"\n[dev-dependencies]\nengine-client.workspace = true\n",
            ),
            ("new/Cargo.toml", "name = \"new\"\n"),
        ]);
        assert_eq!(
            rules(packages(&tree)),
            [
                "4 frontend must not depend on axum",
                "3 engine-images must not depend on engine-runtime",
                "1 new is not in the doors table",
            ]
        );
    }

    #[test]
    fn a_forbidden_import_is_seen() {
        let tree = Tree::of(&[
            (
                "backend/src/http/pages/containers.rs",
                "//! x\nuse crate::{services::a, store::b};\nuse sqlx::X;\n",
            ),
            (
                "backend/src/store/accounts.rs",
                "use sqlx::X;\nuse super::super::fleet::index;\n",
            ),
            (
                "engine/agent/src/http/images.rs",
                "fn f() { engine_images::Store::new() }\n",
            ),
            ("backend/src/cellar/a.rs", ""),
        ]);
        assert_eq!(
            rules(rooms(&tree)),
            [
                "1 backend/src/ has no room cellar::a in the doors table",
                "2 http::pages must not use store",
                "3 http::pages must not use @sqlx",
                "2 store must not use fleet",
                "1 http must not use @engine_images",
            ]
        );
    }

    #[test]
    fn tests_inside_a_file_may_use_anything() {
        let text = "//! x\n#[cfg(test)]\nmod tests {\n use crate::http::x;\n}\n";
        assert!(rooms(&Tree::of(&[("backend/src/store/a.rs", text)])).is_empty());
    }

    #[test]
    fn the_graph_names_every_edge() {
        let tree = Tree::of(&[(
            "backend/src/services/a.rs",
            "use crate::store::x;\nuse engine_api::y;\n",
        )]);
        assert_eq!(graph(&tree), "backend/src/services -> @engine_api store\n");
    }
}
