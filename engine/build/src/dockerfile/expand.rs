//! Takes quotes and escapes off a word and puts the values of its variables in, as Docker's builder
//! does: much like a shell, and not quite.
//!
//! **Invariant:** what comes out is bounded by [`Budget`], whatever refers to what; how deep `${…}`
//! may stand in each other is bounded by [`DEEPEST`].

use crate::pattern::{Pattern, Token};

/// How often `${a:-${b:-…}}` goes on.
const DEEPEST: usize = 32;

/// What replacing variables may still cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Bytes to write.
    pub(crate) bytes: usize,
    /// Steps of matching patterns.
    pub(crate) steps: usize,
}

impl Budget {
    /// Takes bytes from what may be written.
    pub(crate) fn spend(&mut self, n_bytes: usize) -> Result<(), Wrong> {
        let left = self.bytes.checked_sub(n_bytes);
        self.bytes = left.ok_or("the text becomes too large with its variables replaced")?;
        Ok(())
    }

    /// For one word that stands outside of a stage.
    pub(crate) fn small() -> Budget {
        Budget {
            bytes: 64 * 1024,
            steps: 1024 * 1024,
        }
    }
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            bytes: 8 * 1024 * 1024,
            steps: 64 * 1024 * 1024,
        }
    }
}

/// Why a word cannot be read; the word itself is the caller's to name.
pub(crate) type Wrong = String;

/// How a word is read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) lookup: &'a dyn Fn(&str) -> Option<&'a str>,
    pub(crate) escape: char,
    /// Quotes are characters like others: in a here-document.
    pub(crate) keeps_quotes: bool,
    /// Nothing is known yet: `${x?}` is fine.
    pub(crate) checks_only: bool,
}

/// The word with its variables replaced.
pub(crate) fn expand(
    word: &str,
    reading: Reading<'_>,
    budget: &mut Budget,
) -> Result<String, Wrong> {
    let mut reader = Reader {
        letters: word.chars().collect(),
        at: 0,
        raw_escapes: false,
        depth: 0,
        reading,
        budget,
    };
    reader.until(None, false)
}

struct Reader<'a, 'b> {
    letters: Vec<char>,
    at: usize,
    /// Escapes stay where they are: what is read is a pattern.
    raw_escapes: bool,
    depth: usize,
    reading: Reading<'a>,
    budget: &'b mut Budget,
}

