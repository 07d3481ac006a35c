//! Volumes: who has them, what is mounted for whom, and when they may go.
//!
//! ```text
//!   a create ── hold ──> has it ── begin ──> mounted for it ── end ──> has it ── let go ──> nobody's
//! ```
//!
//! Who has a volume is kept in memory and comes from the containers' records; what a volume is lies on
//! the disk. A volume goes only when nobody has it, asked under the lock that others take it by.

mod backups;
mod files;
mod fill;
mod list;
mod service;
mod sources;
mod using;

// What the door reads of a header is handed on as it is.
pub(crate) use engine_storage::volume_files::Expected;
pub(crate) use files::Extraction;
pub(crate) use fill::Moment;
pub(crate) use service::{Volumes, Wish};
pub(crate) use using::Held;
