//! One image in the list.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::format::Moment;
use crate::paths;
use crate::ui::Action;
use crate::words::Words;

/// A row; DOM id `image-<short id>`, list `image-rows`.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/image_row.html")]
pub struct ImageRow {
    /// Language.
    pub words: Words,
    /// The image's id with its algorithm.
    pub id: String,
    /// Its short id.
    pub short_id: String,
    /// Its names; empty for an image without one.
    pub names: Vec<String>,
    /// Size with its unit.
    pub size: String,
    /// "2 containers", or "not used".
    pub used_by: String,
    /// When it was made.
    pub created: Moment,
    /// What can be done.
    pub actions: Vec<Action>,
}

impl HtmlSafe for ImageRow {}

impl ImageRow {
    fn path(&self) -> String {
        paths::Image(&self.id).to_string()
    }
}
