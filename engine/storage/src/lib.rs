//! Layers to snapshots: where the files of images and containers lie.
//!
//! A layer is unpacked once and shared by every image and container that has it. A snapshot is
//! the part that belongs to one container: the upper and work directory of an overlay whose lower
//! directories are layers. The overlay itself is mounted by the container's init, inside the
//! container's own mount namespace.
//!
//! **Invariant:** nothing here knows registries, images, containers or wire types. Image content
//! is foreign: it decides what lies inside a layer's directory and nothing else.
//!
//! Begin with [`Layers`].

mod diff_id;
mod error;
mod layers;
mod snapshots;
mod usage;

pub use diff_id::{DiffId, MalformedDiffId};
pub use error::{ApplyError, StoreError};
pub use layers::{Layer, Layers, Limits};
pub use snapshots::Snapshot;
pub use usage::{Usage, usage};
