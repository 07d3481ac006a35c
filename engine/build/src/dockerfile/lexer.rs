//! From text to logical lines: directives read, comments left out, continued lines joined, the
//! here-documents cut off.

use crate::error::{Fault, Rule, Span};

use super::syntax::{Directives, Escape, Heredoc};
use super::words;

/// More of anything than a person writes.
const MOST_BYTES: usize = 1024 * 1024;
const MOST_INSTRUCTIONS: usize = 10_000;
const MOST_HEREDOCS: usize = 64;

/// One instruction with its lines joined.
pub(super) struct Logical {
    pub(super) text: String,
    pub(super) span: Span,
    pub(super) heredocs: Vec<Heredoc>,
    pieces: Vec<Piece>,
}

/// Where a part of the joined text comes from.
struct Piece {
    /// The offset in the joined text at which it begins.
    at: usize,
    line: usize,
    column: usize,
}

impl Logical {
    /// The place of the byte at `offset` of the joined text.
    pub(super) fn place(&self, offset: usize) -> Span {
        let after = self.pieces.partition_point(|piece| piece.at <= offset);
        let Some(piece) = self.pieces.get(after.saturating_sub(1)) else {
            return self.span;
        };
        let within = self.text.get(piece.at..offset).unwrap_or("");
        Span {
            first_line: piece.line,
            last_line: self.span.last_line,
            column: piece.column + within.chars().count(),
        }
    }
}

/// What a file consists of.
pub(super) struct Lexed {
    pub(super) directives: Directives,
    pub(super) lines: Vec<Logical>,
    pub(super) faults: Vec<Fault>,
}

/// Reads a whole file.
pub(super) fn lex(bytes: &[u8]) -> Result<Lexed, Fault> {
    let text = text_of(bytes)?;
    let mut lexer = Lexer {
        lines: text.split_inclusive('\n').collect(),
        at: 0,
        lexed: Lexed {
            directives: Directives::default(),
            lines: Vec::new(),
            faults: Vec::new(),
        },
    };
    lexer.read_directives();
    while lexer.at < lexer.lines.len() {
        lexer.read_instruction();
        if lexer.lexed.lines.len() > MOST_INSTRUCTIONS {
            let span = lexer.lexed.lines[MOST_INSTRUCTIONS].span;
            let message = format!("more than {MOST_INSTRUCTIONS} instructions");
            return Err(Fault::new(span, Rule::File, message));
        }
    }
    Ok(lexer.lexed)
}

fn text_of(bytes: &[u8]) -> Result<&str, Fault> {
    let at = |line| Span {
        first_line: line,
        last_line: line,
        column: 1,
    };
    if bytes.len() > MOST_BYTES {
        let message = format!("the file is larger than {MOST_BYTES} bytes");
        return Err(Fault::new(at(1), Rule::File, message));
    }
    let line_of = |end: usize| 1 + bytes[..end].iter().filter(|byte| **byte == b'\n').count();
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = line_of(error.valid_up_to());
        Fault::new(at(line), Rule::File, "the file is not UTF-8 text")
    })?;
    if let Some(end) = text.find('\0') {
        let message = "the file has a NUL byte: it is not text";
        return Err(Fault::new(at(line_of(end)), Rule::File, message));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

struct Lexer<'a> {
    /// The physical lines, with their line ends.
    lines: Vec<&'a str>,
    at: usize,
    lexed: Lexed,
}

impl<'a> Lexer<'a> {
    /// Directives stand before everything else; the first line that is none ends them.
    fn read_directives(&mut self) {
        let mut seen = Vec::new();
        while let Some((name, value)) = self.lines.get(self.at).and_then(|line| directive(line)) {
            let column = 1 + self.lines[self.at].find('#').unwrap_or(0);
            let span = self.span_here(column);
            self.at += 1;
            if seen.contains(&name) {
                let message = format!("only one {name} parser directive can be used");
                self.fault(span, Rule::Directive, message);
                continue;
            }
            seen.push(name);
            let directives = &mut self.lexed.directives;
            match (name, value) {
                ("syntax", value) => directives.syntax = Some(value.to_owned()),
                ("check", value) => directives.check = Some(value.to_owned()),
                (_, "\\") => directives.escape = Escape::Backslash,
                (_, "`") => directives.escape = Escape::Backtick,
                (_, other) => {
                    let message = format!("invalid escape token '{other}' does not match ` or \\");
                    self.fault(span, Rule::Directive, message);
                }
            }
        }
    }

    fn span_here(&self, column: usize) -> Span {
        Span {
            first_line: self.at + 1,
            last_line: self.at + 1,
            column,
        }
    }

    fn fault(&mut self, span: Span, rule: Rule, message: impl Into<String>) {
        self.lexed.faults.push(Fault::new(span, rule, message));
    }

