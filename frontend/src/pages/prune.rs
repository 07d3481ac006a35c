//! What nothing needs, before it goes.

use askama::Template;

use crate::format::Moment;
use crate::shell::Shell;
use crate::ui::Empty;

/// The images that nothing needs.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/images_prune.html")]
pub struct ImagesPrune {
    /// The frame.
    pub shell: Shell,
    /// Whether all unused ones are chosen, or only those without a name.
    pub all: bool,
    /// What goes, the largest first.
    pub rows: Vec<PruneRow>,
    /// What that frees, with its unit.
    pub freed: String,
    /// Shown when there is nothing.
    pub empty: Option<Empty>,
    /// The reason why it may not be done.
    pub locked: Option<String>,
}

impl ImagesPrune {
    fn yes(&self) -> String {
        self.shell
            .words
            .n("images-prune-yes", self.rows.len() as u64)
    }
}

/// An image that would go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PruneRow {
    /// Its page.
    pub path: String,
    /// Its names, or its short id.
    pub names: Vec<String>,
    /// Its whole size with the unit.
    pub size: String,
    /// How much of that others share, with the unit; empty when nothing.
    pub shared: String,
    /// When it was made.
    pub created: Moment,
}
