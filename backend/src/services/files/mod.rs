//! The files of a container: looked through, read, taken away, written.
//!
//! ```text
//! look   path ──> a directory's entries · a text · what else is there
//! take   path ──> the file as itself, or a directory as an archive      (noted)
//! put    directory, name, content ──> in place of what was there        (noted)
//! ```
//!
//! What a container holds is foreign: every name, link and length is its own choice, and may be
//! another one in the next moment. Paths are resolved by the engine alone, below the container's root.

mod changes;
mod look;
mod put;
mod take;
mod text;

pub use changes::{Change, ChangeKind, changes};
pub use look::{FilesQuery, Found, ROWS, ShownFile, look};
pub use put::{Arriving, is_free, make_folder, save, upload};
pub(super) use take::{Source, pieces};
pub use take::{Taken, take};
pub use text::{Content, EDIT_BYTES_MAX, LockedBy, Text, VIEW_BYTES_MAX};
