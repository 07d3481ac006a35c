//! What the engine does, one resource a room.
//!
//! A service may call another only in this direction: containers → images and volumes, execs → containers,
//! builds → containers and images, system → all of them; every one may tell `events` a fact, read a prune's filters (`prune`),
//! hand an archive to a client (`chunks`) and look through directories for somebody who may go (`looking`).

pub(crate) mod builds;
pub(crate) mod chunks;
pub(crate) mod containers;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod execs;
pub(crate) mod images;
mod looking;
pub(crate) mod networks;
mod prune;
pub(crate) mod system;
pub(crate) mod time;
pub(crate) mod volumes;
