//! Words that have one room or none: `unsafe`, SQL, clocks, tasks, the environment, empty names,
//! unowned TODOs, this machine's paths, package hosts, other people's files.

use crate::source;
use crate::tree::{File, Problem, Tree};

/// Files larger than this are no source text.
const LARGEST_BYTES: u64 = 1024 * 1024;

/// Our own few lines that name what npm bundles into one file.
const OUR_ENTRIES: &str = "static/js/bundles/";
const ENTRY_BYTES: u64 = 4096;

/// A call, the files where it may stand, and where to go instead.
const CALLS: &[(&str, &[&str], &str)] = &[
    (
        "SystemTime::now",
        &["clock.rs"],
        "time comes in as an argument; ask clock.rs",
    ),
    (
        "Utc::now",
        &["clock.rs"],
        "time comes in as an argument; ask clock.rs",
    ),
    (
        "Timestamp::now",
        &["clock.rs"],
        "time comes in as an argument; ask clock.rs",
    ),
    (
        "Zoned::now",
        &["clock.rs"],
        "time comes in as an argument; ask clock.rs",
    ),
    (
        "OffsetDateTime::now_utc",
        &["clock.rs"],
        "time comes in as an argument; ask clock.rs",
    ),
    (
        "tokio::spawn",
        &["tasks.rs"],
        "a task has a name and ends on shutdown; ask tasks.rs",
    ),
    (
        "task::spawn",
        &["tasks.rs"],
        "a task has a name and ends on shutdown; ask tasks.rs",
    ),
    (
        "spawn_blocking",
        &["tasks.rs"],
        "blocking work goes through `blocking` in tasks.rs",
    ),
    ("env::var", &["config.rs"], ENVIRONMENT),
    ("env::var_os", &["config.rs"], ENVIRONMENT),
    ("env::vars", &["config.rs"], ENVIRONMENT),
    ("env::args", &["config.rs", "main.rs"], ENVIRONMENT),
    ("env::args_os", &["config.rs", "main.rs"], ENVIRONMENT),
];

const ENVIRONMENT: &str = "the environment is read once, in config.rs";

/// Programs of one file, and what runs only while building, have no rooms to keep apart.
const WITHOUT_ROOMS: &[&str] = &["engine/hello/", "engine/embed/"];

/// A thing without a better name has no reason to be together.
const EMPTY_NAMES: &[&str] = &[
    "core", "common", "util", "utils", "helper", "helpers", "manager", "misc",
];

/// `unsafe` has one address.
pub(crate) fn unsafe_code(tree: &Tree) -> Vec<Problem> {
    let elsewhere = tree
        .rust()
        .filter(|file| !file.path.starts_with("engine/sys/"));
    elsewhere
        .flat_map(|file| find(file, "unsafe", "unsafe belongs to engine-sys"))
        .collect()
}

fn find(file: &File, word: &str, rule: &str) -> Vec<Problem> {
    let code = source::read(&file.text).code;
    source::words(&code, word)
        .map(|at| Problem::new(&file.path, source::line_of(&code, at), rule))
        .collect()
}

