//! What is written down of a volume.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of [`VolumeRecord`] that is written.
const RECORD_VERSION: u32 = 1;

/// What a volume was asked to be, and whether anybody has used it yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeRecord {
    version: u32,
    /// Its name, which its directory has too.
    pub name: String,
    /// When it was made, in nanoseconds since 1970.
    pub created_ns: i64,
    /// What people call it by.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The driver's options, as they were given.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// Nobody named it: it goes with its container, if asked.
    #[serde(default)]
    pub is_anonymous: bool,
    /// For whom it was made. While that one is not there and nobody used it, it is half of a change.
    #[serde(default)]
    pub made_for: Option<String>,
    /// Whether an image's content may still be copied into it.
    #[serde(default)]
    pub fill: Fill,
}

/// Whether an image's content may still be copied into a volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// Nobody has used it.
    Fresh,
    /// A copy into a directory that is not ours alone has begun: it was empty then.
    Copying,
    /// An image's content is there, and no container has used it.
    Filled,
    /// It has had a container, or content of somebody's: never again.
    #[default]
    Used,
}

impl VolumeRecord {
    /// A new volume of this name.
    pub fn new(name: impl Into<String>, created_ns: i64) -> Self {
        Self {
            version: RECORD_VERSION,
            name: name.into(),
            created_ns,
            labels: BTreeMap::new(),
            options: BTreeMap::new(),
            is_anonymous: false,
            made_for: None,
            fill: Fill::Fresh,
        }
    }
}
