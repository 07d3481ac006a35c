//! Wildcards, matched in time linear in pattern and text: every way to match is followed at once, so
//! no pattern makes a matcher go back.
//!
//! Text and pattern are lists of numbers: characters, and bytes that are none above all characters.

/// One step of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    One(u32),
    /// One of anything; of a slash only when it says so.
    Any {
        slash: bool,
    },
    /// As many as there are, also none.
    Many {
        slash: bool,
    },
    /// Nothing, or something that ends with a slash. Two places: before it, and within.
    Directories,
    Within,
    Class {
        negated: bool,
        ranges: Vec<(u32, u32)>,
    },
}

/// Tokens to match in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    tokens: Vec<Token>,
}

const SLASH: u32 = '/' as u32;

impl Pattern {
    pub(crate) fn new(tokens: Vec<Token>) -> Pattern {
        Pattern { tokens }
    }

    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The text itself when nothing in the pattern is a wildcard.
    pub(crate) fn literal(&self) -> Option<Vec<u32>> {
        self.tokens
            .iter()
            .map(|token| match token {
                Token::One(unit) => Some(*unit),
                _ => None,
            })
            .collect()
    }

    /// Whether all of the text matches.
    pub(crate) fn matches(&self, text: &[u32]) -> bool {
        let mut last = None;
        self.run(text, |end| {
            last = Some(end);
            true
        });
        last == Some(text.len())
    }

    /// Whether the path matches, or a directory above it.
    pub(crate) fn matches_or_above(&self, path: &[u32]) -> bool {
        let mut found = false;
        self.run(path, |end| {
            found = end > 0 && (end == path.len() || path[end] == SLASH);
            !found
        });
        found
    }

    /// How much of the text's beginning matches, as little or as much as can be.
    pub(crate) fn prefix(&self, text: &[u32], longest: bool) -> Option<usize> {
        let mut found = None;
        self.run(text, |end| {
            found = Some(end);
            longest
        });
        found
    }

    /// Whether some longer text that begins like this may match.
    pub(crate) fn may_match_below(&self, start: &[u32]) -> bool {
        let mut states = self.begin();
        for unit in start {
            let Some(next) = self.advance(&states, *unit) else {
                return false;
            };
            states = next;
        }
        states[..self.tokens.len()].contains(&true)
    }

    /// The same pattern read from its end. Only for patterns without directories.
    pub(crate) fn reversed(&self) -> Pattern {
        let mut tokens = self.tokens.clone();
        tokens.reverse();
        Pattern { tokens }
    }

    /// Calls `accept` with each end at which the pattern matches, until it says no.
    fn run(&self, text: &[u32], mut accept: impl FnMut(usize) -> bool) {
        let mut states = self.begin();
        for end in 0..=text.len() {
            if states[self.tokens.len()] && !accept(end) {
                return;
            }
            let next = text.get(end).and_then(|unit| self.advance(&states, *unit));
            let Some(next) = next else {
                return;
            };
            states = next;
        }
    }

    fn begin(&self) -> Vec<bool> {
        let mut states = vec![false; self.tokens.len() + 1];
        states[0] = true;
        self.skip(&mut states);
        states
    }

    /// The states after one more unit, if there are any.
    fn advance(&self, states: &[bool], unit: u32) -> Option<Vec<bool>> {
        let mut next = vec![false; states.len()];
        for (at, token) in self.tokens.iter().enumerate() {
            if states[at] {
                let (stays, goes) = token.take(unit);
                next[at] |= stays;
                next[at + 1] |= goes;
            }
        }
        if !next.contains(&true) {
            return None;
        }
        self.skip(&mut next);
        Some(next)
    }

    /// Passes over what may be nothing.
    fn skip(&self, states: &mut [bool]) {
        for (at, token) in self.tokens.iter().enumerate() {
            if !states[at] {
                continue;
            }
            match token {
                Token::Many { .. } => states[at + 1] = true,
                Token::Directories => {
                    states[at + 1] = true;
                    states[at + 2] = true;
                }
                _ => {}
            }
        }
    }
}

impl Token {
    /// Whether the token stays or the next one follows after it took `unit`.
    fn take(&self, unit: u32) -> (bool, bool) {
        match self {
            Token::One(one) => (false, *one == unit),
            Token::Any { slash } => (false, *slash || unit != SLASH),
            Token::Many { slash } => (*slash || unit != SLASH, false),
            Token::Directories => (false, false),
            Token::Within => (true, unit == SLASH),
            Token::Class { negated, ranges } => {
                let inside = ranges
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&unit));
                (false, inside != *negated && unit != SLASH)
            }
        }
    }
}

