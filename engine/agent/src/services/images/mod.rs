//! Images: the only room that holds both the content store and the unpacked layers.
//!
//! ```text
//!   resolve ─► fetch layer ─► unpack ─┐   (several layers at once; each waits for nobody)
//!              fetch layer ─► unpack ─┼─► add to the list, names and all, by one replacement
//!              …                      ┘
//! ```
//!
//! What is fetched or unpacked and not in the list yet is leased; a pull that fails or is dropped
//! lets its lease go and sweeps, so that nothing of it stays.

mod commit;
mod draft;
mod files;
mod held;
mod layers;
mod load;
mod login;
mod progress;
mod prune;
mod pull;
mod push;
mod remote;
mod remove;
mod service;
mod show;
mod unpack;
mod verify;

pub(crate) use commit::Commit;
pub(crate) use draft::{Draft, HeldLayer, LayerNote};
pub(crate) use files::{FileAt, StackQuery};
pub(crate) use held::LayersHeld;
pub(crate) use load::Import;
pub(crate) use progress::Board;
pub(crate) use pull::Wanted;
pub(crate) use remove::ImageUse;
pub(crate) use service::{ImageForContainer, Images};
