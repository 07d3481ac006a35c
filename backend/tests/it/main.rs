//! The server in one process: a fresh database, an engine of the test's own, people by role.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should end where it stands"
)]

mod access;
mod accounts;
mod away;
mod bracket;
mod connections;
mod edits;
mod engine;
mod engine_files;
mod engine_layers;
mod engine_networks;
mod engine_registries;
mod files;
mod gates;
mod house;
mod image_files;
mod index;
mod loads;
mod networks;
mod people;
mod proxies;
mod registries;
mod streams;
mod updates;
mod weight;
mod words;
