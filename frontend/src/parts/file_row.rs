//! One line of a directory.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::format::Moment;
use crate::ui::{Action, Icon, icon};

/// One thing in a directory.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/file_row.html")]
pub struct FileRow {
    /// Its icon.
    pub icon: &'static str,
    /// Its name, fit to be shown.
    pub name: String,
    /// Where it is opened; empty when no path leads to it.
    pub path: String,
    /// Why no path leads to it.
    pub reason: String,
    /// What a link says, fit to be shown; empty for anything else.
    pub link: String,
    /// What it is, in words.
    pub kind: String,
    /// Its length; empty where that means nothing.
    pub size: String,
    /// `drwxr-xr-x`.
    pub mode: String,
    /// Owner and group.
    pub owner: String,
    /// When its content was changed last.
    pub modified: Moment,
    /// Takes it away.
    pub download: Option<Action>,
}

impl HtmlSafe for FileRow {}

impl FileRow {
    fn symbol(&self) -> Icon {
        icon(self.icon)
    }
}
