//! What became of many things that were acted on at once.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::ui::{Badge, Icon, icon};
use crate::words::Words;

/// More than this is folded.
const MOST_OPEN: usize = 8;

/// The outcome; DOM id `outcome`. A script puts it above the list it was asked from.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/outcome.html")]
pub struct Outcome {
    /// Language.
    pub words: Words,
    /// "Stop: 2 of 3 done".
    pub sentence: String,
    /// Whether any failed.
    pub failed: bool,
    /// One for each, those that failed first.
    pub rows: Vec<OutcomeRow>,
}

impl HtmlSafe for Outcome {}

/// What became of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRow {
    /// Done or failed.
    pub result: Badge,
    /// Its name.
    pub name: String,
    /// Where it is; nothing when it is gone.
    pub path: Option<String>,
    /// Why it failed.
    pub text: String,
}

impl Outcome {
    fn symbol(&self) -> Icon {
        icon(if self.failed {
            "triangle-alert"
        } else {
            "circle-check"
        })
    }

    fn is_open(&self) -> bool {
        self.failed || self.rows.len() <= MOST_OPEN
    }
}
