//! Networks in the kernel: each test is a host of its own, a network namespace that goes with it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod golden;
mod reach;
mod world;
