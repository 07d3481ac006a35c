//! The harness of the house: engines and servers of a test's own, the people who use them, images,
//! registries, faults, and the count of what is left behind.
//!
//! **Invariant:** a test shares nothing with another: its directories, sockets and control groups
//! are its own, and what it leaves in the kernel is counted. Begin with `engine.rs`.

pub mod attack;
pub mod count;
pub mod docker;
pub mod engine;
pub mod fault;
pub mod images;
pub mod need;
pub mod people;
pub mod registry;
pub mod server;
pub mod wait;
pub mod wire;

pub use count::Count;
pub use docker::{Outcome, Running};
pub use engine::Engine;
pub use server::Server;
