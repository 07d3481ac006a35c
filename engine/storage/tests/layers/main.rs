//! Layers as the world makes them and as an attacker makes them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod archive;
mod browse;
mod browse_random;
mod changes;
mod good;
mod hostile;
mod killed;
mod random;
mod store;
