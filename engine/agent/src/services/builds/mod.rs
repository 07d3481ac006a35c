//! Builds: from a Dockerfile and the files beside it to an image.
//!
//! ```text
//!   body ─► context/ ─► Dockerfile ─► Plan ─► stages, two at a time ─► list the image, names and all
//!                                               │
//!             step ─► its key ─► in the cache? ─┴─ yes: its layer is taken
//!                                               └─ no:  RUN: a container, then its changes
//!                                                       COPY: an overlay in a thread, its changes
//! ```
//!
//! A [`Draft`](super::images::Draft) is the image so far: its layers are held, and nothing lists it.
//! The context, what was fetched and the containers of steps belong to one directory, which goes
//! with the build; what a cut build leaves is named there, and the next engine removes it.
//!
//! **Invariant:** nothing of a context, a Dockerfile or an image is executed outside of a container;
//! a path of theirs is looked up below its own root only.

mod bases;
mod cache;
mod check;
mod config;
mod context;
mod ending;
mod executor;
mod fetch;
mod git;
mod mounts;
mod output;
mod request;
mod run;
mod service;
mod stage;
mod told;
mod transfer;
mod view;

pub(crate) use request::BuildRequest;
pub(crate) use service::{Builds, KeptBuilds};
