//! Containers: one owner task each, which alone writes its state; everybody else asks it or
//! watches.
//!
//! ```text
//!   handler ── registry: name → handle ──┬── inbox (bounded) ──> owner ── Control ──> monitor
//!                                        └── view (watch) <────────┘ └──> events
//! ```
//!
//! Begin with `registry.rs`, then `owner.rs`; what a container is made of is `create.rs` (the
//! wish) and `spec.rs` (the work order).

mod announce;
mod apart;
mod attach;
mod building;
mod capabilities;
mod command;
mod commit;
mod conversation;
mod copy_up;
mod create;
mod devices;
mod ending;
mod etc;
mod files;
mod health;
mod inspect;
mod limits;
mod list;
mod listing;
mod logs;
mod mounts;
mod networking;
mod owner;
mod pausing;
mod probing;
mod process;
mod prune;
mod registry;
mod remove;
mod resources;
mod restarts;
mod running;
mod security;
mod sharing;
mod signal;
mod spec;
mod start;
mod starting;
mod stats;
mod steps;
mod stop;
mod storage;
mod sysctls;
mod top;
mod update;
mod users;
mod view;
mod volumes;
mod wait;
mod watching;
mod why;

pub(crate) use attach::{Streams, pair};
pub(crate) use command::{Beginning, ExecOutcome, ExecStart};
pub(crate) use commit::CommitRequest;
// What the door reads of a query is handed on as it is.
pub(crate) use engine_storage::{ListOrder, ListQuery};
pub(crate) use files::Extraction;
pub(crate) use inspect::DRIVER;
pub(crate) use list::ListOptions;
pub(crate) use logs::{LogChunks, LogQuery};
pub(crate) use networking::namespace;
pub(crate) use pausing::is_paused;
pub(crate) use probing::read as read_health;
pub(crate) use process::{check_process, exec_process, size};
pub(crate) use registry::{Containers, Handle, Powers, Site, SiteParts};
pub(crate) use running::{
    Lost, after_monitor, end_cgroup, forget, is_remembered, noted, read_exit,
};
pub(crate) use spec::init_program;
pub(crate) use stop::Stop;
pub(crate) use storage::{keeps_sizes, open_store};
pub(crate) use watching::PERIOD;
// The door reads sizes and hands them on; it has no other business with the runtime.
pub(crate) use engine_runtime::TerminalSize;
