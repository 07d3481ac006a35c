//! The words one may say to an engine: operations, wire types, frames.
//!
//! Both sides read this crate and nothing else about each other: the agent answers in these types,
//! the client reads them, so the two cannot drift apart. Names on the wire are Docker's own.
//!
//! **Invariant:** no I/O, no async, no policy. Everything here is a plain function of its
//! arguments; what a word may do, and for whom, is decided elsewhere.
//!
//! Begin with [`operation`], the list of everything one may ask; then [`body`], how a request body
//! becomes a typed object, and [`containers`], the largest vocabulary.
#![warn(missing_docs)]

pub mod body;
pub mod builds;
pub mod caller;
pub mod containers;
pub mod error;
pub mod events;
pub mod execs;
pub mod filter;
pub mod frame;
pub mod id;
pub mod images;
pub mod layers;
pub mod networks;
pub mod operation;
pub mod options;
pub mod ours;
pub mod query;
pub mod registries;
pub mod stats;
pub mod system;
pub mod table;
pub mod usage;
pub mod version;
pub mod volumes;
