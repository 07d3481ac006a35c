//! Registries, asked without bringing anything: what a name stands for, what is there to be pulled.
//!
//! Docker has `GET /distribution/{name}/json` and `GET /images/search`. Which repositories a registry
//! has and which tags a repository has are operations of ours, `GET /gantry/registries/{name}/repositories`
//! (query: `filter`, a part of the names, and `limit`) and `GET /gantry/repositories/{name}/tags` (query:
//! `limit`); so is `GET /gantry/repositories/{name}/digest`, which digest a name with its tag has there,
//! by the lightest request there is. All five take the credentials header.
//!
//! A registry that limits how often it is asked is answered with 429, and with `Retry-After` where it
//! says when it will serve again.

use serde::{Deserialize, Serialize};

use crate::images::ImagePlatform;

/// The most names of one answer.
pub const NAMES_MAX: usize = 1_000;

/// The most results of a search, and how many there are when nobody says.
pub const SEARCH_MAX: usize = 100;
/// How many results a search has when nobody says.
pub const SEARCH_DEFAULT: usize = 25;

/// The keys that `filters` of the search may hold.
pub const SEARCH_FILTERS: &[&str] = &["is-automated", "is-official", "stars"];

/// What a name stands for in its registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DistributionInspect {
    /// The manifest, or the index of several.
    pub descriptor: Descriptor,
    /// The machines that there is an image for.
    pub platforms: Vec<ImagePlatform>,
}

/// A document of a registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Descriptor {
    /// Which kind of document it is.
    pub media_type: String,
    /// `sha256:…`.
    pub digest: String,
    /// Its own length, not the image's.
    pub size: u64,
}

/// Which digest a name has in its registry: of the manifest, or of the index of several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RemoteDigest {
    /// `sha256:…`.
    pub digest: String,
}

/// A repository that a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchResult {
    /// One line.
    pub description: String,
    /// The registry's own people keep it.
    pub is_official: bool,
    /// The registry built it.
    pub is_automated: bool,
    /// As it can be pulled.
    pub name: String,
    /// How many people marked it.
    pub star_count: u64,
}

/// Names, and whether they are all there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NameList {
    /// Repositories without their registry, or tags without their repository.
    pub names: Vec<String>,
    /// There are no others.
    pub is_whole: bool,
}
