//! The engine's own process, driven through its socket: fast cases of each resource.
//!
//! Needs root and Debian's `busybox-static`. Each test has an engine, directories and a control
//! group of its own, and at its end counts what is left.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod builds;
mod changes;
mod check;
mod commits;
mod confined;
mod copies;
mod copies_hostile;
mod faults;
mod foreign;
mod health;
mod init;
mod layers;
mod lifecycle;
mod listings;
mod networks;
mod options;
mod pausing;
mod random;
mod recovery;
mod refusals;
mod restarts;
mod rig;
mod streams;
mod update;
mod volumes;
mod volumes_files;
mod volumes_killed;
mod volumes_local;
mod why;
