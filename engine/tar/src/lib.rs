//! Reads tar archives and their compressions, strictly and within limits, writes them, and names
//! them by the digest of their bytes.
//!
//! An archive that two readers could understand differently is refused here: that difference is
//! how entries are smuggled past a check. What is left are plain [`Member`]s with a stream of
//! content each.
//!
//! **Invariant:** nothing here touches a file system, keeps a member's content in memory or trusts
//! a length that the archive claims.
//!
//! Why not the `tar` crate's reader: it reads extension headers of any length into memory, merges
//! them without saying so, and takes numbers more generously than other readers do. Five
//! advisories in 2025 and 2026 came from such differences. Where a tree of files is written, so does
//! [`Writer`]: what it writes is what the reader takes.

mod compression;
mod digest;
mod error;
mod header;
mod pax;
mod reader;
mod writer;

pub use compression::{Bounds, Compression, Decompressed};
pub use digest::{Digest, Hasher, MalformedDigest};
pub use error::TarError;
pub use reader::{Archive, Kind, Member, Time, Xattr};
pub use writer::Writer;
