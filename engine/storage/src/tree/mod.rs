//! Trees of files in and out of archives: what `docker cp` and `docker export` do.
//!
//! ```text
//!   path ── locate ──> Found ── pack ──> archive          (out)
//!   archive ── place ──> a directory below a root         (in)
//!   paths ── gather ──> archive, under other names     (what a build copies)
//!   path ── list ──> the names of one directory           (to look at)
//! ```
//!
//! A tree may belong to a container that runs and changes it meanwhile, out of spite.
//!
//! **Invariant:** a path of the container is resolved by [`engine_sys::path::Root`] alone; what is
//! read is an inode that was looked at before it was opened, and always a plain file; what is
//! written goes to a new name in an open directory and follows no link.

mod gather;
mod list;
mod locate;
mod member;
mod owner;
mod pack;
mod place;
mod ways;

pub use gather::{GatherOptions, LeavesOut, ModeOf, Taken, carry, digest_of, gather, is_archive};
pub use list::{ListOrder, ListQuery, Listed, ListedEntry, list};
pub use locate::{AskedPath, Found, FoundKind, LocateError, open_root_of};
pub(crate) use member::{Seen, describe};
pub(crate) use owner::FILE_BYTES_MAX as OWNERS_BYTES_MAX;
pub use owner::{Owner, OwnerNames, owner_of};
pub use pack::{PackError, pack, pack_contents};
pub use place::{PlaceBounds, PlaceError, PlaceOptions, place};
pub use ways::{find, kind_at, leave_out, make_directories, remove_links};
