//! What the browser gets from us: colours in one file, no shouting, no file that nothing uses.

use crate::tree::{File, Problem, Tree};

const NAMED_COLOURS: &[&str] = &[
    "white", "black", "red", "green", "blue", "gray", "grey", "orange", "yellow", "purple",
];

fn styles(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.ending(".css")
        .filter(|file| file.path.starts_with("static/"))
}

/// Raw colours stand in `tokens.css`; everything else uses their meanings.
pub(crate) fn colours(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in styles(tree).filter(|file| !file.path.ends_with("/tokens.css")) {
        for (at, line) in without_comments(&file.text).lines().enumerate() {
            if has_raw_colour(line) {
                problems.push(Problem::new(
                    &file.path,
                    at + 1,
                    "use a meaning from tokens.css",
                ));
            }
        }
    }
    problems
}

fn has_raw_colour(line: &str) -> bool {
    // Only the value of a declaration; `#name` before a colon would be a selector.
    let Some((_, value)) = line.split_once(": ") else {
        return false;
    };
    let function = ["rgb(", "rgba(", "hsl(", "hsla(", "oklch(", "lab("]
        .iter()
        .any(|f| value.contains(f));
    let hex = value.match_indices('#').any(|(at, _)| {
        let digits = value[at + 1..]
            .chars()
            .take_while(char::is_ascii_hexdigit)
            .count();
        let url = value[..at].ends_with("url(") || value[..at].ends_with('"');
        !url && matches!(digits, 3 | 4 | 6 | 8)
    });
    let named = value
        .split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_')
        .any(|word| NAMED_COLOURS.contains(&word));
    function || hex || named
}

/// `!important` ends every later discussion; layers make it needless.
pub(crate) fn important(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in styles(tree) {
        for (at, line) in without_comments(&file.text).lines().enumerate() {
            if line.contains("!important") {
                problems.push(Problem::new(
                    &file.path,
                    at + 1,
                    "put the rule into its layer instead",
                ));
            }
        }
    }
    problems
}

/// Every stylesheet and script is named by another file of ours.
pub(crate) fn dead_assets(tree: &Tree) -> Vec<Problem> {
    let assets = tree.files.iter().filter(|file| {
        file.path.starts_with("static/")
            && (file.path.ends_with(".css") || file.path.ends_with(".js"))
    });
    assets
        .filter(|file| {
            let name = file.path.rsplit('/').next().unwrap_or_default();
            // An element is used by its tag; the bundle takes in the whole folder.
            let tag = format!("<{}", name.trim_end_matches(".js"));
            let is_element = file.path.contains("/elements/");
            let name = if is_element { &tag } else { name };
            !tree
                .files
                .iter()
                .any(|other| other.path != file.path && other.text.contains(name))
        })
        .map(|file| Problem::new(&file.path, 1, "nothing names this file"))
        .collect()
}

/// Blanks out comments; lines keep their numbers.
fn without_comments(css: &str) -> String {
    let mut text = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(begin) = rest.find("/*") {
        text.push_str(&rest[..begin]);
        let end = rest[begin..]
            .find("*/")
            .map_or(rest.len(), |end| begin + end + 2);
        text.extend(rest[begin..end].chars().filter(|c| *c == '\n'));
        rest = &rest[end..];
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_colour_is_seen_outside_the_tokens() {
        for bad in [
            "a { color: #fff; }",
            "a { color: oklch(1 0 0); }",
            "a { border: 1px solid red; }",
        ] {
            assert_eq!(
                colours(&Tree::of(&[("static/css/base.css", bad)])).len(),
                1,
                "{bad}"
            );
            assert!(
                colours(&Tree::of(&[("static/css/tokens.css", bad)])).is_empty(),
                "{bad}"
            );
        }
        for good in [
            "a { color: var(--color-red); }",
            "/* #fff\n : red */ a { mask: url(#abc); }",
            "a { background: color-mix(in oklch, var(--a), transparent); }",
        ] {
            assert!(
                colours(&Tree::of(&[("static/css/base.css", good)])).is_empty(),
                "{good}"
            );
        }
    }

    #[test]
    fn shouting_is_seen() {
        let tree = Tree::of(&[(
            "static/css/base.css",
            "/* !important */\na { top: 0 !important; }",
        )]);
        assert_eq!(important(&tree)[0].line, 2);
    }

    #[test]
    fn a_script_that_nobody_loads_is_seen() {
        let tree = Tree::of(&[
            ("static/js/app.js", "import './lib/dom.js';"),
            ("static/js/lib/dom.js", ""),
            ("static/js/elements/copy.js", ""),
            ("static/js/elements/lost.js", ""),
            ("frontend/templates/a.html", "app.js <copy>"),
        ]);
        let lost: Vec<_> = dead_assets(&tree)
            .into_iter()
            .map(|problem| problem.path)
            .collect();
        assert_eq!(lost, ["static/js/elements/lost.js"]);
    }
}
