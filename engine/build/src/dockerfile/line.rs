//! One instruction's words in the forms that several instructions share.

use crate::error::{Fault, Rule, Span};

use super::flags::{Flags, Known};
use super::lexer::Logical;
use super::syntax::{Argument, Command, Escape, Word};
use super::words;

/// An instruction whose flags are cut off and not yet read.
pub(super) struct Line<'a> {
    pub(super) logical: &'a Logical,
    /// Where the instruction begins in the joined text.
    pub(super) start: usize,
    /// Where its words begin, behind the flags.
    pub(super) rest: usize,
    pub(super) flags: Vec<(Span, String)>,
    pub(super) keyword: &'a str,
    pub(super) escape: Escape,
}

impl Line<'_> {
    pub(super) fn rest(&self) -> &str {
        &self.logical.text[self.rest..]
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.logical.place(self.start), Rule::Arguments, message)
    }

    pub(super) fn fault_at(&self, offset: usize, message: impl Into<String>) -> Fault {
        Fault::new(self.logical.place(offset), Rule::Arguments, message)
    }

    pub(super) fn flags(&self, known: &[Known]) -> Result<Flags, Fault> {
        Flags::parse(self.keyword, &self.flags, known)
    }

    pub(super) fn at_least_one(&self) -> Fault {
        self.fault(format!("{} requires at least one argument", self.keyword))
    }

    /// The words of a JSON array, or those between spaces.
    pub(super) fn list(&self) -> Result<Vec<words::Placed<String>>, Fault> {
        match words::json(self.rest()) {
            words::Json::Strings(words) => {
                Ok(words.into_iter().map(|word| (self.rest, word)).collect())
            }
            words::Json::Mixed => Err(self.mixed(self.rest)),
            words::Json::No => Ok(words::plain(&self.logical.text, self.rest)
                .into_iter()
                .map(|(at, word)| (at, word.to_owned()))
                .collect()),
        }
    }

    pub(super) fn mixed(&self, at: usize) -> Fault {
        let message = "when using JSON array syntax, arrays must be comprised of strings only";
        self.fault_at(at, message)
    }

    /// A shell's text, or a JSON array of words.
    pub(super) fn command(&self, at: usize) -> Result<Command, Fault> {
        let text = &self.logical.text[at..];
        match words::json(text) {
            words::Json::Strings(words) => Ok(Command::Exec(words)),
            words::Json::Mixed => Err(self.mixed(at)),
            words::Json::No if text.is_empty() => Err(self.at_least_one()),
            words::Json::No => Ok(Command::Shell(text.to_owned())),
        }
    }

    pub(super) fn plain_command(&self) -> Result<Command, Fault> {
        self.flags(&[])?;
        self.command(self.rest)
    }

    /// `NAME=value …`, or the old `NAME value with spaces`.
    pub(super) fn pairs(&self) -> Result<Vec<(Word, Word)>, Fault> {
        self.flags(&[])?;
        let keyword = self.keyword;
        let words = words::quoted(&self.logical.text, self.rest, self.escape);
        let Some((_, first)) = words.first() else {
            return Err(self.at_least_one());
        };
        if !first.contains('=') {
            let Some((name, value)) = self.rest().split_once(words::SPACES) else {
                return Err(self.fault(format!("{keyword} must have two arguments")));
            };
            let value = value.trim_start_matches(words::SPACES);
            return Ok(vec![(Word(name.to_owned()), Word(value.to_owned()))]);
        }
        words
            .into_iter()
            .map(|(at, word)| match word.split_once('=') {
                None => Err(self.fault_at(
                    at,
                    format!(
                        "Syntax error - can't find = in \"{word}\". Must be of the form: name=value"
                    ),
                )),
                Some(("", _)) => {
                    Err(self.fault_at(at, format!("{keyword} names can not be blank")))
                }
                Some((name, value)) => Ok((Word(name.to_owned()), Word(value.to_owned()))),
            })
            .collect()
    }

    pub(super) fn some_words(&self) -> Result<Vec<Word>, Fault> {
        self.flags(&[])?;
        let words = words::plain(&self.logical.text, self.rest);
        if words.is_empty() {
            return Err(self.at_least_one());
        }
        Ok(words
            .into_iter()
            .map(|(_, word)| Word(word.to_owned()))
            .collect())
    }

    pub(super) fn volumes(&self) -> Result<Vec<Word>, Fault> {
        self.flags(&[])?;
        let words = self.list()?;
        if words.is_empty() {
            return Err(self.at_least_one());
        }
        Ok(words.into_iter().map(|(_, word)| Word(word)).collect())
    }

    /// All of the rest, spaces and all.
    pub(super) fn text(&self) -> Result<String, Fault> {
        self.flags(&[])?;
        if self.rest().is_empty() {
            let message = format!("{} requires exactly one argument", self.keyword);
            return Err(self.fault(message));
        }
        Ok(self.rest().to_owned())
    }

    pub(super) fn arguments(&self) -> Result<Vec<Argument>, Fault> {
        self.flags(&[])?;
        let words = words::quoted(&self.logical.text, self.rest, self.escape);
        if words.is_empty() {
            return Err(self.at_least_one());
        }
        words
            .into_iter()
            .map(|(at, word)| {
                let (name, default) = match word.split_once('=') {
                    Some((name, default)) => (name, Some(Word(default.to_owned()))),
                    None => (word.as_str(), None),
                };
                if name.is_empty() {
                    return Err(self.fault_at(at, "ARG names can not be blank"));
                }
                if name.contains(['$', '"', '\'', '\\', '`']) {
                    let message = format!("ARG {name}: a name has no quotes and no variables");
                    return Err(self.fault_at(at, message));
                }
                Ok(Argument {
                    name: name.to_owned(),
                    default,
                })
            })
            .collect()
    }
}
