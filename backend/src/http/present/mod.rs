//! From the domain and the index to view models: ready words, ready numbers, ready reasons.
//!
//! **Invariant:** plain functions of their arguments. Nothing here asks the engine or the database,
//! and nothing decides what may be done: it shows what `policy` says.

pub mod accounts;
pub mod builds;
pub mod changes;
pub mod containers;
pub mod details;
pub mod drafts;
pub mod edits;
pub mod exits;
pub mod fields;
pub mod files;
pub mod fragments;
pub mod image_files;
pub mod images;
pub mod jobs;
pub mod layers;
pub mod lists;
pub mod loads;
pub mod logs;
pub mod network_forms;
mod network_recipes;
pub mod networks;
pub mod outcomes;
pub mod overview;
pub mod picture;
pub mod ports;
pub mod problems;
pub mod prune;
mod reader;
pub mod recipes;
pub mod records;
pub mod registries;
pub mod stops;
mod told;
mod updates;

pub use reader::Reader;
pub use told::told;
