//! One image in the list.

use askama::Template;
use askama::filters::HtmlSafe;

use super::UpdateMark;
use crate::format::Moment;
use crate::paths;
use crate::ui::{Action, Badge};
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
    pub names: Vec<ImageName>,
    /// That nothing needs it, or that it has no name.
    pub marks: Vec<Badge>,
    /// Size with its unit.
    pub size: String,
    /// What of it other images use too; empty when the engine did not say.
    pub shared: String,
    /// What would be free without it; empty when the engine did not say.
    pub unique: String,
    /// "2 containers", or "not used".
    pub used_by: String,
    /// When it was made.
    pub created: Moment,
    /// What can be done.
    pub actions: Vec<Action>,
}

impl HtmlSafe for ImageRow {}

/// One of an image's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    /// The name, with its tag.
    pub name: String,
    /// How it stands against its registry.
    pub update: Option<UpdateMark>,
}

impl ImageRow {
    fn path(&self) -> String {
        paths::Image(&self.id).to_string()
    }
}