impl<'a> Reader<'a, '_> {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += 1;
        Some(letter)
    }

    fn next_if(&mut self, wanted: char) -> bool {
        let is = self.peek() == Some(wanted);
        self.at += usize::from(is);
        is
    }

    fn spend(&mut self, n_bytes: usize) -> Result<(), Wrong> {
        self.budget.spend(n_bytes)
    }

    fn push(&mut self, out: &mut String, text: &str) -> Result<(), Wrong> {
        self.spend(text.len())?;
        out.push_str(text);
        Ok(())
    }

    /// Reads up to `stop`, or to the end.
    fn until(&mut self, stop: Option<char>, raw_escapes: bool) -> Result<String, Wrong> {
        if self.depth == DEEPEST {
            return Err(format!(
                "more than {DEEPEST} substitutions within each other"
            ));
        }
        self.depth += 1;
        let outer = std::mem::replace(&mut self.raw_escapes, raw_escapes);
        let result = self.until_within(stop);
        self.raw_escapes = outer;
        self.depth -= 1;
        result
    }

    fn until_within(&mut self, stop: Option<char>) -> Result<String, Wrong> {
        let mut out = String::new();
        while let Some(letter) = self.next() {
            if Some(letter) == stop {
                return Ok(out);
            }
            match letter {
                '\'' if !self.reading.keeps_quotes => self.single_quotes(&mut out)?,
                '"' if !self.reading.keeps_quotes => self.double_quotes(&mut out)?,
                '$' => self.dollar(&mut out)?,
                letter if letter == self.reading.escape => {
                    if self.raw_escapes {
                        out.push(letter);
                    }
                    out.extend(self.next());
                }
                letter => out.push(letter),
            }
        }
        let Some(stop) = stop else {
            self.spend(out.len())?;
            return Ok(out);
        };
        Err(match stop {
            '}' => "syntax error: missing '}'".to_owned(),
            stop => format!("syntax error: missing '{stop}' in ${{}}"),
        })
    }

    fn single_quotes(&mut self, out: &mut String) -> Result<(), Wrong> {
        loop {
            match self.next() {
                Some('\'') => return Ok(()),
                Some(letter) => out.push(letter),
                None => return Err(unquoted("single-quote")),
            }
        }
    }

    /// Within double quotes an escape takes only a quote, a dollar and itself.
    fn double_quotes(&mut self, out: &mut String) -> Result<(), Wrong> {
        loop {
            match self.next() {
                Some('"') => return Ok(()),
                Some('$') => self.dollar(out)?,
                Some(letter) if letter == self.reading.escape => {
                    if self.raw_escapes {
                        out.push(letter);
                    }
                    match self.peek() {
                        None => {}
                        Some(next) if matches!(next, '"' | '$') || next == letter => {
                            out.push(next);
                            self.at += 1;
                        }
                        Some(_) if self.raw_escapes => {}
                        Some(_) => out.push(letter),
                    }
                }
                Some(letter) => out.push(letter),
                None => return Err(unquoted("double-quote")),
            }
        }
    }

    /// What follows a dollar sign.
    fn dollar(&mut self, out: &mut String) -> Result<(), Wrong> {
        if !self.next_if('{') {
            let name = self.name();
            if name.is_empty() {
                return self.push(out, "$");
            }
            let value = self.value(&name).unwrap_or("");
            return self.push(out, value);
        }
        match self.peek() {
            None => return Err("syntax error: missing '}'".to_owned()),
            Some('{' | '}' | ':') => return Err("syntax error: bad substitution".to_owned()),
            Some(_) => {}
        }
        let name = self.name();
        if name.is_empty() {
            return Err("syntax error: bad substitution".to_owned());
        }
        match self.next() {
            None => Err("syntax error: missing '}'".to_owned()),
            Some('}') => {
                let value = self.value(&name).unwrap_or("");
                self.push(out, value)
            }
            Some('/') => self.replace(&name, out),
            Some(modifier) => self.modified(&name, modifier, out),
        }
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        (self.reading.lookup)(name)
    }

    /// Letters, digits and `_`; digits alone; or one of the shell's own.
    fn name(&mut self) -> String {
        let start = self.at;
        match self.peek() {
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => self.at += 1,
            Some(first) if first.is_numeric() => {
                while self.peek().is_some_and(char::is_numeric) {
                    self.at += 1;
                }
            }
            _ => {
                while self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    self.at += 1;
                }
            }
        }
        self.letters[start..self.at].iter().collect()
    }

    /// `${name:-word}` and its relatives.
    fn modified(&mut self, name: &str, modifier: char, out: &mut String) -> Result<(), Wrong> {
        let counts_empty = modifier == ':';
        let modifier = if counts_empty {
            self.next().ok_or("syntax error: missing '}'")?
        } else {
            modifier
        };
        let colon = if counts_empty { ":" } else { "" };
        let shown = modifier.escape_debug();
        let unsupported = || format!("unsupported modifier ({colon}{shown}) in substitution");
        let is_pattern = matches!(modifier, '#' | '%');
        if (is_pattern && counts_empty) || !matches!(modifier, '-' | '+' | '?' | '#' | '%') {
            return Err(unsupported());
        }
        let word = self.until(Some('}'), is_pattern)?;
        let value = self.value(name);
        let there = value.filter(|value| !(counts_empty && value.is_empty()));
        match (modifier, there) {
            ('-', None) | ('+', Some(_)) => self.push(out, &word),
            ('+', None) => Ok(()),
            ('?', None) if self.reading.checks_only => Ok(()),
            ('?', None) => Err(missing(name, &word, value.is_some())),
            ('#' | '%', value) => self.trimmed(value.unwrap_or(""), &word, modifier, out),
            (_, Some(value)) => self.push(out, value),
            (_, None) => Err(unsupported()),
        }
    }

    /// `${name#pattern}`, `##`, `%`, `%%`.
    fn trimmed(
        &mut self,
        value: &str,
        word: &str,
        modifier: char,
        out: &mut String,
    ) -> Result<(), Wrong> {
        let (longest, word) = match word.strip_prefix(modifier) {
            Some(word) => (true, word),
            None => (false, word),
        };
        let pattern = self.pattern(word)?;
        let mut units: Vec<char> = value.chars().collect();
        self.step(units.len(), &pattern)?;
        if modifier == '#' {
            let cut = pattern.prefix(&numbers(&units), longest).unwrap_or(0);
            units.drain(..cut);
        } else {
            units.reverse();
            let cut = pattern.reversed().prefix(&numbers(&units), longest);
            units.drain(..cut.unwrap_or(0));
            units.reverse();
        }
        let text: String = units.into_iter().collect();
        self.push(out, &text)
    }

    /// `${name/pattern/replacement}`, with two slashes for all.
    fn replace(&mut self, name: &str, out: &mut String) -> Result<(), Wrong> {
        let all = self.next_if('/');
        let pattern = self.until(Some('/'), true)?;
        let replacement = self.until(Some('}'), true)?;
        let pattern = self.pattern(&pattern)?;
        let value: Vec<char> = self.value(name).unwrap_or("").chars().collect();
        let units = numbers(&value);
        let mut at = 0;
        while at < value.len() {
            self.step(value.len() - at, &pattern)?;
            match pattern
                .prefix(&units[at..], true)
                .filter(|length| *length > 0)
            {
                Some(length) => {
                    self.push(out, &replacement)?;
                    at += length;
                    if !all {
                        break;
                    }
                }
                None => {
                    self.push(out, value[at].encode_utf8(&mut [0; 4]))?;
                    at += 1;
                }
            }
        }
        let rest: String = value[at..].iter().collect();
        self.push(out, &rest)
    }

    fn step(&mut self, n_units: usize, pattern: &Pattern) -> Result<(), Wrong> {
        let cost = (n_units + 1).saturating_mul(pattern.len() + 1);
        let left = self.budget.steps.checked_sub(cost);
        self.budget.steps = left.ok_or("the patterns of the substitutions take too long")?;
        Ok(())
    }

    /// `*`, `?`, and what an escape takes literally.
    fn pattern(&self, word: &str) -> Result<Pattern, Wrong> {
        let mut tokens = Vec::new();
        let mut letters = word.chars();
        while let Some(letter) = letters.next() {
            tokens.push(match letter {
                '*' => Token::Many { slash: true },
                '?' => Token::Any { slash: true },
                letter if letter == self.reading.escape => match letters.next() {
                    Some(next) if matches!(next, '*' | '?' | '}' | '/') || next == letter => {
                        Token::One(next.into())
                    }
                    next => {
                        let next = next.map(String::from).unwrap_or_default();
                        return Err(format!(
                            "invalid pattern ({word}) in substitution: invalid escape '\\{next}'"
                        ));
                    }
                },
                letter => Token::One(letter.into()),
            });
        }
        Ok(Pattern::new(tokens))
    }
}

