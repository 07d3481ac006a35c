//! How much room everything takes, and what was removed to make some.
#![expect(missing_docs, reason = "fields carry Docker's own names and meanings")]

use serde::{Deserialize, Serialize};

use crate::builds::BuildCache;
use crate::containers::ContainerSummary;
use crate::images::{ImageSummary, RemovedItem};
use crate::volumes::Volume;

/// The answer of `/system/df`. A kind that was not asked for is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DiskUsage {
    /// All layers, each once.
    pub layers_size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<Vec<ImageSummary>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub containers: Option<Vec<ContainerSummary>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volumes: Option<Vec<Volume>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_cache: Option<Vec<BuildCache>>,
}

/// What a prune of images would remove, and how many bytes that would free. Our own: Docker frees
/// first and tells then.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Prunable {
    /// The largest first; sizes are whole, shared layers counted in each.
    pub images: Vec<ImageSummary>,
    /// The layers that nothing else needs, each once.
    pub space_reclaimed: u64,
}

/// The answer of a prune: one list, `null` when nothing went, and how many bytes that was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Pruned {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub containers_deleted: Option<Option<Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images_deleted: Option<Option<Vec<RemovedItem>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volumes_deleted: Option<Option<Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caches_deleted: Option<Option<Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space_reclaimed: Option<u64>,
}

impl Pruned {
    /// Containers went.
    pub fn containers(ids: Vec<String>, bytes: u64) -> Self {
        Self {
            containers_deleted: Some((!ids.is_empty()).then_some(ids)),
            space_reclaimed: Some(bytes),
            ..Self::default()
        }
    }

    /// Images or names of images went.
    pub fn images(items: Vec<RemovedItem>, bytes: u64) -> Self {
        Self {
            images_deleted: Some((!items.is_empty()).then_some(items)),
            space_reclaimed: Some(bytes),
            ..Self::default()
        }
    }

    /// Volumes went.
    pub fn volumes(names: Vec<String>, bytes: u64) -> Self {
        Self {
            volumes_deleted: Some((!names.is_empty()).then_some(names)),
            space_reclaimed: Some(bytes),
            ..Self::default()
        }
    }

    /// What was kept between builds went.
    pub fn builds(ids: Vec<String>, bytes: u64) -> Self {
        Self {
            caches_deleted: Some((!ids.is_empty()).then_some(ids)),
            space_reclaimed: Some(bytes),
            ..Self::default()
        }
    }
}
