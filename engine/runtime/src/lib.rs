//! From a bundle to a supervised process and back.
//!
//! The agent writes a [`Spec`] into a [`Bundle`] and asks the [`Launcher`] for a monitor. The
//! monitor (`monitor/`, a small program of its own) makes the namespaces, runs `init/` inside them,
//! keeps the output, and writes the [`ExitRecord`]; it lives as long as the container and does not
//! care whether the agent lives. The agent speaks with it through a [`Control`].
//!
//! ```text
//!   agent ── Launcher::launch ──> gantry-monitor ── clone3 ──> init ── execve ──> the container
//!     ^                             │    ^  ^                                       │
//!     └── Event ── Control ─────────┘    │  └──────── stdout, stderr, pty ──────────┘
//!         Request ───────────────────────┘
//! ```
//!
//! **Invariant:** no images, no networks, no wire types of the Docker API, no async runtime.
//! Begin with `spec.rs`, `protocol.rs` and `launch.rs`; then `monitor/mod.rs` and `init/mod.rs`.

mod bundle;
pub mod cgroups;
mod clock;
pub mod devices;
mod error;
mod exit;
mod init;
mod launch;
pub mod layout;
pub mod log;
pub mod monitor;
mod network;
mod own;
mod phase;
pub mod pressure;
pub mod processes;
pub mod profile;
mod protocol;
pub mod reaper;
pub mod seccomp;
mod source;
mod spec;
pub mod usage;
pub mod users;
mod wire;

pub use bundle::{Bundle, Held};
pub use error::{Error, Result, chain};
pub use exit::ExitRecord;
pub use launch::{Control, Launcher};
pub use network::network_of;
pub use own::{oom_score_adj, rlimit_most, spreads};
pub use phase::{Fact, Phase, Refused};
pub use profile::{default_capabilities, default_masked_paths, default_readonly_paths, may_cover};
pub use protocol::{
    AttachStreams, Event, ExecState, MonitorState, PROTOCOL_VERSION, Request, Target, TerminalSize,
};
pub use seccomp::check_profile;
pub use source::Source;
pub use spec::{
    BindHow, BlockFlow, BlockLimit, BlockWeight, DeviceNode, Devices, Identity, LogOptions, Member,
    Mount, MountKind, Namespace, Network, Process, Propagation, Remap, Resources, Rlimit, Root,
    SPEC_VERSION, Seccomp, Sharing, Spec, TmpfsHow,
};