fn numbers(letters: &[char]) -> Vec<u32> {
    letters.iter().map(|letter| u32::from(*letter)).collect()
}

fn unquoted(which: &str) -> Wrong {
    format!("unexpected end of statement while looking for matching {which}")
}

fn missing(name: &str, message: &str, is_set: bool) -> Wrong {
    match (message, is_set) {
        ("", true) => format!("{name}: is not allowed to be empty"),
        ("", false) => format!("{name}: is not allowed to be unset"),
        (message, _) => format!("{name}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(word: &str, budget: &mut Budget) -> Result<String, Wrong> {
        let reading = Reading {
            lookup: &|name| match name {
                "x" => Some("foobarbaz"),
                "a" => Some("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                "empty" => Some(""),
                _ => None,
            },
            escape: '\\',
            keeps_quotes: false,
            checks_only: false,
        };
        expand(word, reading, budget)
    }

    fn check(word: &str, expected: &str) {
        let result = expanded(word, &mut Budget::default());
        assert_eq!(result.as_deref(), Ok(expected), "{word}");
    }

    #[test]
    fn quotes_go_and_what_they_protect_stays() {
        check(r#"'$x' "$x" \$x "\$x""#, "$x foobarbaz $x $x");
        check(r#""a\b" a\b 'a\b'"#, r"a\b ab a\b");
        check(r#""it's" 'a "b"'"#, r#"it's a "b""#);
    }

    #[test]
    fn a_name_that_is_unset_or_empty_is_told_apart_by_the_colon() {
        check("${none-w}|${none:-w}|${empty-w}|${empty:-w}", "w|w||w");
        check("${none+w}|${none:+w}|${empty+w}|${empty:+w}", "||w|");
        check("${x?w}${x:?w}", "foobarbazfoobarbaz");
        for (word, message) in [
            ("${none?}", "none: is not allowed to be unset"),
            ("${none:?}", "none: is not allowed to be unset"),
            ("${empty:?}", "empty: is not allowed to be empty"),
            ("${none?say why}", "none: say why"),
        ] {
            let result = expanded(word, &mut Budget::default());
            assert_eq!(result, Err(message.to_owned()), "{word}");
        }
    }

    #[test]
    fn patterns_cut_the_shortest_or_the_longest_piece() {
        check(
            "${x#f*o} ${x##f*o} ${x#*b} ${x##*b}",
            "obarbaz barbaz arbaz az",
        );
        check("${x%b*} ${x%%b*} ${x%a?} ${x%%*}", "foobar foo foobarb ");
        check("${none#a} ${empty%a}", " ");
        check("${x/o*r/-} ${x//[o]/-} ${x//o/}", "f-baz foobarbaz fbarbaz");
    }

    #[test]
    fn a_pattern_that_matches_everywhere_is_given_up_and_not_followed() {
        let mut budget = Budget {
            bytes: 1 << 20,
            steps: 1000,
        };
        let result = expanded("${a//*a*a*a*b/x}", &mut budget);
        assert!(result.is_err_and(|wrong| wrong.contains("too long")));
    }

    #[test]
    fn text_that_grows_too_large_is_refused() {
        let mut budget = Budget {
            bytes: 1000,
            steps: 1000,
        };
        let result = expanded(&"$a".repeat(100), &mut budget);
        assert!(result.is_err_and(|wrong| wrong.contains("too large")));
    }

    #[test]
    fn substitutions_within_each_other_have_an_end() {
        let word = format!("{}x{}", "${n:-".repeat(100_000), "}".repeat(100_000));
        let result = expanded(&word, &mut Budget::default());
        assert!(result.is_err_and(|wrong| wrong.contains("within each other")));
    }
}
