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
            gantry: None,
        }
    }
}

/// What a client that asks by [`STEPS_HEADER`] is told beside Docker's words.
///
/// Lines of stages that are
/// built side by side then come as they are said, not in the order of the stages; what a mark says is
/// not said again in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BuildMark {
    /// All steps; in the first line, and in no other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<BuildStep>,
    /// The number of the step that the line belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// How the step stands from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<StepState>,
    /// How long it took, when it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
}

/// One step of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BuildStep {
    /// As in `Step 3/7`.
    pub number: usize,
    /// The instruction, in one line.
    pub text: String,
    /// Its line in the Dockerfile; 0 when it stands in none.
    pub line: usize,
    /// The stage's name, or its number in the Dockerfile.
    pub stage: String,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It goes on.
    Begun,
    /// What came of it before was taken.
    Cached,
    Done,
    Failed,
}

/// What a look at a Dockerfile found, without building.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DockerfileCheck {
    /// What is wrong, by place; nothing when it can be built.
    pub faults: Vec<DockerfileFault>,
    /// Every stage; none while a line is wrong.
    pub stages: Vec<DockerfileStage>,
}

/// Something that a Dockerfile may not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DockerfileFault {
    /// From 1; 0 when it is about what was asked for beside the Dockerfile.
    pub line: usize,
    pub last_line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// In one word, as `instruction` or `flag`.
    pub rule: String,
    pub message: String,
    /// What was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meant: Option<String>,
}

/// A stage of a Dockerfile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DockerfileStage {
    /// Its name; its number where it has none.
    pub name: String,
    /// The line of its `FROM`.
    pub line: usize,
}

/// The header by which a client asks for a [`BuildMark`] with each line, with the value `on`.
pub const STEPS_HEADER: &str = "x-gantry-build-steps";

/// The header that says how many bytes at the beginning of the body are the Dockerfile's text; the
/// context follows, if there is one. Such a Dockerfile is no file of the context: no `COPY` sees it.
pub const DOCKERFILE_HEADER: &str = "x-gantry-dockerfile-bytes";

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
        "outputs",
        "outputs is not supported: it belongs to BuildKit; set DOCKER_BUILDKIT=0",
    ),
    ("credentialspec", "credentialspec is an option of Windows"),
];
