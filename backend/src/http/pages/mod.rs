//! Pages: each handler asks a service and hands what it says to `present`.

mod account;
mod actions;
mod away;
mod builds;
mod bulk;
mod containers;
mod create;
mod doors;
mod edit;
mod files;
pub(super) mod frame;
mod image_files;
mod images;
mod jobs;
mod logs;
mod looks;
mod networks;
mod overview;
mod prune;
mod records;
mod registries;
mod routes;
mod search;
mod uploads;

pub use routes::table;
