//! The door: the Docker Engine API on a byte stream. No decisions, no workshops.
//!
//! In reading order: `listen` accepts, `door` looks at path and version and signs every answer,
//! `routes` finds the handler, `extract` reads queries and bodies, `error` turns meaning into a
//! status; then one file a resource.

mod archive;
mod asker;
mod attach;
mod build;
mod commit;
mod containers;
mod credentials;
mod detach;
mod door;
mod error;
mod events;
mod execs;
mod extract;
mod hangup;
mod hijack;
mod images;
mod layers;
pub mod listen;
mod logs;
mod networks;
mod output;
mod path;
mod registries;
mod routes;
mod stats;
mod stream;
mod swarm;
mod system;
mod usage;
mod volume_files;
mod volumes;
mod wait;

pub use door::Door;
