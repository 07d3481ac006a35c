//! An empty list teaches: one sentence, one button, the equivalent command.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Action, Icon, icon};
use crate::words::Words;

/// What stands where a list would be.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/empty.html")]
pub struct Empty {
    /// Language.
    pub words: Words,
    /// Its icon.
    pub icon: &'static str,
    /// What is not there.
    pub title: String,
    /// One sentence.
    pub text: String,
    /// One button.
    pub action: Option<Action>,
    /// The same by command.
    pub command: String,
}

impl HtmlSafe for Empty {}

impl Empty {
    fn symbol(&self) -> Icon {
        icon(self.icon)
    }
}
