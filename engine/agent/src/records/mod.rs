//! The truth on disk: one JSON file per object, replaced atomically. The only room, besides the
//! checks at start, that touches files of the engine's own.

mod builds;
mod containers;
mod life;
mod networks;
mod program;
mod skeleton;

pub(crate) use builds::{BuildDir, BuildStore, write_file};
pub(crate) use containers::{ContainerRecord, ContainerStore, NewRecord, StepBind, VolumeUse};
pub(crate) use life::{GoodRun, LifeRecord};
pub(crate) use networks::{Joined, Membership, NetworkRecord, NetworkStore, Place, Subnet};
pub(crate) use program::keep_program;
pub(crate) use skeleton::{ETC, make_skeleton};
