//! What a container is made of: our checked subset of the OCI runtime specification.
//!
//! The agent writes it once, as `spec.json` in the bundle; the monitor reads it and obeys. Whatever
//! an image says (user, working directory, environment) is text here and is judged by `init/`,
//! inside the container's own root.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The version of [`Spec`] that this crate writes and reads.
pub const SPEC_VERSION: u32 = 1;

/// One container, complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// [`SPEC_VERSION`] of the writer.
    pub version: u32,
    /// The container's id, 64 hexadecimal digits.
    pub id: String,
    pub root: Root,
    pub process: Process,
    pub hostname: String,
    pub domainname: String,
    pub network: Network,
    /// Mounts beside the standard ones, in order: `/etc/hosts`, volumes, extra tmpfs.
    pub mounts: Vec<Mount>,
    /// The size of `/dev/shm`.
    pub shm_bytes: u64,
    pub resources: Resources,
    /// The control group's path below each hierarchy, such as `gantry/<id>`.
    pub cgroup: String,
    /// The bounding set by name (`CAP_CHOWN`); also permitted and effective when the user is root.
    pub capabilities: Vec<String>,
    pub seccomp: Seccomp,
    pub masked_paths: Vec<String>,
    pub readonly_paths: Vec<String>,
    pub log: LogOptions,
    /// `oom_score_adj` of the container's processes, if it is not the engine's own.
    pub oom_score_adj: Option<i32>,
}

/// Where the root file system comes from: an overlay that `init` mounts in its own namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// The image's layers, top first.
    pub lower: Vec<PathBuf>,
    pub upper: PathBuf,
    pub work: PathBuf,
    pub readonly: bool,
}

/// A process to run: the container's first one or an exec.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The program and its arguments; never empty.
    pub args: Vec<String>,
    /// `KEY=value`, in order; `HOME` is added from the user's entry when it is missing.
    pub env: Vec<String>,
    /// An absolute path inside the root.
    pub cwd: String,
    /// Docker's words: empty, `user`, `uid`, `user:group`, `uid:gid`.
    pub user: String,
    /// Names or numbers of further groups.
    pub additional_groups: Vec<String>,
    pub terminal: bool,
    /// Keep standard input open for clients; otherwise it is `/dev/null`.
    pub open_stdin: bool,
    /// Close standard input when the first client that brings it ends its side.
    pub stdin_once: bool,
    pub no_new_privileges: bool,
    /// An exec without any has the container's.
    pub rlimits: Vec<Rlimit>,
    /// The terminal's first size.
    pub size: Option<crate::TerminalSize>,
    /// An exec's capabilities when they are not the container's.
    pub capabilities: Option<Vec<String>>,
}

/// One resource limit, by Docker's name (`nofile`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rlimit {
    pub name: String,
    pub soft: u64,
    pub hard: u64,
}

/// Which network the container sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// A namespace of its own with nothing but loopback.
    None,
    /// The host's.
    Host,
}

/// One mount beside the standard ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    pub kind: MountKind,
    /// An absolute path inside the root.
    pub target: String,
    pub readonly: bool,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MountKind {
    /// A file or directory of the host, private propagation.
    Bind { source: PathBuf },
    /// A fresh tmpfs; a size of zero means the kernel's default.
    Tmpfs { bytes: u64, mode: u32 },
}

/// Limits for the control group; `None` leaves the kernel's default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    pub memory_bytes: Option<u64>,
    /// Memory and swap together, as Docker counts; -1 is without limit.
    pub memory_swap_bytes: Option<i64>,
    pub memory_reservation_bytes: Option<u64>,
    pub cpu_quota_us: Option<i64>,
    pub cpu_period_us: Option<u64>,
    pub cpu_shares: Option<u64>,
    pub cpuset_cpus: Option<String>,
    pub cpuset_mems: Option<String>,
    /// The most processes; `None` is without limit.
    pub pids_limit: Option<u64>,
}

/// Which system call filter is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seccomp {
    Default,
    Unconfined,
}

/// How much output is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogOptions {
    /// The size at which a file is rotated.
    pub max_bytes: u64,
    /// The number of files kept, the current one included; with none, no output is kept.
    pub max_files: u32,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            max_bytes: 10 << 20,
            max_files: 3,
        }
    }
}