/// A path as units. What is no UTF-8 keeps its bytes, each above all characters.
pub(crate) fn units(mut bytes: &[u8]) -> Vec<u32> {
    let mut units = Vec::with_capacity(bytes.len());
    loop {
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                units.extend(text.chars().map(u32::from));
                return units;
            }
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                units.extend(String::from_utf8_lossy(valid).chars().map(u32::from));
                units.extend(rest.first().map(|byte| 0x11_0000 + u32::from(*byte)));
                bytes = rest.get(1..).unwrap_or(&[]);
            }
        }
    }
}

/// Reads what Go's `filepath.Match` reads; with `double_star`, `**` is any number of directories.
///
/// Gives nothing for a pattern that is none: a class that does not end, an escape at the end.
pub(crate) fn parse_path(text: &str, double_star: bool) -> Option<Pattern> {
    if let Some(end) = text.strip_prefix("**").filter(|_| double_star)
        && !end.is_empty()
        && !end.contains(['/', '*', '?', '[', '\\'])
    {
        // `**.pem` is every name that ends so, in any directory: Docker looks at the end alone.
        let end = end.chars().map(|letter| Token::One(letter.into()));
        let anything = std::iter::once(Token::Many { slash: true });
        return Some(Pattern::new(anything.chain(end).collect()));
    }
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        at += 1;
        match letter {
            '*' if double_star && letters.get(at) == Some(&'*') => {
                at += 1;
                if letters.get(at) == Some(&'/') {
                    at += 1;
                }
                if at == letters.len() {
                    tokens.push(Token::Many { slash: true });
                } else {
                    tokens.extend([Token::Directories, Token::Within]);
                }
            }
            '*' => tokens.push(Token::Many { slash: false }),
            '?' => tokens.push(Token::Any { slash: false }),
            '[' => {
                let (class, end) = class(&letters, at)?;
                tokens.push(class);
                at = end;
            }
            '\\' => {
                tokens.push(Token::One((*letters.get(at)?).into()));
                at += 1;
            }
            letter => tokens.push(Token::One(letter.into())),
        }
    }
    Some(Pattern::new(tokens))
}

/// `[a-z]`, `[^0-9]`, with what stands behind the bracket at `at`; also gives where it ends.
fn class(letters: &[char], mut at: usize) -> Option<(Token, usize)> {
    let negated = letters.get(at) == Some(&'^');
    at += usize::from(negated);
    let mut ranges = Vec::new();
    loop {
        if letters.get(at) == Some(&']') && !ranges.is_empty() {
            return Some((Token::Class { negated, ranges }, at + 1));
        }
        let low = member(letters, &mut at)?;
        let high = if letters.get(at) == Some(&'-') {
            at += 1;
            member(letters, &mut at)?
        } else {
            low
        };
        ranges.push((low, high));
    }
}

fn member(letters: &[char], at: &mut usize) -> Option<u32> {
    let mut letter = *letters.get(*at)?;
    if matches!(letter, '-' | ']') {
        return None;
    }
    *at += 1;
    if letter == '\\' {
        letter = *letters.get(*at)?;
        *at += 1;
    }
    Some(letter.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        parse_path(pattern, true)
            .expect(pattern)
            .matches(&units(path.as_bytes()))
    }

    #[test]
    fn a_star_stays_in_its_directory_and_two_do_not() {
        for (pattern, path, expected) in [
            ("*.go", "a.go", true),
            ("*.go", "x/a.go", false),
            ("*/a", "x/a", true),
            ("**/a", "a", true),
            ("**/a", "x/y/a", true),
            ("**/a", "x/ba", false),
            ("x/**", "x/y/z", true),
            ("x/**", "x", false),
            ("x/**/z", "x/z", true),
            ("x/**/z", "x/a/b/z", true),
            ("a**b", "ab", true),
            ("a**b", "ax/b", true),
            ("**", "any/thing", true),
            ("**.pem", "a.pem", true),
            ("**.pem", "x/y/a.pem", true),
            ("**.pem", "a.pem.txt", false),
            ("**.p?m", "x/.pem", true),
            ("**.p?m", "a.pem", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("a?c", "aéc", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[^a-c]x", "/x", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} and {path}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        for wrong in ["[", "[a", "[]", "[a-]", "a\\", "[-a]"] {
            assert_eq!(parse_path(wrong, true), None, "{wrong}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_match_as_themselves() {
        let path = units(b"a\xff\xfeb");
        assert_eq!(path.len(), 4);
        assert!(parse_path("a??b", false).expect("fine").matches(&path));
        assert!(!parse_path("a?b", false).expect("fine").matches(&path));
    }

    #[test]
    fn many_stars_cost_no_more_than_their_number() {
        let pattern = parse_path(&"*a".repeat(1000), true).expect("fine");
        assert!(!pattern.matches(&units("a".repeat(999).as_bytes())));
    }
}
