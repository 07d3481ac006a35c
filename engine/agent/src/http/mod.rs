//! The door: the Docker Engine API on a byte stream. No decisions, no workshops.
//!
//! In reading order: `listen` accepts, `door` looks at path and version and signs every answer,
//! `routes` finds the handler, `extract` reads queries and bodies, `error` turns meaning into a
//! status; then one file a resource.

mod door;
mod error;
mod events;
mod extract;
mod images;
pub mod listen;
mod networks;
mod path;
mod routes;
mod stream;
mod swarm;
mod system;
mod volumes;

pub use door::Door;
