//! Images in an archive: what `docker save`, `skopeo` and `umoci` write.
//!
//! An archive is read once, from front to back, each file straight into the blob store's
//! temporary directory; only what a manifest needs is kept. A link in it is a name for another
//! file of the same archive and never a path of the host.

mod load;
mod parts;
mod save;

pub use load::{Loaded, load};
pub(crate) use parts::BOUNDS;
pub use save::save;
