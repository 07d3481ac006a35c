//! How the rest of an instruction falls into words: by spaces, with quotes, as flags, as JSON.

use super::syntax::Escape;

/// What separates words; a line end cannot stand in a joined line.
pub(super) const SPACES: [char; 5] = [' ', '\t', '\u{b}', '\u{c}', '\r'];

/// A word and the offset at which it begins.
pub(super) type Placed<T> = (usize, T);

/// The first word of an instruction.
pub(super) fn keyword(text: &str) -> &str {
    text.split(SPACES).next().unwrap_or("")
}

/// Words between spaces, quotes being ordinary characters.
pub(super) fn plain(text: &str, from: usize) -> Vec<Placed<&str>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < from) {
        match (SPACES.contains(&c), start) {
            (false, None) => start = Some(at),
            (true, Some(begin)) => {
                words.push((begin, &text[begin..at]));
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|begin| (begin, &text[begin..])));
    words
}

/// Words as a shell sees them: a space in quotes or behind the escape belongs to the word. Quotes and
/// escapes are kept, to be taken off when variables are replaced.
pub(super) fn quoted(text: &str, from: usize, escape: Escape) -> Vec<Placed<String>> {
    let escape = escape.character();
    let mut words = Vec::new();
    let mut word: Option<Placed<String>> = None;
    let mut quote = None;
    let mut letters = text.char_indices().skip_while(|(at, _)| *at < from);
    while let Some((at, c)) = letters.next() {
        if quote.is_none() && c.is_whitespace() {
            words.extend(word.take());
            continue;
        }
        let (_, word) = word.get_or_insert_with(|| (at, String::new()));
        if c == escape && quote != Some('\'') {
            // At the end of the line it takes nothing, and goes.
            if let Some((_, next)) = letters.next() {
                word.extend([c, next]);
            }
            continue;
        }
        match quote {
            Some(open) if open == c => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            _ => {}
        }
        word.push(c);
    }
    words.extend(word);
    words.retain(|(_, word)| !word.is_empty());
    words
}

/// The words of a line for finding here-documents: quotes hold together, `<<` takes the next word
/// along. A quote that never ends means none.
pub(super) fn shell_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        if quote.is_none() && c.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        word.push(c);
        if c == '\\' && quote != Some('\'') {
            word.extend(letters.next());
            continue;
        }
        match quote {
            Some(open) if open == c => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == '<' && word.ends_with("<<") => {
                while letters.next_if(|c| SPACES.contains(c)).is_some() {}
            }
            _ => {}
        }
    }
    if quote.is_some() {
        return Vec::new();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The words with `--` in front that stand first, quotes and escapes taken off, and the offset of
/// what follows. A bare `--` ends them.
pub(super) fn flags(text: &str, from: usize, escape: Escape) -> (Vec<Placed<String>>, usize) {
    let escape = escape.character();
    let mut flags = Vec::new();
    let mut at = from;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        if !text[at..].starts_with("--") {
            return (flags, at);
        }
        let start = at;
        let mut flag = String::new();
        let mut quote = None;
        let mut letters = text[start..].chars();
        while let Some(c) = letters.next() {
            if quote.is_none() && c.is_whitespace() {
                break;
            }
            at += c.len_utf8();
            if c == escape {
                if let Some(next) = letters.next() {
                    at += next.len_utf8();
                    flag.push(next);
                }
                continue;
            }
            match quote {
                Some(open) if open == c => quote = None,
                None if c == '\'' || c == '"' => quote = Some(c),
                _ => flag.push(c),
            }
        }
        if flag == "--" {
            at += text[at..].len() - text[at..].trim_start().len();
            return (flags, at);
        }
        flags.push((start, flag));
    }
}

/// What a JSON array would be.
pub(super) enum Json {
    /// No array: the text is for the shell.
    No,
    /// An array with something in it that is no string.
    Mixed,
    Strings(Vec<String>),
}

pub(super) fn json(text: &str) -> Json {
    let text = text.trim();
    if !text.starts_with('[') {
        return Json::No;
    }
    let Ok(values) = serde_json::from_str::<Vec<serde_json::Value>>(text) else {
        return Json::No;
    };
    let strings: Option<Vec<String>> = values
        .into_iter()
        .map(|value| match value {
            serde_json::Value::String(text) => Some(text),
            _ => None,
        })
        .collect();
    strings.map_or(Json::Mixed, Json::Strings)
}
