//! Sample models: what the gallery draws and the tests snapshot. No clock, no randomness.

mod book;
mod builds;
mod containers;
mod files;
mod layers;
mod logs;
mod networks;
mod others;
mod parts;
mod registries;
mod shells;

pub use book::book;
pub use builds::*;
pub use containers::*;
pub use files::*;
pub use layers::*;
pub use logs::*;
pub use networks::*;
pub use others::*;
pub use parts::*;
pub use registries::*;
pub use shells::*;
