//! Volumes: files that outlive the containers that use them.
#![expect(missing_docs, reason = "fields carry Docker's own names and meanings")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The one driver.
pub const DRIVER: &str = "local";

/// The label of a volume that nobody named, as Docker's own clients look for it.
pub const ANONYMOUS_LABEL: &str = "com.docker.volume.anonymous";

/// All volumes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeList {
    pub volumes: Vec<Volume>,
    pub warnings: Vec<String>,
}

/// A volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Volume {
    pub name: String,
    pub driver: String,
    pub mountpoint: String,
    pub created_at: String,
    pub labels: BTreeMap<String, String>,
    pub scope: String,
    pub options: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_data: Option<VolumeUsage>,
}

/// How much a volume holds and who needs it; told by `/system/df` alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeUsage {
    /// In bytes; -1 where it could not be counted.
    pub size: i64,
    /// Containers that have it, running or not.
    pub ref_count: i64,
}

/// What to make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeCreateBody {
    /// Without one the engine makes one.
    pub name: String,
    pub driver: String,
    pub driver_opts: Option<BTreeMap<String, String>>,
    pub labels: Option<BTreeMap<String, String>>,
    /// Of clusters; none may be asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_volume_spec: Option<serde_json::Value>,
}

/// One change of a volume's files. Paths begin at the volume's root; a link itself is changed, never what
/// it leads to. Our own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "Action", rename_all = "snake_case")]
pub enum FileChange {
    /// Gives it another name, which nothing has.
    #[serde(rename_all = "PascalCase")]
    Rename { path: String, to: String },
    /// Removes it with everything in it.
    #[serde(rename_all = "PascalCase")]
    Remove { path: String },
    /// Makes a directory.
    #[serde(rename_all = "PascalCase")]
    MakeDirectory { path: String },
    /// Sets its permission bits, up to `0o7777`.
    #[serde(rename_all = "PascalCase")]
    SetMode { path: String, mode: u32 },
    /// Gives it away.
    #[serde(rename_all = "PascalCase")]
    SetOwner { path: String, uid: u32, gid: u32 },
}

/// What a clone is to be called. Our own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CloneBody {
    pub name: String,
}

/// The keys that `filters` of the list may hold.
pub const FILTERS: &[&str] = &["dangling", "driver", "label", "name"];

/// The keys that `filters` of a prune may hold.
pub const PRUNE_FILTERS: &[&str] = &["all", "label", "label!", "until"];
