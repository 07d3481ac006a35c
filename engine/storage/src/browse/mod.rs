//! An image looked through, layer by layer, without mounting it.
//!
//! ```text
//!   path, layer ── locate ──> a directory ── list ──> a part of its names, each with its mark
//!                         └─> a file      ── open ──> its content
//!   all layers ── totals ──> what each added, changed, removed, and what of it is wasted
//!              └─ squash ──> the upper ones as the archive of one layer
//! ```
//!
//! One name is looked up in every layer, bottom first: it is silent about it, holds a directory, holds
//! something else, or hides what the layers below have. What is seen after a layer, what that layer did
//! and what becomes of it later all follow from that one row of answers.
//!
//! **Invariant:** no link is ever followed by the kernel: a directory is opened below its parent by one
//! name, or below the layer's root with links refused. A link that stands in a path is resolved here,
//! by its text, against the merged names. What is opened to be read is a plain file, looked at first.

mod error;
mod list;
mod locate;
mod squash;
mod stack;
mod totals;
mod walk;
mod waste;

pub use error::BrowseError;
pub use list::{StackListed, StackQuery};
pub use locate::FoundAt;
pub use stack::{Mark, Stack, StackEntry};
pub use totals::{LayerTotals, Totals};
pub use waste::WastedPath;
