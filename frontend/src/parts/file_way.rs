//! The way to a directory or file inside a container, each part of it a link.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::ui::{Icon, icon};
use crate::words::Words;

/// The way, from the root.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/file_way.html")]
pub struct FileWay {
    /// Language.
    pub words: Words,
    /// What the first part is the root of, in words.
    pub root: String,
    /// Each part: its name, fit to be shown, and where it is opened. The first is the root, the last
    /// what the page shows.
    pub parts: Vec<(String, String)>,
}

impl HtmlSafe for FileWay {}

impl FileWay {
    fn home(&self) -> Icon {
        icon("hard-drive")
    }
}
