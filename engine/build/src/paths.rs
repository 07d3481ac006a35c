//! Paths as text, within a root that nothing leads above.

/// The absolute path of `path` for somebody who stands in `workdir`: no `.`, no `..`, no double and
/// no last slash, and never above `/`.
///
/// What a link on the way would do is not known here: only who opens the path can say.
pub fn resolve(workdir: &str, path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    let from = if path.starts_with('/') { "" } else { workdir };
    for name in from.split('/').chain(path.split('/')) {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    format!("/{}", names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_goes_on_from_where_one_stands() {
        assert_eq!(resolve("/app", "src"), "/app/src");
        assert_eq!(resolve("/app", "/src/"), "/src");
        assert_eq!(resolve("", "a/./b//c"), "/a/b/c");
        assert_eq!(resolve("/app", ""), "/app");
    }

    #[test]
    fn nothing_leads_above_the_root() {
        assert_eq!(resolve("/a", "../../../etc"), "/etc");
        assert_eq!(resolve("/", ".."), "/");
        assert_eq!(resolve("/a/b", "/../.."), "/");
    }
}
