//! Rust text without its comments and strings, line by line as it stood: enough to see which names
//! a file uses without parsing it.

/// A Rust file taken apart.
pub(crate) struct Source {
    /// The code: comments and the insides of literals are blanks, every line keeps its number.
    pub(crate) code: String,
    /// The string literals with the line they begin on.
    pub(crate) strings: Vec<(usize, String)>,
}

/// Takes `text` apart. Tests at the file's end (`#[cfg(test)]` before a `mod`) are left out.
pub(crate) fn read(text: &str) -> Source {
    let mut source = mask(text);
    if let Some(at) = tests_begin(&source.code) {
        let line = line_of(&source.code, at);
        source.code.truncate(at);
        source
            .strings
            .retain(|(string_line, _)| *string_line < line);
    }
    source
}

/// The line, counted from one, that holds the byte `at`.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Places in `code` where `word` stands alone, not as part of a longer name.
pub(crate) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| {
            let before = code[..*at].chars().next_back();
            let after = code[at + word.len()..].chars().next();
            !before.is_some_and(is_name) && !after.is_some_and(is_name)
        })
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn tests_begin(code: &str) -> Option<usize> {
    code.match_indices("#[cfg(test)]")
        .map(|(at, _)| at)
        .find(|at| {
            // Attributes may stand between the `cfg` and the `mod` with its body.
            let mut rest = code[at + "#[cfg(test)]".len()..].trim_start();
            while rest.starts_with("#[") {
                let Some(end) = rest.find(']') else {
                    return false;
                };
                rest = rest[end + 1..].trim_start();
            }
            let head = rest.split(['{', ';']).next().unwrap_or_default();
            head.trim_start_matches("pub(crate) ").starts_with("mod ")
                && rest[head.len()..].starts_with('{')
        })
}

fn mask(text: &str) -> Source {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut strings = Vec::new();
    let mut line = 1;
    let mut at = 0;
    while at < chars.len() {
        let (end, string) = literal_or_comment(&chars, at);
        if end == at {
            code.push(chars[at]);
            line += usize::from(chars[at] == '\n');
            at += 1;
            continue;
        }
        if let Some(string) = string {
            strings.push((line, string));
            code.push_str("\"\"");
        } else {
            code.push(' ');
        }
        for c in &chars[at..end] {
            if *c == '\n' {
                code.push('\n');
                line += 1;
            }
        }
        at = end;
    }
    Source { code, strings }
}

/// Where the comment or literal that begins at `at` ends, and its text when it is a string.
fn literal_or_comment(chars: &[char], at: usize) -> (usize, Option<String>) {
    let rest = &chars[at..];
    let part_of_a_name = at > 0 && is_name(chars[at - 1]);
    match rest {
        ['/', '/', ..] => (
            at + rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            None,
        ),
        ['/', '*', ..] => (block_comment_end(chars, at), None),
        ['"', ..] => quoted(chars, at + 1),
        ['b' | 'c', '"', ..] if !part_of_a_name => quoted(chars, at + 2),
        ['r', '"' | '#', ..] if !part_of_a_name => raw(chars, at, at + 1),
        ['b' | 'c', 'r', '"' | '#', ..] if !part_of_a_name => raw(chars, at, at + 2),
        ['\'', '\\', ..] => {
            let close = rest.iter().skip(3).position(|c| *c == '\'');
            (close.map_or(at, |close| at + 3 + close + 1), None)
        }
        ['\'', _, '\'', ..] => (at + 3, None),
        _ => (at, None),
    }
}

fn block_comment_end(chars: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at < chars.len() {
        match chars[at..] {
            ['/', '*', ..] => {
                depth += 1;
                at += 2;
            }
            ['*', '/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn quoted(chars: &[char], from: usize) -> (usize, Option<String>) {
    let mut at = from;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    let end = at.min(chars.len());
    (
        (end + 1).min(chars.len()),
        Some(chars[from..end].iter().collect()),
    )
}

/// A raw string; `from` is behind its `r`. A raw name such as `r#type` is no string.
fn raw(chars: &[char], start: usize, from: usize) -> (usize, Option<String>) {
    let hashes = chars[from..].iter().take_while(|c| **c == '#').count();
    let open = from + hashes;
    if chars.get(open) != Some(&'"') {
        return (start, None);
    }
    let mut at = open + 1;
    while at < chars.len() {
        let closing = chars[at] == '"'
            && chars[at + 1..]
                .iter()
                .take_while(|c| **c == '#')
                .take(hashes)
                .count()
                == hashes;
        if closing {
            return (at + 1 + hashes, Some(chars[open + 1..at].iter().collect()));
        }
        at += 1;
    }
    (chars.len(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_not_code() {
        let source = read(
            "let a = \"unsafe \\\" x\"; // unsafe\n/* unsafe /* a */ */ let b = 'u';\nr#\"y\"z\"#",
        );
        assert!(!source.code.contains("unsafe"));
        assert_eq!(source.code.matches('\n').count(), 2);
        assert_eq!(source.strings[0], (1, "unsafe \\\" x".to_owned()));
        assert_eq!(source.strings[1], (3, "y\"z".to_owned()));
    }

    #[test]
    fn lifetimes_and_raw_names_stay_code() {
        let source = read("fn f<'a>(r#type: &'a str, c: char) { c == '\\'' || c == '\"' }");
        assert!(source.code.contains("fn f<'a>(r#type: &'a str, c: char)"));
        assert!(source.strings.is_empty());
    }

    #[test]
    fn tests_at_the_end_are_left_out() {
        let source =
            read("fn a() {}\n#[cfg(test)]\n#[expect(x)]\nmod tests {\n fn b() { f(\"x\") }\n}\n");
        assert!(source.code.contains("fn a()"));
        assert!(!source.code.contains("fn b()"));
        assert!(source.strings.is_empty());
    }

    #[test]
    fn a_test_module_in_its_own_file_hides_nothing() {
        assert!(
            read("#[cfg(test)]\nmod tests;\nfn after() {}")
                .code
                .contains("after")
        );
    }

    #[test]
    fn words_stand_alone() {
        assert_eq!(
            words("unsafe_code unsafe nounsafe unsafe{", "unsafe").count(),
            2
        );
    }
}
