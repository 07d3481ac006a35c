//! An image looked through: its layers, one directory of it, one file of it.

use askama::Template;

use super::FileBody;
use crate::parts::{Fact, FileWay, ImageTabs, LayerChoice, LayerFileRow};
use crate::shell::Shell;
use crate::ui::{Action, Badge, Column, Empty, Filter, KeyValue, Notice, Pager, Recipes};

/// What the layers did.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/image_layers.html")]
pub struct ImageLayers {
    /// The frame.
    pub shell: Shell,
    /// The image's name.
    pub name: String,
    /// The same from elsewhere.
    pub recipes: Recipes,
    /// Its other pages.
    pub tabs: ImageTabs,
    /// All layers together.
    pub facts: KeyValue,
    /// How it was made, the first step first.
    pub rows: Vec<LayerRow>,
    /// The most wasted paths, the worst first.
    pub wasted: Vec<WastedRow>,
}

/// One step and the layer that it made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LayerRow {
    /// The layer, from 1; none for a step that changed no file.
    pub layer: Option<usize>,
    /// What made it, fit to be shown.
    pub command: String,
    /// When, as an age.
    pub created: String,
    /// Bytes that it holds.
    pub size: String,
    /// How many names it added, changed and removed.
    pub counts: [String; 3],
    /// Bytes of it that are wasted; empty for none.
    pub wasted: String,
    /// Wasted parts of a thousand of its bytes.
    pub wasted_permille: u64,
    /// Opens what it changed.
    pub path: String,
}

/// A path whose content is wasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WastedRow {
    /// The path, fit to be shown.
    pub name: String,
    /// Opens it where it was last; empty when nothing leads to it.
    pub path: String,
    /// Bytes.
    pub wasted: String,
    /// The layers that hold something there, with where each is opened.
    pub layers: Vec<(usize, String)>,
    /// Whether it was replaced or is gone.
    pub fate: Badge,
}

/// A directory as it is after a layer.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/image_files.html")]
pub struct ImageFiles {
    /// The frame.
    pub shell: Shell,
    /// The image's name.
    pub name: String,
    /// The same from elsewhere.
    pub recipes: Recipes,
    /// Its other pages.
    pub tabs: ImageTabs,
    /// Which layer.
    pub choice: LayerChoice,
    /// The way to the directory.
    pub way: FileWay,
    /// What else is to be known.
    pub notices: Vec<Notice>,
    /// The filter field, with all names or only the changes.
    pub filter: Filter,
    /// The column heads.
    pub columns: Vec<Column>,
    /// Where the directory above is opened; none for the root.
    pub above: Option<String>,
    /// A page of what is in it.
    pub rows: Vec<LayerFileRow>,
    /// Where one is.
    pub pager: Pager,
    /// Shown when there is nothing to list.
    pub empty: Option<Empty>,
}

/// What is at a path that is no directory.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/image_file.html")]
pub struct ImageFile {
    /// The frame.
    pub shell: Shell,
    /// The image's name.
    pub name: String,
    /// The same from elsewhere.
    pub recipes: Recipes,
    /// Its other pages.
    pub tabs: ImageTabs,
    /// Which layer; none when there is nothing at the path.
    pub choice: Option<LayerChoice>,
    /// The way to it.
    pub way: FileWay,
    /// What can be done with it.
    pub actions: Vec<Action>,
    /// What the layer did to it.
    pub mark: Option<Badge>,
    /// Its length, bits, owner, layer.
    pub facts: Vec<Fact>,
    /// Why it is not shown.
    pub notices: Vec<Notice>,
    /// What it holds.
    pub body: FileBody,
}
