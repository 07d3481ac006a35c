//! Names, digests, registries, the content store: everything about an image but its files.
//!
//! ```text
//!  registry ──pull──┐
//!  archive ───load──┤                    ┌─ names.json   which images there are, what they are called
//!  tarball ──import─┼─► Prepared ─add──► Store
//!  program ───hello─┘    (leased)        └─ blobs/sha256/…  manifests, configurations, layers
//! ```
//!
//! Content first goes into the blob store under a lease; only when all of it is there and durable
//! is the image added to the list by one atomic replacement. A crash in between leaves blobs that
//! nothing names, which the next start sweeps.
//!
//! **Invariant:** nothing here unpacks or mounts a layer, or knows containers or wire types. What
//! comes from a registry or an archive is foreign: digests are compared while reading, lengths are
//! limited, links in archives are looked up in the archive alone.
//!
//! Begin with [`Store`] and [`Registry`].

mod archive;
mod assemble;
mod blobs;
mod changes;
mod commit;
mod compose;
mod compress;
mod document;
mod download;
mod error;
mod healthcheck;
mod hello;
mod import;
mod manifest;
mod names;
mod platform;
mod reference;
mod registry;
mod store;
mod sweep;
mod tasks;

pub use archive::{Loaded, load, save};
pub use blobs::{BlobWriter, Blobs};
pub use changes::{MalformedChange, apply_changes};
pub use commit::{CommitOptions, commit};
pub use compose::{NewLayer, compose, id_of, keep_layer};
pub use compress::compress;
pub use document::DocumentError;
pub use download::{Download, DownloadError, Downloads, Judged, Pin};
pub use engine_tar::{Digest, Hasher, MalformedDigest};
pub use error::{FindError, LoadError, StoreError};
pub use hello::hello;
pub use import::{ImportOptions, import};
pub use manifest::{Descriptor, Empty, History, ImageConfig, Manifest, RootFs, RunConfig};
pub use platform::{MalformedPlatform, Platform};
pub use reference::{DEFAULT_REGISTRY, DEFAULT_TAG, MalformedReference, Reference};
pub use registry::{
    About, Credentials, Follow, Found, LayerProgress, Listing, MalformedMirror, Mirror,
    PushProgress, Pushed, Reader, Registry, RegistryConfig, RegistryError, Resolved, Secret,
};
pub use store::{Image, Layer, Names, Prepared, Removed, Store};
pub use sweep::Lease;
