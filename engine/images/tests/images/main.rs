//! Images from real registries and tools, and from those that lie.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod archives;
mod fake;
mod killed;
mod pulls;
mod real;
mod trust;
mod world;
