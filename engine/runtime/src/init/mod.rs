//! What happens between the clone and the program, in the order of reading.
//!
//! 1. `start.rs`: the way of a container's first process; `enter.rs`: the way of an exec.
//! 2. `namespaces.rs`: which, and what is set inside them.
//! 3. `rootfs.rs`, `mounts.rs`, `masks.rs`: the root file system and everything mounted on it.
//! 4. `devices.rs`: `/dev` and the terminal.
//! 5. `remap.rs`: from the host's users to the container's, where those are others; `user.rs`: who
//!    the program runs as, resolved inside the root.
//! 6. `security.rs`: limits, filter, capabilities.
//! 7. `program.rs`: finding and executing the program.
//!
//! Every process here is a fork of the single-threaded monitor. It tells how it fares by
//! [`Report`]s on a packet socket that is closed by the exec itself.
//!
//! **Invariant:** no path of the image is opened but through `engine_sys::path::Root`; no
//! descriptor but 0, 1 and 2 survives the exec.

mod devices;
mod enter;
mod masks;
mod mounts;
mod namespaces;
mod program;
mod remap;
mod report;
mod rootfs;
mod security;
mod start;
mod user;

pub(crate) use enter::{Entry, enter};
pub(crate) use namespaces::{Members, joined, open as open_member, owned_by_users, wanted};
pub(crate) use report::{Failure, Report, Step};
pub(crate) use start::{ChildStdio, Start, Word, start};
