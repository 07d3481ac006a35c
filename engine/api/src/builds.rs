//! Builds: what one is told while an image is made, and what is kept between builds.
#![expect(missing_docs, reason = "fields carry Docker's own names and meanings")]

use serde::{Deserialize, Serialize};

use crate::images::Progress;

/// One line of the progress of a build; what it pulls is told in the same lines.
pub type BuildLine = Progress<BuiltImage>;

/// The id of an image that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BuiltImage {
    #[serde(rename = "ID")]
    pub id: String,
}

impl From<Progress> for BuildLine {
    fn from(line: Progress) -> Self {
        Self {
            stream: line.stream,
            status: line.status,
            progress_detail: line.progress_detail,
            progress: line.progress,
            id: line.id,
            error_detail: line.error_detail,
            error: line.error,
            aux: None,
        }
    }
}

/// Something that is kept between builds, in `/system/df`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BuildCache {
    #[serde(rename = "ID")]
    pub id: String,
    /// `regular` of a step's layer, `exec.cachemount` of a `RUN --mount=type=cache`.
    #[serde(rename = "Type")]
    pub kind: String,
    pub description: String,
    pub in_use: bool,
    /// An image has the layer too.
    pub shared: bool,
    pub size: u64,
    pub created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    pub usage_count: u64,
}

/// The header that carries the names and passwords for several registries.
pub const REGISTRY_CONFIG_HEADER: &str = "x-registry-config";

/// The keys that `filters` of a prune may hold.
pub const PRUNE_FILTERS: &[&str] = &["id", "type", "until", "unused-for"];

/// Options of a build that have no effect, with the reason that is told.
pub const WITHOUT_EFFECT: &[(&str, &str)] = &[
    (
        "squash",
        "squash is only supported with experimental mode, which this engine does not have",
    ),
    (
        "outputs",
        "outputs is not supported: it belongs to BuildKit; set DOCKER_BUILDKIT=0",
    ),
    ("credentialspec", "credentialspec is an option of Windows"),
];
