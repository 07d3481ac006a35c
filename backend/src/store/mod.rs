//! The archive: SQL and nothing else.
//!
//! One SQLite file in WAL mode with `synchronous = full`, so that what was acknowledged survives a
//! power cut. One connection writes, a few read; a write is `begin immediate`, so two never meet in
//! the middle and nobody sees `database is locked`.
//!
//! **Invariant:** query strings live here and nowhere else, and a [`Write`] ends with an audit
//! entry, or with a reason why it needs none.
//!
//! **Why queries are checked when tests run and not when the crate is compiled:** the checking
//! macros need a prepared database or a directory of recorded queries beside the source, which the
//! first fresh clone would have to make before it can build. Each query is run at least once on a
//! fresh database by the tests beside it instead.

pub mod accounts;
pub mod audit;
mod chain;
mod database;
pub mod edits;
mod error;
pub mod login_failures;
pub mod registries;
mod seal;
mod session_layer;
pub mod sessions;
pub mod settings;
pub mod tag_checks;
mod tx;

pub use database::Store;
pub use error::StoreError;
pub use seal::{Seal, SealError};
pub use tx::{Read, Reads, Write};
