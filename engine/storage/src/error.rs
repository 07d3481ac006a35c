//! What can go wrong with layers and snapshots.

use std::fmt;
use std::path::PathBuf;

use engine_sys::SysError;
use engine_tar::TarError;

use crate::diff_id::DiffId;

/// Which layer an [`ApplyError`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// One that was asked for by its digest.
    Named(DiffId),
    /// One that is being made: its digest comes out at the end.
    New,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(diff_id) => write!(f, "layer {diff_id}"),
            Self::New => f.write_str("the new layer"),
        }
    }
}

/// A layer that was not unpacked. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The archive is malformed or too large, or its source failed.
    #[error("failed to unpack {layer}")]
    Archive {
        /// The layer.
        layer: Subject,
        /// Why.
        #[source]
        source: TarError,
    },
    /// An entry would do what no layer may.
    #[error("{layer} refused: entry {entry:?} {reason}")]
    Refused {
        /// The layer.
        layer: Subject,
        /// The entry's name, shortened.
        entry: String,
        /// What it would do.
        reason: &'static str,
    },
    /// The content is not what its digest promised.
    #[error("layer {expected} refused: its content has the digest {found}")]
    WrongDigest {
        /// The digest that was promised.
        expected: DiffId,
        /// The digest of what came.
        found: DiffId,
    },
    /// The disk failed or is full.
    #[error("failed to write {layer}")]
    Write {
        /// The layer.
        layer: Subject,
        /// Why.
        #[source]
        source: SysError,
    },
}

impl ApplyError {
    /// Says whether the disk was full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Write { source, .. } if source.is_full())
    }
}

/// The layer store or a snapshot could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory of the store cannot be used.
    #[error("failed to open the layer store at {path}")]
    Open {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        #[source]
        source: SysError,
    },
    /// A layer that an image needs is not there.
    #[error("layer {diff_id} is missing or damaged; pull the image again")]
    Missing {
        /// The layer.
        diff_id: DiffId,
    },
    /// A layer could not be removed.
    #[error("failed to remove layer {diff_id}")]
    Remove {
        /// The layer.
        diff_id: DiffId,
        /// Why.
        #[source]
        source: SysError,
    },
    /// A container's own directories could not be made, read or removed.
    #[error("failed to {action} the snapshot at {path}")]
    Snapshot {
        /// What was tried.
        action: &'static str,
        /// The container's directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: SysError,
    },
    /// The file system keeps nothing to a size.
    #[error("--storage-opt size needs project quotas: {path} is on {file_system}")]
    NoSizes {
        /// Where containers lie.
        path: PathBuf,
        /// Its kind, and what is missing.
        file_system: String,
    },
    /// A container's directories belong to no project of ours: a copy does not take it along.
    #[error(
        "--storage-opt size cannot be kept: the files in {path} were put there by something else \
         and are not counted; make the container anew"
    )]
    Uncounted {
        /// The container's directory.
        path: PathBuf,
    },
}
