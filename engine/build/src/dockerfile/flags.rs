//! `--name=value` in front of an instruction's words, against the flags that the instruction has.

use crate::error::{Fault, Rule, Span};
use crate::suggest;

/// What a flag's value may be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing, `true` or `false`.
    Switch,
    /// Once.
    Text,
    /// As often as one likes.
    Texts,
}

/// A flag that an instruction has.
pub(super) type Known = (&'static str, Takes);

/// The flags that stand there, checked.
pub(super) struct Flags {
    given: Vec<(&'static str, String, Span)>,
}

impl Flags {
    /// Checks the flags of `keyword` against those it has.
    pub(super) fn parse(
        keyword: &str,
        given: &[(Span, String)],
        known: &[Known],
    ) -> Result<Flags, Fault> {
        let mut flags = Flags { given: Vec::new() };
        for (span, text) in given {
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (text.as_str(), None),
            };
            let fault = |message: String| Fault::new(*span, Rule::Flag, message);
            let bare = name.trim_start_matches('-');
            let Some((name, takes)) = known.iter().find(|(known, _)| *known == bare).copied()
            else {
                let message = format!("unknown flag: {name}");
                let names = known.iter().map(|(known, _)| *known);
                let meant = suggest::nearest(bare, names).map(|meant| format!("--{meant}"));
                let message = match (&meant, known.is_empty()) {
                    (None, true) => format!("{message}: {keyword} has no flags"),
                    _ => message,
                };
                return Err(fault(message).meaning(meant.as_deref()));
            };
            if takes != Takes::Texts && flags.given.iter().any(|(given, ..)| *given == name) {
                return Err(fault(format!("duplicate flag specified: --{name}")));
            }
            let value = match (takes, value) {
                (Takes::Switch, None) => "true".to_owned(),
                (_, None) | (Takes::Switch, Some("")) => {
                    return Err(fault(format!("missing a value on flag: --{name}")));
                }
                (Takes::Switch, Some(value)) => {
                    let value = value.to_lowercase();
                    if value != "true" && value != "false" {
                        return Err(fault(format!(
                            "expecting boolean value for flag --{name}, not: {value}"
                        )));
                    }
                    value
                }
                (_, Some(value)) => value.to_owned(),
            };
            flags.given.push((name, value, *span));
        }
        Ok(flags)
    }

    /// The flag's value and where it stands.
    pub(super) fn get<'a>(&'a self, name: &'a str) -> Option<(&'a str, Span)> {
        self.all(name).next()
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|(value, _)| value.to_owned())
    }

    /// What a switch says, if it is there.
    pub(super) fn switch(&self, name: &str) -> Option<bool> {
        self.get(name).map(|(value, _)| value == "true")
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, Span)> {
        self.given
            .iter()
            .filter(move |(given, ..)| *given == name)
            .map(|(_, value, span)| (value.as_str(), *span))
    }
}
