//! The one question before something is destroyed.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Icon, icon};
use crate::words::Words;

/// A dialog that names the thing, what goes with it and what stays.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/dialog.html")]
pub struct Dialog {
    /// Language.
    pub words: Words,
    /// The question.
    pub title: String,
    /// What it is about, when several.
    pub names: Vec<String>,
    /// What is lost.
    pub goes: Vec<String>,
    /// What is kept.
    pub stays: Vec<String>,
    /// Where "yes" posts to.
    pub path: String,
    /// Hidden fields.
    pub hidden: Vec<(&'static str, String)>,
    /// A yes/no question of its own: name and label.
    pub check: Option<(&'static str, String)>,
    /// The word on the button.
    pub yes: String,
    /// Where "no" goes without script.
    pub back: String,
}

impl HtmlSafe for Dialog {}

impl Dialog {
    fn lost(&self) -> Icon {
        icon("trash-2")
    }

    fn kept(&self) -> Icon {
        icon("shield-check")
    }
}
