//! Registries: how images come from other machines, and go to them.
//!
//! A pull is two steps, so that its caller can unpack each layer while it is on its way:
//! [`Registry::resolve`] finds the image and fetches its documents, [`Registry::fetch_layer`]
//! brings one layer past a [`Reader`]. [`Registry::push`] is the other direction. What is
//! asked without bringing anything is in [`Registry::about`], [`Registry::digest_of`], [`Registry::some_tags`],
//! [`Registry::repositories`] and [`Registry::search`]. All are cancelled by dropping them.
//!
//! **Invariant:** credentials go to the registry that they are for and to the token server that it
//! names, over TLS or to a host that is named as insecure; on a redirect to anywhere else they are
//! left out. Content is written nowhere but into the blob store, and kept only under its digest.

mod about;
mod answer;
mod arriving;
mod auth;
mod client;
mod endpoint;
mod error;
mod fetch;
mod listing;
mod login;
mod pull;
mod push;
mod retry;
mod search;
mod tags;
mod trust;
mod upload;

pub(crate) use client::tls;

pub use about::About;
pub use arriving::Reader;
pub use auth::{Credentials, Secret};
pub use endpoint::{MalformedMirror, Mirror, RegistryConfig};
pub use error::RegistryError;
pub use fetch::{Follow, LayerProgress};
pub use listing::Listing;
pub use pull::{Registry, Resolved};
pub use push::{PushProgress, Pushed};
pub use search::Found;
