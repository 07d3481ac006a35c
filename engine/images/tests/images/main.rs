//! Images from real registries and tools, and from those that lie.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod along;
mod archives;
mod fake;
mod killed;
mod lists;
mod pulls;
mod pushes;
mod real;
mod sink;
mod trust;
mod world;
