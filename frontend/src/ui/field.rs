//! One field of a form: label, control, hint, and the rule it broke.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Icon, icon};

/// A form field.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "ui/field.html")]
pub struct Field {
    /// Name in the form, also its id.
    pub name: &'static str,
    /// The word above it.
    pub label: String,
    /// What was typed; kept when the form comes back.
    pub value: String,
    /// What kind of control it is.
    pub kind: Kind,
    /// A sentence that helps.
    pub hint: String,
    /// The rule that the value broke.
    pub error: Option<String>,
    /// An example.
    pub placeholder: String,
    /// Whether it must be filled.
    pub required: bool,
    /// The `autocomplete` token.
    pub autocomplete: &'static str,
    /// Id of a `datalist` with usual values.
    pub list: &'static str,
    /// Whether the value is code.
    pub code: bool,
    /// Whether it takes the whole width.
    pub whole: bool,
}

impl HtmlSafe for Field {}

/// Kinds of control.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Kind {
    /// One line.
    #[default]
    Text,
    /// One line, hidden; never filled again.
    Password,
    /// A whole number.
    Number,
    /// Several lines.
    Lines(u8),
    /// One of several.
    Choice(Vec<Choice>),
    /// Yes or no; the value `on` is yes.
    Check,
    /// A file.
    File,
    /// Any number of files.
    Files,
}

/// One option of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
}

impl Field {
    fn class(&self) -> &'static str {
        match (&self.kind, self.whole) {
            (Kind::Check, false) => "field field--check",
            (Kind::Check, true) => "field field--check field--whole",
            (_, true) => "field field--whole",
            (_, false) => "field",
        }
    }

    fn input_type(&self) -> &'static str {
        match self.kind {
            Kind::Password => "password",
            Kind::File | Kind::Files => "file",
            Kind::Number | Kind::Text | Kind::Lines(_) | Kind::Choice(_) | Kind::Check => "text",
        }
    }

    fn described_by(&self) -> String {
        let mut ids = Vec::new();
        if !self.hint.is_empty() {
            ids.push(format!("{}-hint", self.name));
        }
        if self.error.is_some() {
            ids.push(format!("{}-error", self.name));
        }
        ids.join(" ")
    }

    fn control_class(&self) -> &'static str {
        if self.code {
            "field__control field__control--code"
        } else {
            "field__control"
        }
    }

    fn warning(&self) -> Icon {
        icon("triangle-alert")
    }
}
