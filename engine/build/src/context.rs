//! Which files of a context count: the ignore file, and wildcards in the sources of a `COPY`.
//!
//! **Invariant:** a path is matched by its names alone, relative to the context's root. A path that
//! leads above the root is always left out and matches no wildcard.

use crate::error::{Fault, Rule, Span};
use crate::pattern::{Pattern, parse_path, units};

/// More than anyone writes; with it the work for one path is bounded.
const MOST_BYTES: usize = 256 * 1024;
const MOST_PATTERNS: usize = 4096;
/// Tokens of all patterns with wildcards: each may have to be looked at for each character of a path.
const MOST_TOKENS: usize = 16 * 1024;

const SLASH: u32 = '/' as u32;

/// The patterns of a `.dockerignore`.
///
/// The last pattern that matches a path, or a directory above it, decides. A `Dockerfile` and a
/// `.dockerignore` are read by the build wherever they are named: to be left out means for them that
/// no `COPY` sees them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignore {
    lines: Vec<Line>,
    /// Of the patterns with wildcards.
    n_tokens: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    /// `!`: what matches is kept.
    keeps: bool,
    pattern: Pattern,
    /// The text itself, where it has no wildcards: most patterns.
    literal: Option<Vec<u32>>,
}

impl Ignore {
    /// Reads the text of a `.dockerignore`.
    ///
    /// # Errors
    ///
    /// A pattern that is none, at its line, or more patterns than anyone writes.
    pub fn parse(text: &str) -> Result<Ignore, Fault> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.len() > MOST_BYTES {
            let message = format!(".dockerignore is larger than {MOST_BYTES} bytes");
            return Err(Fault::new(Span::default(), Rule::File, message));
        }
        let mut ignore = Ignore::default();
        for (index, line) in text.lines().enumerate() {
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            ignore.add(line.trim()).map_err(|message| {
                let span = Span {
                    first_line: index + 1,
                    last_line: index + 1,
                    column: 1,
                };
                Fault::new(span, Rule::File, format!(".dockerignore: {message}"))
            })?;
        }
        Ok(ignore)
    }

    /// The same from single patterns: the `--exclude`s of a `COPY`.
    ///
    /// # Errors
    ///
    /// A pattern that is none.
    pub fn of(patterns: &[String]) -> Result<Ignore, Fault> {
        let mut ignore = Ignore::default();
        for pattern in patterns.iter().filter(|pattern| !pattern.trim().is_empty()) {
            let added = ignore.add(pattern.trim());
            added.map_err(|message| Fault::new(Span::default(), Rule::Flag, message))?;
        }
        Ok(ignore)
    }

    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether the path, relative to the root, is left out.
    pub fn is_left_out(&self, path: impl AsRef<[u8]>) -> bool {
        let Some(path) = inside(path.as_ref()) else {
            return true;
        };
        // The root itself is never left out.
        if path.is_empty() {
            return false;
        }
        let last = self.lines.iter().rev().find(|line| line.matches(&path));
        last.is_some_and(|line| !line.keeps)
    }

    /// Whether a directory that is left out may still have something below it that is not: if not,
    /// nobody needs to look.
    pub fn may_keep_below(&self, directory: impl AsRef<[u8]>) -> bool {
        let Some(mut directory) = inside(directory.as_ref()) else {
            return false;
        };
        if !directory.is_empty() {
            directory.push(SLASH);
        }
        let mut keeping = self.lines.iter().filter(|line| line.keeps);
        keeping.any(|line| line.pattern.may_match_below(&directory))
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        let (keeps, text) = match text.strip_prefix('!') {
            Some(text) => (true, text.trim()),
            None => (false, text),
        };
        if text.is_empty() {
            return Err("illegal exclusion pattern: \"!\"".to_owned());
        }
        if self.lines.len() == MOST_PATTERNS {
            return Err(format!("more than {MOST_PATTERNS} patterns"));
        }
        let text = clean(text);
        let pattern = parse_path(&text, true);
        let pattern = pattern.ok_or_else(|| format!("syntax error in pattern: {text:?}"))?;
        let literal = pattern.literal();
        if literal.is_none() {
            self.n_tokens += pattern.len();
        }
        if self.n_tokens > MOST_TOKENS {
            return Err("more wildcards than anyone writes".to_owned());
        }
        self.lines.push(Line {
            keeps,
            literal,
            pattern,
        });
        Ok(())
    }
}

impl Line {
    fn matches(&self, path: &[u32]) -> bool {
        match &self.literal {
            Some(literal) => {
                let rest = path.strip_prefix(literal.as_slice());
                rest.is_some_and(|rest| rest.first().is_none_or(|unit| *unit == SLASH))
                    && !literal.is_empty()
            }
            None => self.pattern.matches_or_above(path),
        }
    }
}

/// A source of `ADD` or `COPY`, perhaps with wildcards, as Go's `filepath.Match` has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    pattern: Pattern,
    text: String,
}

impl Glob {
    /// Reads a source. `double_star` lets `**` stand for any number of directories: `--parents`.
    ///
    /// # Errors
    ///
    /// A class that does not end, or an escape with nothing behind it.
    pub fn new(source: &str, double_star: bool) -> Result<Glob, Fault> {
        let text = clean(source);
        let pattern = parse_path(&text, double_star).ok_or_else(|| {
            let message = format!("syntax error in pattern: {source:?}");
            Fault::new(Span::default(), Rule::Arguments, message)
        })?;
        Ok(Glob { pattern, text })
    }

    /// The path that is meant, relative to the root, if there are no wildcards: nothing for the root
    /// itself.
    pub fn plain(&self) -> Option<String> {
        let letters = self.pattern.literal()?;
        if self.text == "." {
            return Some(String::new());
        }
        Some(letters.into_iter().filter_map(char::from_u32).collect())
    }

    /// Whether the path, relative to the root, is meant.
    pub fn matches(&self, path: impl AsRef<[u8]>) -> bool {
        inside(path.as_ref()).is_some_and(|path| self.pattern.matches(&path))
    }

    /// Whether something below the directory may be meant: if not, nobody needs to look.
    pub fn may_match_below(&self, directory: impl AsRef<[u8]>) -> bool {
        let Some(mut directory) = inside(directory.as_ref()) else {
            return false;
        };
        if !directory.is_empty() {
            directory.push(SLASH);
        }
        self.pattern.may_match_below(&directory)
    }
}

/// The path without what says nothing; a path that leads out gives nothing.
fn inside(path: &[u8]) -> Option<Vec<u32>> {
    let mut names: Vec<&[u8]> = Vec::new();
    for name in path.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(units(&names.join(&b'/')))
}

/// Go's `filepath.Clean`, then without the first slash: a pattern is relative to the root anyway.
fn clean(text: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    let is_rooted = text.starts_with('/');
    for name in text.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            ".." if is_rooted => {}
            name => names.push(name),
        }
    }
    if names.is_empty() {
        return ".".to_owned();
    }
    names.join("/")
}
