//! Layers to snapshots: where the files of images and containers lie.
//!
//! A layer is unpacked once and shared by every image and container that has it. A snapshot is
//! the part that belongs to one container: the upper and work directory of an overlay whose lower
//! directories are layers. The overlay itself is mounted by the container's init, inside the
//! container's own mount namespace. A volume is a directory that outlives the containers that use it.
//!
//! **Invariant:** nothing here knows registries, images, containers or wire types. Image content
//! is foreign: it decides what lies inside a layer's directory and nothing else.
//!
//! Begin with [`Layers`].

mod browse;
mod changes;
mod diff_id;
mod error;
mod layer_writer;
mod layers;
mod merged;
mod size;
mod snapshots;
mod tree;
mod usage;
mod volumes;

pub use browse::{
    BrowseError, FoundAt, LayerTotals, Mark, Stack, StackEntry, StackListed, StackQuery, Totals,
    WastedPath,
};
pub use changes::{Change, ChangeKind, LayerError, LayerOptions};
pub use diff_id::DiffId;
/// The root of a tree of files: the only way to a path below it.
pub use engine_sys::path::Root as TreeRoot;
pub use engine_sys::users::IdMap;
pub use error::{ApplyError, StoreError, Subject};
pub use layers::{Layer, Layers, Limits, Unpacked};
pub use merged::{Access, Bind, Judge, Merged};
pub use size::{check as check_size_support, give_back as give_back_size};
pub use snapshots::Snapshot;
pub use tree::{
    AskedPath, Found, FoundKind, GatherOptions, LeavesOut, ListOrder, ListQuery, Listed,
    ListedEntry, LocateError, ModeOf, Owner, OwnerNames, PackError, PlaceBounds, PlaceError,
    PlaceOptions, Taken, carry, digest_of, find, gather, is_archive, kind_at, leave_out, list,
    make_directories, open_root_of, owner_of, pack, pack_contents, place, remove_links,
};
pub use usage::{Usage, usage};
pub use volumes::{
    Backing, Content, ContentError, Fill, MountWish, OptionError, Retired, StoredVolumes,
    VolumeError, VolumeRecord, VolumeStore, copy_content, files as volume_files,
    is_empty as is_empty_directory, locate_below, pack_compressed, settle as settle_content,
};
