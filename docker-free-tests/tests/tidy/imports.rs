//! Which names a Rust file uses: paths that begin at the crate or above the module, made absolute,
//! and crates that are called by name.

use crate::source;

/// A path that a file uses, from its crate's root: `["store", "accounts", "Account"]`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) line: usize,
    pub(crate) path: Vec<String>,
}

/// Where a file stands in its crate: `src/http/pages/mod.rs` is `["http", "pages"]`.
pub(crate) fn module_of(path: &str) -> Vec<String> {
    let below = path.rsplit_once("/src/").map_or(path, |(_, below)| below);
    let mut parts: Vec<String> = below
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if matches!(
        parts.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        parts.pop();
    }
    parts
}

/// The paths inside its own crate that `code`, standing at `module`, uses.
pub(crate) fn own_paths(module: &[String], code: &str) -> Vec<Use> {
    let mut uses = Vec::new();
    for (word, climbs) in [("crate", false), ("super", true)] {
        for at in source::words(code, word) {
            // `super::super::x` is read from its first `super`.
            if !code[at..].starts_with(&format!("{word}::")) || code[..at].ends_with("::") {
                continue;
            }
            let mut rest = &code[at..];
            let mut base = if climbs { module.to_vec() } else { Vec::new() };
            while let Some(above) = rest.strip_prefix("super::") {
                base.pop();
                rest = above;
            }
            let rest = rest.strip_prefix("crate::").unwrap_or(rest);
            let mut paths = Vec::new();
            expand(rest, &base, &mut paths);
            let line = source::line_of(code, at);
            uses.extend(paths.into_iter().map(|path| Use { line, path }));
        }
    }
    uses
}

/// Lines where `code` calls the crate `name`.
pub(crate) fn crate_lines(code: &str, name: &str) -> Vec<usize> {
    source::words(code, name)
        .filter(|at| code[at + name.len()..].starts_with("::") && !code[..*at].ends_with("::"))
        .map(|at| source::line_of(code, at))
        .collect()
}

/// Reads `a::{b, c::d}::…` at the beginning of `text`; gives how far it read.
fn expand(text: &str, base: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = base.to_vec();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start().len();
        let rest = &text[at..];
        if let Some(group) = rest.strip_prefix('{') {
            at += 1 + expand_group(group, &path, paths);
            return at;
        }
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        at += name.len();
        if !name.is_empty() && name != "self" {
            path.push(name);
        }
        if !text[at..].starts_with("::") {
            break;
        }
        at += 2;
    }
    paths.push(path);
    at
}

fn expand_group(text: &str, base: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut at = 0;
    while at < text.len() {
        at += expand(&text[at..], base, paths);
        // Whatever stands between a name and the comma (`as other`, `*`) names nothing new.
        let Some(next) = text[at..].find([',', '}']) else {
            return text.len();
        };
        let closed = text[at + next..].starts_with('}');
        at += next + 1;
        if closed || text[at..].trim_start().starts_with('}') {
            let skip = if closed {
                0
            } else {
                text[at..].find('}').map_or(0, |end| end + 1)
            };
            return at + skip;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(module: &str, code: &str) -> Vec<String> {
        let module: Vec<String> = module.split("::").map(str::to_owned).collect();
        own_paths(&module, code)
            .into_iter()
            .map(|used| used.path.join("::"))
            .collect()
    }

    #[test]
    fn groups_are_taken_apart() {
        let uses = joined("a", "use crate::{b, c::{d as x, e::*}, f};\nuse crate::g;");
        assert_eq!(uses, ["b", "c::d", "c::e", "f", "g"]);
        assert_eq!(
            joined("a", "use crate::b::{\n    c,\n    d,\n};"),
            ["b::c", "b::d"]
        );
    }

    #[test]
    fn paths_in_bodies_count() {
        assert_eq!(
            joined("a", "fn f() { crate::store::get(pub_crate::x) }"),
            ["store::get"]
        );
    }

    #[test]
    fn super_climbs() {
        assert_eq!(
            joined("http::pages::a", "use super::super::store::X;"),
            ["http::store::X"]
        );
        assert_eq!(
            joined("http::pages::a", "use super::{b, c};"),
            ["http::pages::b", "http::pages::c"]
        );
    }

    #[test]
    fn files_know_their_module() {
        assert_eq!(
            module_of("backend/src/http/pages/mod.rs"),
            ["http", "pages"]
        );
        assert_eq!(module_of("engine/agent/src/guard.rs"), ["guard"]);
        assert!(module_of("backend/src/lib.rs").is_empty());
    }

    #[test]
    fn crates_are_seen_by_name() {
        assert_eq!(
            crate_lines("use axum::Router;\nmy_axum::x;\ncrate::axum::y;", "axum"),
            [1]
        );
    }
}
