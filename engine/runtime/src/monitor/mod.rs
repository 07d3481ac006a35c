//! One small single-threaded process per container, which outlives every engine.
//!
//! It makes the container, keeps what it prints, answers whichever engine connects and writes down
//! how it ended. `boot.rs` is its beginning, `watch.rs` its loop, `exit.rs` its end; `engine.rs`
//! is the conversation, `task.rs` one process inside (the container's first or an exec's),
//! `streams.rs`, `input.rs` and `client.rs` what flows between it and the world, `exec.rs` and `reap.rs` how
//! further processes come and go.
//!
//! ```text
//!                    engine.rs <── requests, events ──> engine
//!                        │
//!   children ── reap.rs ─┤ watch.rs: one poll loop  
//!                        │
//!        task.rs: streams.rs ── stdout, stderr, pty ──> log, client.rs ──> attached sockets
//! ```
//!
//! **Invariant:** it never waits for an engine or a viewer, except that a viewer who does not read
//! makes the container's writes wait while the container lives, as in Docker. When idle it holds no
//! buffer.

mod boot;
mod client;
mod engine;
mod exec;
mod exit;
mod input;
mod reap;
mod requests;
mod streams;
mod task;
mod watch;

pub use boot::run;
