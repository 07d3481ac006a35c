//! A container before it is created: what was typed, what it means, how `docker run` says it.
//!
//! ```text
//!  form ──▶ Typed ──check──▶ Draft ──body──▶ engine_api::CreateBody
//!  pasted line ──▲  │  ▲        └──compare──▶ changes: in place, or by making it anew
//!                   │  └── Stored: what is there already
//!                   └──▶ equivalent `docker run` line
//! ```
//!
//! [`Typed`] keeps every field as the person wrote it, so a form with an error loses nothing;
//! [`Draft`] is what passed every rule. All options are rows of one table, [`rows`]; what a
//! definition holds beyond it stays as it is, since only fields that changed are written.
//!
//! **Invariant:** plain functions of their arguments; nothing here asks an engine.

mod changes;
mod check;
mod flags;
mod line;
mod paste;
mod row;
mod rows;
mod rules;
#[cfg(test)]
mod samples;
mod short;
mod size;
mod span;
mod stored;
mod typed;

pub use changes::{Change, Way, changes, way};
pub use check::{Draft, check, field_of, fields};
pub use line::equivalent;
pub use paste::{PasteError, Pasted, paste};
pub use short::said;
pub use size::{format_size, parse_size};
pub use stored::Stored;
pub use typed::Typed;
