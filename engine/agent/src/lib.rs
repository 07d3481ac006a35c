//! Services that compose the workshops; the Docker Engine API. Binary `gantry-engine`.
//!
//! ```text
//!   socket ── http/door ── http/routes ── http/<resource> ── services/<resource>
//!                                                               │
//!                   containers: one owner task each ── runtime::Control ── monitor
//!                                                               │
//!                                  facts: services/events ──────┘──> journal ──> whoever listens
//! ```
//!
//! **Invariant:** `http` decides nothing and touches no workshop; a container's state is written
//! by its owner task alone; what is on disk is written through `records`.
//!
//! Begin with [`engine::Engine`], the composition root; then `http/routes.rs`, then
//! `services/containers/mod.rs`.

pub mod check;
pub mod clock;
pub mod config;
pub mod engine;
mod faults;
mod guard;
pub mod http;
pub mod ids;
pub mod leave;
pub mod preflight;
mod records;
mod recover;
mod services;
pub mod tasks;
mod users;
