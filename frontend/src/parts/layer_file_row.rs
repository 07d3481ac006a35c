//! One name in a directory of an image, with what a layer did to it.

use askama::Template;
use askama::filters::HtmlSafe;

use super::FileRow;
use crate::ui::{Badge, Icon, icon};

/// The row.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/layer_file_row.html")]
pub struct LayerFileRow {
    /// The name and its facts.
    pub file: FileRow,
    /// What the layer did to it; nothing, when it left it as it was.
    pub mark: Option<Badge>,
    /// What its size was before; empty when that is the same or means nothing.
    pub before: String,
    /// The layer that it comes from, from 1.
    pub layer: usize,
    /// What becomes of it later; empty when it stays.
    pub later: String,
    /// Bytes under this name that are wasted; empty for none.
    pub wasted: String,
}

impl HtmlSafe for LayerFileRow {}

impl LayerFileRow {
    fn symbol(&self) -> Icon {
        icon(self.file.icon)
    }
}
