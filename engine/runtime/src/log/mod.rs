//! What a container printed, on disk: one directory of numbered files.
//!
//! ```text
//!   log/00000007   oldest kept     file   = record …
//!   log/00000008                   record = header 16 · payload ≤ 64 KiB · its length again 4
//!   log/00000009   being written   header = magic 2 · kind 1 · zero 1 · length 4 · time in ns 8
//! ```
//!
//! The [`Writer`] puts each chunk, as it was read from the container, behind one header and never
//! looks into it: that is why writing is as fast as the page cache. Lines are found when somebody
//! reads. Rotation starts the next number and removes the oldest file, so nothing is ever renamed
//! under a [`Reader`], which holds the file it reads and goes on to the next number. To follow,
//! watch the directory with inotify (`IN_MODIFY | IN_CREATE`) and call [`Reader::next`] again.
//!
//! Numbers are little endian. The length at the end lets a reader walk backwards for the last lines
//! and tells a record that a crash or a full disk has cut: it is skipped, and cut off when the log
//! is opened for writing again. When the disk is full the oldest files make room; what still does not
//! fit is counted and said in a record of its own kind, together with the next output that fits.
//!
//! **Invariant:** a reader never makes the writer wait; no time is read here.

mod error;
mod files;
mod lines;
mod query;
mod reader;
mod record;
mod tail;
#[cfg(test)]
mod tests;
mod writer;

pub use error::LogError;
pub use query::{Entry, Line, Position, Query};
pub use reader::Reader;
pub use record::{MAX_CHUNK, Stream};
pub use writer::Writer;
