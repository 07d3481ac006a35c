//! An image looked through: what each layer did, and one directory as it is after a layer. Additions of
//! ours, since Docker shows no more of a layer than its size.

use serde::{Deserialize, Serialize};

use crate::containers::FileEntry;
use crate::ours;

/// What the layers of an image did.
///
/// *Wasted* are bytes that every pull brings and no container sees: the content of a file that a later
/// layer replaces or removes. A file with several names counts once, and is wasted when all of them are
/// hidden. A layer that an image has twice hides itself.
///
/// The *efficiency* is the one that `dive` shows: for each name the smallest content that a layer has
/// for it, 0 where a layer removes it, all added up, divided by the content of all names in all layers.
/// A removed directory counts as the files that were in it. 1 is best, and that of an image of no bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageLayers {
    /// The image's id.
    pub id: String,
    /// Bytes of content in all layers.
    pub size: u64,
    /// Bytes of these that are wasted.
    pub wasted: u64,
    /// See above.
    pub efficiency: f64,
    /// Names in the whole image that are no directories.
    pub files: u64,
    /// Each layer, the lowest first.
    pub layers: Vec<ImageLayer>,
    /// How the image was made, the first step first.
    pub steps: Vec<ImageStep>,
    /// The most wasted paths, the worst first; at most a hundred.
    pub wasted_files: Vec<WastedFile>,
}

/// What one layer did. Directories are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageLayer {
    /// The digest of its uncompressed archive.
    pub diff_id: String,
    /// Bytes of content that it holds.
    pub size: u64,
    /// Bytes of these that a later layer replaces or removes.
    pub wasted: u64,
    /// Names that were not there before.
    pub added: u64,
    /// Names that were there before, and that it holds too.
    pub changed: u64,
    /// Names that were there before and are no more.
    pub removed: u64,
}

/// One step of an image's history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageStep {
    /// What was done, as the image says.
    pub created_by: String,
    /// A remark.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// When, in seconds since 1970.
    pub created: i64,
    /// The layer that it made, counted from 0; absent for a step that changed no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<usize>,
}

/// A path whose content is wasted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct WastedFile {
    /// Where it is; what is not UTF-8 is replaced.
    pub path: String,
    /// The path is not UTF-8: nobody can ask for it.
    #[serde(skip_serializing_if = "ours::is_false")]
    pub is_path_lossy: bool,
    /// Bytes that are wasted there, in all layers together.
    pub wasted: u64,
    /// The layers that hold something there, the lowest first.
    pub layers: Vec<usize>,
    /// It is still there in the whole image.
    #[serde(skip_serializing_if = "ours::is_false")]
    pub is_there: bool,
}

/// What a layer did to a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileMark {
    /// Nothing.
    #[default]
    Unchanged,
    /// It was not there before.
    Added,
    /// It was there before, and the layer holds it too; of a directory: something in it or of it.
    Changed,
    /// It was there before and is no more.
    Removed,
}

/// What is at a path of an image after a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageDirectory {
    /// Where it really is, links followed.
    pub path: String,
    /// The layer.
    pub layer: usize,
    /// How many layers the image has.
    pub layers: usize,
    /// What made the layer, as the image says.
    pub created_by: String,
    /// What is there when it is no directory; everything below is empty then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<ImageFile>,
    /// How many entries fit.
    pub total: usize,
    /// There are more than anybody counted.
    #[serde(skip_serializing_if = "ours::is_false")]
    pub is_cut: bool,
    /// The entries that were asked for, directories first, by name.
    pub entries: Vec<ImageFile>,
}

/// One name as it is after a layer; one that the layer removed as it was before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageFile {
    /// Its facts; a link is a link.
    pub entry: FileEntry,
    /// What the layer did to it.
    pub mark: FileMark,
    /// The layer that it comes from.
    pub layer: usize,
    /// The bytes that were under this name before the layer changed or removed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_before: Option<u64>,
    /// The first later layer that replaces or removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_by: Option<usize>,
    /// Bytes under this name in the layers up to this one that a later layer replaces or removes; those
    /// of a file with several names are not told here.
    pub wasted: u64,
}
