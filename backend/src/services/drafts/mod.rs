//! A container before it is created: what was typed, what it means, how `docker run` says it.
//!
//! ```text
//!  form ──▶ Typed ──check──▶ Draft ──body──▶ engine_api::CreateBody
//!  pasted line ──▲   └──────▶ equivalent `docker run` line
//! ```
//!
//! [`Typed`] keeps every field as the person wrote it, so a form with an error loses nothing;
//! [`Draft`] is what passed every rule.
//!
//! **Invariant:** plain functions of their arguments; nothing here asks an engine.

mod body;
mod check;
mod flags;
mod line;
mod paste;
mod size;
mod typed;

pub use check::{Draft, check};
pub use line::equivalent;
pub use paste::{PasteError, Pasted, paste};
pub use size::{format_size, parse_size};
pub use typed::Typed;
