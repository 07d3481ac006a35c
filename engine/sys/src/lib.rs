//! Safe functions for kernel calls: the only crate of Gantry with `unsafe` in it.
//!
//! **Invariant:** nothing here has a policy, invents a path, waits asynchronously or writes a log.
//! A function makes one call (or one short, fixed dance of calls), owns the descriptors it opens
//! and says in a [`SysError`] which call failed on what.
//!
//! Begin with [`path::Root`]: every path below a container's root or inside a layer goes through
//! it. [`file`] replaces files so that a power cut leaves the old or the new content.
#![warn(missing_docs)]
#![expect(
    unsafe_code,
    reason = "kernel calls that no crate wraps live here and nowhere else"
)]

pub mod capability;
pub mod cgroup;
pub mod device_filter;
pub mod dir;
mod error;
pub mod fd;
pub mod file;
pub mod memory;
pub mod mount;
pub mod namespace;
pub mod path;
pub mod pinned;
pub mod pivot;
pub mod poll;
pub mod process;
pub mod pty;
pub mod quota;
mod remove;
pub mod rlimit;
pub mod seccomp;
pub mod signal;
pub mod socket;
pub mod users;
pub mod xattr;

pub use error::{During, Errno, Result, SysError};
