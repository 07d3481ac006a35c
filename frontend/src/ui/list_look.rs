//! How a person wants to see a list: which columns, how close together.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Icon, icon};
use crate::words::Words;

/// The chooser above a list, and what was chosen.
///
/// A row is always drawn whole; the table hides what is not wanted. So a row that comes by the live
/// socket needs to know nobody's taste.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/list_look.html")]
pub struct ListLook {
    /// Language.
    pub words: Words,
    /// Name of the list.
    pub list: &'static str,
    /// Columns that can be hidden: name, label, whether it is shown.
    pub columns: Vec<(&'static str, String, bool)>,
    /// Whether the rows stand close together.
    pub compact: bool,
    /// Where a post returns to.
    pub back: String,
}

impl HtmlSafe for ListLook {}

impl ListLook {
    /// Returns the names of the hidden columns, for the table's `data-hide`.
    pub fn hidden(&self) -> String {
        let hidden = self.columns.iter().filter(|(.., shown)| !shown);
        let names: Vec<_> = hidden.map(|(name, ..)| *name).collect();
        names.join(" ")
    }

    /// Returns the table's `data-density`.
    pub fn density(&self) -> &'static str {
        if self.compact { "compact" } else { "roomy" }
    }

    fn densities(&self) -> [(&'static str, String, bool); 2] {
        let density = |value, key: &str, current| (value, self.words.t(key), current);
        [
            density("roomy", "density-roomy", !self.compact),
            density("compact", "density-compact", self.compact),
        ]
    }

    fn symbol(&self) -> Icon {
        icon("columns-3")
    }
}
