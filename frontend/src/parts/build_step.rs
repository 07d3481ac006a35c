//! One step of a build, and what it says.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::ui::Badge;
use crate::words::Words;

/// One step; the DOM id is its own. Open while it goes on and when it failed.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/build_step.html")]
pub struct BuildStep {
    /// Language.
    pub words: Words,
    /// Its DOM id.
    pub id: String,
    /// A word for the state, the same for every language.
    pub key: &'static str,
    /// "3/7".
    pub number: String,
    /// The instruction.
    pub text: String,
    /// Where it is.
    pub state: Badge,
    /// "Stage build", "Line 3", "1.2 s": what there is.
    pub notes: Vec<String>,
    /// Whether it stands open.
    pub open: bool,
    /// "120 lines left out", or empty.
    pub left_out: String,
    /// What it said, without escapes.
    pub lines: Vec<String>,
    /// The name of what it said.
    pub label: String,
}

impl HtmlSafe for BuildStep {}
