//! Unpacked layers, one directory each, shared by all who have them.
//!
//! ```text
//! layers/                         0700: nobody on the host opens a device or set-id file in it
//!   <64 hex digits>/diff/         the overlay's lower directory
//!   <64 hex digits>/layer.json    size and count, written last
//!   tmp/<n>/                      being unpacked or removed; swept at start
//! ```
//!
//! A layer is unpacked into `tmp`, its digest compared, the file system synced, and only then
//! renamed into place: a power cut leaves it whole or absent, never half.
//!
//! Why by diff id and not by chain id: our whiteouts are the overlay's own (a device 0:0, an
//! attribute), which mean the same above any parent. So a layer needs no parent to be unpacked:
//! layers of an image unpack in parallel, in any order, and one directory serves every chain.

mod apply;
mod attributes;
mod members;
mod name;
mod store;
mod whiteout;

pub use apply::Limits;
pub(crate) use apply::{CopyError, copy};
pub(crate) use attributes::{
    is_kept as is_attribute_kept, set_attributes, set_file_attributes, timestamps,
};
pub(crate) use name::clean_plain;
pub use store::{Layer, Layers, Unpacked};
pub(crate) use whiteout::{is_opaque, is_whiteout};