/// A statement in a string outside the store is a second store.
pub(crate) fn sql(tree: &Tree) -> Vec<Problem> {
    tree.rust()
        .filter(|file| file.is_product() && !file.path.contains("/src/store/"))
        .flat_map(|file| {
            source::read(&file.text)
                .strings
                .into_iter()
                .filter(|(_, text)| is_sql(text))
                .map(|(line, _)| Problem::new(&file.path, line, "SQL belongs to store/"))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn is_sql(text: &str) -> bool {
    let text = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase();
    let both = |first: &str, second: &str| text.starts_with(first) && text.contains(second);
    both("select ", " from ")
        || both("insert into ", "values")
        || both("insert into ", " select ")
        || both("update ", " set ")
        || text.starts_with("delete from ")
        || text.starts_with("create table ")
        || text.starts_with("pragma ")
}

/// Clocks, tasks and the environment come in as arguments from the room that owns them.
pub(crate) fn calls(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let has_rooms = |file: &&File| {
        file.is_product()
            && !WITHOUT_ROOMS
                .iter()
                .any(|package| file.path.starts_with(package))
    };
    for file in tree.rust().filter(has_rooms) {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        // A program's main file has no other room to read its arguments in.
        let name = if file.path.contains("/src/bin/") {
            "main.rs"
        } else {
            name
        };
        for (call, rooms, rule) in CALLS {
            if !rooms.contains(&name) {
                problems.extend(find(file, call, rule));
            }
        }
    }
    problems
}

/// No folder and no file has a name that says nothing.
pub(crate) fn names(tree: &Tree) -> Vec<Problem> {
    tree.sizes
        .iter()
        .filter(|(path, _)| {
            path.split('/')
                .any(|part| EMPTY_NAMES.contains(&part.split('.').next().unwrap_or(part)))
        })
        .map(|(path, _)| Problem::new(path, 0, "this name says nothing; name what is in there"))
        .collect()
}

/// A TODO is `TODO(#12)` or does not stand.
pub(crate) fn todos(tree: &Tree) -> Vec<Problem> {
    let word = concat!("TO", "DO");
    let ours = tree
        .files
        .iter()
        .filter(|file| !file.path.starts_with("docker-free-tests/tests/tidy/"));
    ours.flat_map(|file| {
        let lines = file.text.lines().enumerate();
        lines
            .filter(|(_, line)| {
                source::words(line, word).any(|at| !line[at + word.len()..].starts_with("(#"))
            })
            .map(|(at, _)| Problem::new(&file.path, at + 1, "name the issue or do it now"))
            .collect::<Vec<_>>()
    })
    .collect()
}

/// Paths of one machine and hosts of package registries belong to nobody's clone.
pub(crate) fn places(tree: &Tree) -> Vec<Problem> {
    let banned = [
        concat!("/wo", "rk/"),
        concat!("/fa", "rm/"),
        concat!("/ro", "ot/."),
        concat!("registry.npm", "js.org"),
        concat!("static.crates", ".io"),
        concat!("index.crates", ".io"),
    ];
    let mut problems = Vec::new();
    for file in &tree.files {
        for (at, line) in file.text.lines().enumerate() {
            for place in banned.iter().filter(|place| stands_alone(line, place)) {
                problems.push(Problem::new(
                    &file.path,
                    at + 1,
                    format!("{place} is of one machine"),
                ));
            }
        }
    }
    problems
}

/// The same words below another folder are another path.
fn stands_alone(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !place.starts_with('/')
            || !before.is_some_and(|c| c.is_alphanumeric() || "_-.})".contains(c))
    })
}

/// Other people's code comes by name and version; large files are no source.
pub(crate) fn third_party(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, bytes) in &tree.sizes {
        let bundled = [".min.js", ".min.css", ".woff", ".woff2", ".ttf"]
            .iter()
            .any(|end| path.ends_with(end));
        let vendored = path
            .split('/')
            .any(|part| matches!(part, "node_modules" | "vendor" | "third_party"))
            && !(path.starts_with(OUR_ENTRIES) && *bytes <= ENTRY_BYTES);
        if bundled || vendored {
            problems.push(Problem::new(
                path,
                0,
                "third-party code is fetched at build time, not kept",
            ));
        }
        if *bytes > LARGEST_BYTES {
            problems.push(Problem::new(
                path,
                0,
                format!("{bytes} bytes; keep it out of git"),
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: impl Fn(&Tree) -> Vec<Problem>, path: &str, text: &str) -> Vec<usize> {
        rule(&Tree::of(&[(path, text)]))
            .into_iter()
            .map(|problem| problem.line)
            .collect()
    }

    #[test]
    fn unsafe_is_seen_outside_its_room() {
        let text = "// unsafe\nlet a = \"unsafe\";\nunsafe { f() }\n";
        assert_eq!(lines(unsafe_code, "engine/agent/src/a.rs", text), [3]);
        assert!(lines(unsafe_code, "engine/sys/src/a.rs", text).is_empty());
    }

    #[test]
    fn a_statement_is_seen_outside_the_store() {
        let text = "f(\"select a\n from b\");\nf(\"Select a shell\");\nf(r#\"DELETE FROM a\"#);\n";
        assert_eq!(lines(sql, "backend/src/services/a.rs", text), [1, 4]);
        assert!(lines(sql, "backend/src/store/a.rs", text).is_empty());
    }

    #[test]
    fn a_clock_read_in_a_service_is_seen() {
        let text = "let now = std::time::SystemTime::now();\nlet a = my_tokio::spawn;\ntokio::spawn(f());\n";
        assert_eq!(lines(calls, "backend/src/services/a.rs", text), [1, 3]);
        assert_eq!(lines(calls, "backend/src/clock.rs", text), [3]);
        assert!(lines(calls, "backend/tests/a.rs", text).is_empty());
    }

    #[test]
    fn an_empty_name_is_seen() {
        assert_eq!(lines(names, "backend/src/utils.rs", "").len(), 1);
        assert_eq!(lines(names, "backend/common/a.rs", "").len(), 1);
        assert!(lines(names, "backend/src/commonplace.rs", "").is_empty());
    }

    #[test]
    fn an_unowned_todo_is_seen() {
        let text = format!("// {0}: later\n// {0}(#12): later\n", concat!("TO", "DO"));
        assert_eq!(lines(todos, "backend/src/a.rs", &text), [1]);
    }

    #[test]
    fn a_path_of_this_machine_is_seen() {
        let text = format!(
            "a {0}main\nupper{0}a\n{1}x\n",
            concat!("/wo", "rk/"),
            concat!("/ro", "ot/.")
        );
        assert_eq!(lines(places, "README.md", &text), [1, 3]);
    }

    #[test]
    fn other_peoples_files_are_seen() {
        assert_eq!(lines(third_party, "static/js/xterm.min.js", "").len(), 1);
        assert_eq!(
            lines(third_party, "static/node_modules/a/b.js", "").len(),
            1
        );
        let mut tree = Tree::of(&[("a.bin", "")]);
        tree.sizes[0].1 = LARGEST_BYTES + 1;
        assert_eq!(third_party(&tree).len(), 1);
    }
}
