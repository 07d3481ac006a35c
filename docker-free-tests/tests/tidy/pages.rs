//! Templates and the structs that fill them belong together, and no page carries script or style.

use crate::tree::{Problem, Tree};

const TEMPLATES: &str = "frontend/templates/";

/// Every template is drawn by a struct or taken in by a template that is.
pub(crate) fn templates(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree
        .ending(".html")
        .filter(|file| file.path.starts_with(TEMPLATES))
    {
        let name = &file.path[TEMPLATES.len()..];
        let quoted = format!("\"{name}\"");
        let drawn = tree
            .rust()
            .any(|rust| rust.path.starts_with("frontend/") && rust.text.contains(&quoted));
        let taken_in = tree.ending(".html").any(|other| {
            other.path != file.path
                && other.text.lines().any(|line| {
                    line.contains(&quoted)
                        && ["include", "extends", "import", "from"]
                            .iter()
                            .any(|word| line.contains(word))
                })
        });
        if !drawn && !taken_in {
            problems.push(Problem::new(
                &file.path,
                1,
                "no struct and no template uses this one",
            ));
        }
    }
    problems
}

/// The content security policy allows our own files only; so do we.
pub(crate) fn inline(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree
        .ending(".html")
        .filter(|file| file.path.starts_with(TEMPLATES))
    {
        for (at, line) in file.text.lines().enumerate() {
            if let Some(rule) = inline_in(line) {
                problems.push(Problem::new(&file.path, at + 1, rule));
            }
        }
    }
    problems
}

fn inline_in(line: &str) -> Option<&'static str> {
    let lower = line.to_lowercase();
    let script = lower.match_indices("<script").any(|(at, _)| {
        let tag = lower[at..].split('>').next().unwrap_or_default();
        // Data for a script is no script.
        !tag.contains("src=") && !tag.contains("application/json")
    });
    if script {
        return Some("a script is a file of its own");
    }
    if lower.contains("<style") || lower.contains(" style=") {
        return Some("a style is a class");
    }
    let handler = lower.match_indices(" on").any(|(at, _)| {
        let name: String = lower[at + 3..]
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .collect();
        !name.is_empty() && lower[at + 3 + name.len()..].starts_with("=\"")
    });
    handler.then_some("an event is listened to in static/js")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_nobody_draws_is_seen() {
        let tree = Tree::of(&[
            (
                "frontend/src/pages/a.rs",
                "#[template(path = \"pages/a.html\")]",
            ),
            (
                "frontend/templates/pages/a.html",
                "{% extends \"layouts/app.html\" %}",
            ),
            ("frontend/templates/layouts/app.html", ""),
            ("frontend/templates/pages/b.html", ""),
        ]);
        let lost: Vec<_> = templates(&tree)
            .into_iter()
            .map(|problem| problem.path)
            .collect();
        assert_eq!(lost, ["frontend/templates/pages/b.html"]);
    }

    #[test]
    fn inline_script_and_style_are_seen() {
        for bad in [
            "<script>alert(1)</script>",
            "<p style=\"color: red\">",
            "<style>",
            "<button onclick=\"go()\">",
        ] {
            let tree = Tree::of(&[("frontend/templates/a.html", bad)]);
            assert_eq!(inline(&tree).len(), 1, "{bad}");
        }
        let good =
            "<script src=\"/a.js\" type=\"module\"></script><p class=\"on\">switch on = yes</p>";
        assert!(inline(&Tree::of(&[("frontend/templates/a.html", good)])).is_empty());
    }
}
