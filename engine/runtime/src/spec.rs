//! What a container is made of: our checked subset of the OCI runtime specification.
//!
//! The agent writes it once, as `spec.json` in the bundle; the monitor reads it and obeys. Whatever
//! an image says (user, working directory, environment) is text here and is judged by `init/`,
//! inside the container's own root.

use std::path::PathBuf;

use engine_sys::users::IdMap;
use serde::{Deserialize, Serialize};

use crate::cgroups::{DeviceKind, DeviceRule};
use crate::layout::Layout;

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
    /// The machine's hierarchies as the agent knows them. Specs of older engines have none.
    #[serde(default)]
    pub layout: Option<Layout>,
    /// The bounding set by name (`CAP_CHOWN`); also permitted and effective when the user is root.
    pub capabilities: Vec<String>,
    pub seccomp: Seccomp,
    pub masked_paths: Vec<String>,
    pub readonly_paths: Vec<String>,
    pub log: LogOptions,
    /// `oom_score_adj` of the container's processes, if it is not the engine's own.
    pub oom_score_adj: Option<i32>,
    /// The filter's rules in Docker's JSON, for [`Seccomp::Given`].
    #[serde(default)]
    pub seccomp_profile: Option<String>,
    /// Its files are counted where they are: a filter, be it the only one, refuses what would change
    /// that.
    #[serde(default)]
    pub counted: bool,
    /// The AppArmor profile that the program begins with; the kernel must know it.
    #[serde(default)]
    pub apparmor: Option<String>,
    #[serde(default)]
    pub sharing: Sharing,
    #[serde(default)]
    pub devices: Devices,
    /// Kernel settings of its own namespaces: paths below `/proc/sys` and values.
    #[serde(default)]
    pub sysctls: Vec<(String, String)>,
    /// Its view of its control groups can be written.
    #[serde(default)]
    pub writable_cgroups: bool,
    /// `/sys` can be written, as far as its capabilities reach.
    #[serde(default)]
    pub writable_sysfs: bool,
    /// Its users are others on the host; without it, they are the host's own.
    #[serde(default)]
    pub remap: Option<Remap>,
}

/// Who a container's users are on the host: `count` numbers from 0 on are those from `first` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Remap {
    pub first: u32,
    pub count: u32,
}

impl From<Remap> for IdMap {
    fn from(remap: Remap) -> Self {
        Self {
            first: remap.first,
            count: remap.count,
        }
    }
}

/// Whose namespaces a container lives in; the network's is [`Network`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sharing {
    pub pid: Namespace,
    /// A size of zero in [`Spec::shm_bytes`] leaves out `/dev/shm`, whoever's this is.
    pub ipc: Namespace,
    pub uts: Namespace,
    /// What its control groups look like; [`Namespace::Of`] has no meaning here.
    pub cgroup: Namespace,
}

/// Whose namespace of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Namespace {
    /// A fresh one.
    #[default]
    Own,
    Host,
    /// The one of another container that runs.
    Of(Member),
}

/// The first process of another container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub pid: i32,
    /// Its container's group; proves that the number still is the process that is meant.
    pub cgroup: String,
}

/// The devices of a container beside those that every container has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Devices {
    /// Nodes that are made before it begins.
    pub nodes: Vec<DeviceNode>,
    /// What may be opened.
    pub rules: Vec<DeviceRule>,
}

/// A device node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceNode {
    /// An absolute path inside the root.
    pub path: String,
    pub kind: DeviceKind,
    pub major: u32,
    pub minor: u32,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// A namespace of its own with nothing but loopback; whoever starts it may add to that.
    None,
    /// The host's.
    Host,
    /// The one of another container that runs.
    Of(Member),
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
    /// A file or directory of the host.
    Bind {
        source: PathBuf,
        /// What the source was when it was judged; anything else is not mounted.
        #[serde(default)]
        judged: Option<Identity>,
        #[serde(default)]
        how: BindHow,
    },
    /// A fresh tmpfs; a size of zero means the kernel's default.
    Tmpfs {
        bytes: u64,
        mode: u32,
        #[serde(default)]
        how: TmpfsHow,
    },
}

/// What a file of the host is known by, as long as somebody holds it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub file_system: u64,
    pub inode: u64,
}

/// How a file or directory of the host is mounted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BindHow {
    pub propagation: Propagation,
    /// What is mounted below it follows the propagation too.
    pub recursive_propagation: bool,
    /// What is mounted below it stays outside.
    pub alone: bool,
    /// Read-only is meant of the mount itself, not of what is mounted below it.
    pub shallow_readonly: bool,
}

/// Where mounts made on either side of a bind are seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Propagation {
    /// On the side that made them.
    #[default]
    Private,
    /// The host's inside too.
    Slave,
    /// On both sides.
    Shared,
}

/// How a tmpfs is mounted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TmpfsHow {
    /// It takes the mode of the directory that it covers, if there is one.
    pub inherit_mode: bool,
    /// Further parameters of the file system, such as `uid`.
    pub parameters: Vec<(String, String)>,
    /// Programs on it may be executed.
    pub executable: bool,
    /// Programs on it may change the user.
    pub set_user: bool,
    /// Device nodes on it work.
    pub devices: bool,
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
    /// How readily memory is swapped, 0 to 100; version 1 only.
    pub swappiness: Option<u64>,
    /// Processes wait for memory instead of being killed; version 1 only.
    pub oom_kill_disable: bool,
    /// Real-time microseconds of each period; version 1 only.
    pub realtime_runtime_us: Option<i64>,
    pub realtime_period_us: Option<u64>,
    /// The share of block devices' time, 10 to 1,000.
    pub block_weight: Option<u16>,
    pub block_weights: Vec<BlockWeight>,
    pub block_limits: Vec<BlockLimit>,
}

/// A share of one block device's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockWeight {
    pub major: u32,
    pub minor: u32,
    pub weight: u16,
}

/// A limit on one block device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockLimit {
    pub major: u32,
    pub minor: u32,
    pub what: BlockFlow,
    /// Each second.
    pub rate: u64,
}

/// What is limited on a block device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockFlow {
    ReadBytes,
    WriteBytes,
    ReadOperations,
    WriteOperations,
}

/// Which system call filter is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seccomp {
    Default,
    Unconfined,
    /// The one of [`Spec::seccomp_profile`].
    Given,
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
