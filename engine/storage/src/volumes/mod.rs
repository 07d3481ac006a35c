//! Volumes of the local driver: directories that outlive the containers that use them.
//!
//! ```text
//!   volumes/NAME/volume.json   what it was asked to be: replaced in one step, synced
//!   volumes/NAME/_data         the files; what a mounted volume is mounted on
//!   volumes/NAME/_copy         an image's content on its way into it
//!   volumes/.new-NAME          one that is being made
//!   volumes/.removing-…        one that is gone; its files are deleted behind it
//! ```
//!
//! No name of a volume begins with a dot, so nothing that is half made or half gone looks like one.
//!
//! **Invariant:** what lies in `_data` is foreign. Nothing here follows a path into it.

mod backing;
mod content;
pub mod files;
mod record;
mod store;

pub use backing::{Backing, MountWish, OptionError};
pub use content::{
    Content, ContentError, copy_content, is_empty, locate_below, pack_compressed, settle,
};
pub use record::{Fill, VolumeRecord};
pub use store::{Retired, StoredVolumes, VolumeError, VolumeStore};
