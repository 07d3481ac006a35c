//! The ignore file and wildcards, as Docker has them.

use engine_build::context::{Glob, Ignore};

fn left_out(ignore: &str, path: &str) -> bool {
    Ignore::parse(ignore).expect(ignore).is_left_out(path)
}

#[test]
fn a_pattern_leaves_out_what_it_matches_and_all_below() {
    for (ignore, path, expected) in [
        ("", "a", false),
        ("a", "a", true),
        ("a", "a/b/c", true),
        ("a", "ab", false),
        ("a", "b/a", false),
        ("/a", "a", true),
        ("a/", "a", true),
        ("./a/../b", "b", true),
        ("*/temp*", "x/temporary", true),
        ("*/temp*", "x/y/temp", false),
        ("*/*/temp*", "x/y/temp.txt", true),
        ("temp?", "tempa", true),
        ("temp?", "temp", false),
        ("**/*.go", "a.go", true),
        ("**/*.go", "x/y/a.go", true),
        ("**", "anything/at/all", true),
        ("node_modules", "node_modules/x/index.js", true),
        ("**/node_modules", "a/b/node_modules/x", true),
        ("../a", "a", false),
        (".", "a", false),
        ("[ab].txt", "a.txt", true),
        ("\\!a", "!a", true),
        ("\u{feff}a", "a", true),
        ("  a  ", "a", true),
    ] {
        assert_eq!(left_out(ignore, path), expected, "{ignore:?} and {path:?}");
    }
}

#[test]
fn comments_and_empty_lines_say_nothing() {
    let ignore = "# a\n\n   \na\n#b\n #c\n";
    assert!(left_out(ignore, "a"));
    assert!(!left_out(ignore, "b"));
    assert!(
        left_out(ignore, "#c"),
        "only a line that begins with it is a comment"
    );
}

#[test]
fn the_last_pattern_that_matches_decides() {
    let ignore = "*.md\n!README*.md\nREADME-secret.md\n";
    assert!(left_out(ignore, "a.md"));
    assert!(!left_out(ignore, "README-a.md"));
    assert!(left_out(ignore, "README-secret.md"));
    let overridden = "*.md\nREADME-secret.md\n!README*.md\n";
    assert!(!left_out(overridden, "README-secret.md"));
}

#[test]
fn something_below_a_directory_that_is_left_out_may_be_kept() {
    let ignore = Ignore::parse("target\n!target/release/app\n!**/keep.txt").expect("fine");
    assert!(ignore.is_left_out("target"));
    assert!(ignore.is_left_out("target/debug/app"));
    assert!(!ignore.is_left_out("target/release/app"));
    assert!(!ignore.is_left_out("target/x/keep.txt"));
    assert!(ignore.may_keep_below("target"));

    let plain = Ignore::parse("target\nx\n!x/y").expect("fine");
    assert!(!plain.may_keep_below("target"));
    assert!(plain.may_keep_below("x"));
}

#[test]
fn the_root_is_never_left_out_and_what_is_outside_always() {
    assert!(!left_out("**", ""));
    assert!(!left_out("**", "."));
    assert!(left_out("", "../a"));
    assert!(left_out("!**", "a/../../b"));
}

#[test]
fn a_wrong_pattern_is_named_with_its_line() {
    let fault = Ignore::parse("a\n[\n").expect_err("no class");
    assert_eq!(fault.span.first_line, 2);
    assert!(fault.message.contains("syntax error in pattern"), "{fault}");
    assert!(Ignore::parse("!").is_err());
    assert!(
        Ignore::parse(&"a\n".repeat(5000)).is_err(),
        "more than anyone writes"
    );
}

#[test]
fn excludes_of_a_copy_are_the_same_patterns() {
    let ignore = Ignore::of(&["*.txt".to_owned(), "!b.txt".to_owned()]).expect("fine");
    assert!(ignore.is_left_out("a.txt"));
    assert!(!ignore.is_left_out("b.txt"));
    assert!(Ignore::of(&[]).expect("fine").is_empty());
}

#[test]
fn a_source_with_wildcards_stays_in_its_directory() {
    let glob = |source, double_star| Glob::new(source, double_star).expect(source);
    assert!(glob("*.txt", false).matches("a.txt"));
    assert!(!glob("*.txt", false).matches("x/a.txt"));
    assert!(glob("/src/*.rs", false).matches("src/a.rs"));
    assert!(
        !glob("**/a", false).matches("x/y/a"),
        "two stars are one without --parents"
    );
    assert!(glob("**/a", true).matches("x/y/a"));
    assert!(!glob("*", false).matches("../a"));
    assert!(Glob::new("[", false).is_err());
}

#[test]
fn a_source_without_wildcards_is_a_path() {
    let plain = |source| Glob::new(source, false).expect(source).plain();
    assert_eq!(plain("./a//b/").as_deref(), Some("a/b"));
    assert_eq!(plain("/").as_deref(), Some(""));
    assert_eq!(plain(".").as_deref(), Some(""));
    assert_eq!(plain("a\\*b").as_deref(), Some("a*b"));
    assert_eq!(plain("a*"), None);
}

#[test]
fn a_walk_for_wildcards_looks_only_where_they_may_be() {
    let glob = Glob::new("src/*/a.rs", false).expect("fine");
    assert!(glob.may_match_below(""));
    assert!(glob.may_match_below("src"));
    assert!(glob.may_match_below("src/x"));
    assert!(!glob.may_match_below("docs"));
    assert!(!glob.may_match_below("src/x/y"));
}
