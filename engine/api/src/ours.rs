//! Our additions to the Docker API. Whatever we add lives below one prefix, in one namespace of
//! labels and one of headers, so that no later word of Docker's can collide with it.
//!
//! Inspect of a container has one member more, `Gantry`, with what Docker does not keep:
//!
//! ```json
//! "Gantry": { "LastStop": {
//!   "Cause": "oom",
//!   "Words": "killed by the kernel for want of memory",
//!   "ExitCode": 137, "Signal": "SIGKILL",
//!   "AskedBy": { "Verb": "stop", "Signal": "SIGTERM", "Who": "anna", "Forced": true, "At": "2026-…Z" },
//!   "StartedAt": "2026-…Z", "FinishedAt": "2026-…Z", "RestartCount": 2,
//!   "MemoryPeakBytes": 8388608, "MemoryLimitBytes": 8388608,
//!   "LastLines": [ { "Stream": "stderr", "Time": "2026-…Z", "Text": "out of space" } ],
//!   "LastHealth": { "Start": "2026-…Z", "End": "2026-…Z", "ExitCode": 1, "Output": "refused" },
//!   "Changes": [ { "What": "HostConfig.Memory", "Before": "67108864", "After": "8388608" } ],
//!   "GoodStartAt": "2026-…Z"
//! } }
//! ```
//!
//! `LastStop` is absent until the container has ended once; `AskedBy`, `LastHealth` and the memory
//! figures are absent when there is nothing to tell. A start that succeeds keeps the former stop.
//!
//! `GET /gantry/containers/{id}/files` lists one directory of a container, running or not, as
//! [`crate::containers::Directory`]. Query: `path`; `filter`, a part of the names; `sort`, one of
//! `name`, `size`, `modified` with `-` before it for the other way round; `skip` and `limit`. Docker
//! has only the archive of everything below a directory.
//!
//! `GET /gantry/images/{name}/layers` tells what each layer of an image added, changed and removed, and
//! what of it is wasted, as [`crate::layers::ImageLayers`], where each figure is defined.
//! `GET /gantry/images/{name}/files` lists one directory of an image as it is after a layer, with what
//! that layer did to each name, as [`crate::layers::ImageDirectory`]. Query: `path`; `layer`, counted
//! from 0 at the bottom, the uppermost without it; `changes=1` for only what that layer added, changed
//! or removed; `filter`, `skip` and `limit` as above, in the order of the names. At a path that is no
//! directory it tells that one entry. `GET /gantry/images/{name}/file` is the content of one regular
//! file, by `path` and `layer`. Links in a path are followed inside the image; nothing is mounted.
//!
//! Files of a volume, whether a container runs with it or not, below `/gantry/volumes/{name}`:
//! `GET files` lists a directory as of a container; `POST files` makes one [`crate::volumes::FileChange`];
//! `HEAD`, `GET` and `PUT archive` are Docker's of a container; `GET file` is the content of a regular
//! file by `path`, whose `ETag` `PUT file` takes as `If-Match` (412 when somebody changed it meanwhile;
//! `If-None-Match: *` for a new one); `GET backup` is all of it as `tar.zst`, and `PUT backup` puts such an
//! archive, compressed or not, in the place of everything, or with `path` one file of it, the old files
//! kept until the new ones are whole; `POST clone` copies it into a new volume.
//!
//! `GET /gantry/registries/{name}/repositories` and `GET /gantry/repositories/{name}/tags` list what a
//! registry has, as [`crate::registries::NameList`]; `GET /gantry/repositories/{name}/digest` tells which
//! digest a name has there, as [`crate::registries::RemoteDigest`].
//!
//! `POST /gantry/build/check` reads the Dockerfile in the body and tells what is wrong with it, as
//! [`crate::builds::DockerfileCheck`]; nothing is built. Query: `target`, `buildargs`, `platform`, as of
//! `POST /build`, which itself takes two headers of ours: [`crate::builds::STEPS_HEADER`] and
//! [`crate::builds::DOCKERFILE_HEADER`].

use serde::{Deserialize, Serialize};

use crate::containers::HealthResult;

/// Who is in this group may use the engine's socket, and so is as good as root. Where a machine has
/// no such group, [`GROUP_NUMBER`] stands for it.
pub const GROUP: &str = "gantry";

/// The number of [`GROUP`] where nobody made it: outside what distributions and systemd hand out.
pub const GROUP_NUMBER: u32 = 64_440;

/// Paths of ours begin so.
pub const PATH_PREFIX: &str = "/gantry";

/// Labels of ours begin so; an image or a caller may carry them, and none steers the engine.
pub const LABEL_PREFIX: &str = "io.gantry.";

/// Headers of ours begin so.
pub const HEADER_PREFIX: &str = "x-gantry-";

/// Leaves out what is almost always so.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}

/// The member `Gantry` of an inspected container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GantryFacts {
    /// Why it stopped last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_stop: Option<LastStop>,
}

/// What ended a container, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopCause {
    /// Its program ended by itself, with code 0 or another.
    #[default]
    Exited,
    /// A signal that nobody asked this engine for.
    Signal,
    /// Somebody asked this engine to stop, kill, restart or remove it.
    Asked,
    /// The kernel, for want of memory.
    Oom,
    /// Its program could not be started.
    NotStarted,
    /// Its monitor or its host was gone; nobody knows more.
    Lost,
}

/// Why a container stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LastStop {
    /// In one word.
    pub cause: StopCause,
    /// In a sentence without its full stop, in English.
    pub words: String,
    /// Its exit code, 128 + n when signal n ended it.
    pub exit_code: i32,
    /// The signal that ended it, as `SIGKILL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// Who asked this engine to end it; absent when nobody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<AskedBy>,
    /// When this run began; the zero time when it never did.
    pub started_at: String,
    /// When it ended.
    pub finished_at: String,
    /// How often its restart policy had started it again before.
    pub restart_count: u64,
    /// The most memory it held at once, where the kernel counts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// The most it was allowed to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// The end of its output, at most 30 lines, oldest first.
    pub last_lines: Vec<LastLine>,
    /// What the last health check said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_health: Option<HealthResult>,
    /// What is different from the last run that was good: one that ended with code 0, or lasted
    /// for ten seconds.
    pub changes: Vec<Change>,
    /// When that good run began; absent when there never was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub good_start_at: Option<String>,
}

/// A request that ended a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AskedBy {
    /// `stop`, `kill`, `restart` or `remove`.
    pub verb: String,
    /// The signal that was sent first, as `SIGTERM`.
    pub signal: String,
    /// The account behind it; without one the user of the local socket, as `uid 0`.
    pub who: String,
    /// It did not end in its time and was killed.
    pub forced: bool,
    /// When it was asked.
    pub at: String,
}

/// One line of output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LastLine {
    /// `stdout` or `stderr`.
    pub stream: String,
    /// When it was written.
    pub time: String,
    /// Without its line feed; what is not UTF-8 is replaced, a long line is cut.
    pub text: String,
}

/// One thing that is different.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Change {
    /// Its place in inspect, as `HostConfig.Memory`, or `Engine`, `Kernel`.
    pub what: String,
    /// As it was, in JSON; a text without its quotes.
    pub before: String,
    /// As it is now.
    pub after: String,
}
