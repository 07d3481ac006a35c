//! Facts about one thing, as a description list.

use askama::Template;
use askama::filters::HtmlSafe;

/// A list of facts.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "ui/key_value.html")]
pub struct KeyValue {
    /// The facts, in reading order.
    pub pairs: Vec<Pair>,
}

impl HtmlSafe for KeyValue {}

/// One fact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pair {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Whether the value is code.
    pub code: bool,
    /// Where the value leads.
    pub link: Option<String>,
}

impl Pair {
    /// A plain fact.
    pub fn text(key: String, value: String) -> Pair {
        Pair {
            key,
            value,
            ..Pair::default()
        }
    }

    /// A fact whose value is code.
    pub fn code(key: String, value: String) -> Pair {
        Pair {
            key,
            value,
            code: true,
            link: None,
        }
    }
}