    /// Reads one instruction, or steps over a line that has none.
    fn read_instruction(&mut self) {
        let first = self.at;
        let line = self.line();
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            return;
        }
        let escape = self.lexed.directives.escape.character();
        let mut logical = Logical {
            text: String::new(),
            span: Span::default(),
            heredocs: Vec::new(),
            pieces: Vec::new(),
        };
        let indent = line.len() - trimmed.len();
        let mut goes_on = logical.push(trimmed, first + 1, indent, escape);
        while goes_on && self.at < self.lines.len() {
            let number = self.at + 1;
            let line = self.line();
            let trimmed = line.trim_start();
            // A comment between continued lines is left out, and so is an empty line.
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            goes_on = logical.push(line, number, 0, escape);
        }
        logical.text.truncate(logical.text.trim_end().len());
        if logical.text.is_empty() {
            return;
        }
        logical.span = Span {
            first_line: first + 1,
            last_line: self.at,
            column: indent + 1,
        };
        self.read_heredocs(&mut logical);
        logical.span.last_line = self.at;
        self.lexed.lines.push(logical);
    }

    /// The next physical line without its end.
    fn line(&mut self) -> &'a str {
        let line = self.lines[self.at];
        self.at += 1;
        line.trim_end_matches(['\r', '\n'])
    }

    fn read_heredocs(&mut self, logical: &mut Logical) {
        let wanted = heredocs_of(&logical.text, self.lexed.directives.escape);
        if wanted.len() > MOST_HEREDOCS {
            let message = format!("more than {MOST_HEREDOCS} here-documents in one instruction");
            self.fault(logical.span, Rule::File, message);
            return;
        }
        for mut heredoc in wanted {
            if !self.read_content(&mut heredoc) {
                let message = format!("unterminated heredoc: no line {} follows", heredoc.name);
                self.fault(logical.span, Rule::Unterminated, message);
            }
            logical.heredocs.push(heredoc);
        }
    }

    /// Whether the document's last line was found.
    fn read_content(&mut self, heredoc: &mut Heredoc) -> bool {
        while let Some(&line) = self.lines.get(self.at) {
            self.at += 1;
            let mut end = line.trim_end_matches(['\r', '\n']);
            if heredoc.strips_tabs {
                end = end.trim_start_matches('\t');
            }
            if end == heredoc.name {
                return true;
            }
            heredoc.content.push_str(line);
        }
        false
    }
}

impl Logical {
    /// Adds a physical line; whether the next one belongs to it.
    fn push(&mut self, line: &str, number: usize, indent: usize, escape: char) -> bool {
        self.pieces.push(Piece {
            at: self.text.len(),
            line: number,
            column: indent + 1,
        });
        let bare = line.trim_end_matches([' ', '\t']);
        match bare.strip_suffix(escape) {
            // Two of them are one that is meant.
            Some(before) if !before.ends_with(escape) => {
                self.text.push_str(before);
                true
            }
            _ => {
                self.text.push_str(line);
                false
            }
        }
    }
}

/// `# name=value` with a name that is known.
fn directive(line: &str) -> Option<(&'static str, &str)> {
    let line = line.trim().strip_prefix('#')?;
    let (name, value) = line.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let known = ["syntax", "escape", "check"]
        .into_iter()
        .find(|known| name.eq_ignore_ascii_case(known))?;
    (!value.is_empty()).then_some((known, value))
}

/// The documents that an instruction asks for, still empty.
fn heredocs_of(text: &str, escape: Escape) -> Vec<Heredoc> {
    let mut rest = text;
    if !rest.contains("<<") {
        return Vec::new();
    }
    let mut keyword = words::keyword(rest);
    if keyword.eq_ignore_ascii_case("ONBUILD") {
        rest = rest[keyword.len()..].trim_start();
        keyword = words::keyword(rest);
    }
    let takes = ["RUN", "COPY", "ADD"];
    if !takes
        .iter()
        .any(|known| keyword.eq_ignore_ascii_case(known))
    {
        return Vec::new();
    }
    let arguments = words::flags(rest, keyword.len(), escape).1;
    if matches!(words::json(&rest[arguments..]), words::Json::Strings(_)) {
        return Vec::new();
    }
    let words = words::shell_words(rest);
    words.iter().filter_map(|word| heredoc(word)).collect()
}

/// Whether a command is nothing but one here-document.
pub(crate) fn is_one_heredoc(text: &str) -> bool {
    match words::shell_words(text).as_slice() {
        [word] => heredoc(word).is_some(),
        _ => false,
    }
}

/// `<<NAME`, `<<-NAME`, `3<<"NAME"`: a whole word.
pub(super) fn heredoc(word: &str) -> Option<Heredoc> {
    let word = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let word = word.strip_prefix("<<")?;
    let (strips_tabs, word) = match word.strip_prefix('-') {
        Some(word) => (true, word),
        None => (false, word),
    };
    let word = word.trim_start();
    if word.is_empty() || word.contains('<') {
        return None;
    }
    let quoted = word.contains(['\'', '"']);
    let mut name = String::with_capacity(word.len());
    let mut letters = word.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' | '"' => {}
            '\\' => name.extend(letters.next()),
            letter => name.push(letter),
        }
    }
    (!name.is_empty()).then_some(Heredoc {
        name,
        content: String::new(),
        expands: !quoted,
        strips_tabs,
    })
}
