//! What can go wrong with the store and with archives; registries have their own.

use engine_sys::SysError;
use engine_tar::{Digest, TarError};

use crate::changes::MalformedChange;
use crate::document::DocumentError;

/// The content store could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk failed or is full.
    #[error("failed to {action}")]
    Disk {
        /// What was tried, on what.
        action: String,
        /// Why.
        #[source]
        source: SysError,
    },
    /// Content is not what its name says.
    #[error("blob {digest} is missing or damaged; pull the image again")]
    Damaged {
        /// Its name.
        digest: Digest,
    },
    /// The list of images was written by a newer version, or by something else.
    #[error("the list of images is not readable by this version")]
    Unreadable(#[source] DocumentError),
    /// A document of an image is not acceptable.
    #[error("image refused")]
    Document(#[from] DocumentError),
}

impl StoreError {
    /// Says whether the disk was full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Disk { source, .. } if source.is_full())
    }

    pub(crate) fn disk(action: impl Into<String>) -> impl FnOnce(SysError) -> Self {
        let action = action.into();
        move |source| Self::Disk { action, source }
    }
}

/// No image, or no single one, is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// There is none of this name or id.
    #[error("No such image: {0}")]
    NotFound(String),
    /// The beginning of an id fits several.
    #[error("ambiguous image id {0}: several images begin with it")]
    Ambiguous(String),
    /// It is neither a name nor an id.
    #[error("{0}")]
    Malformed(String),
}

/// An archive was not loaded or imported, or an image not saved. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The archive is malformed or too large, or its source failed.
    #[error("failed to read the image archive")]
    Archive(#[source] TarError),
    /// It is an archive, and not one of images.
    #[error("the archive holds no images: {reason}")]
    NoImages {
        /// What is missing in it.
        reason: String,
    },
    /// A part that it names is not in it.
    #[error("the archive has no file {name:?}, which {wanted_by} names")]
    MissingPart {
        /// The part.
        name: String,
        /// Who wants it.
        wanted_by: String,
    },
    /// A part has another digest than the archive says.
    #[error("the archive's part {name:?} has not the digest that its manifest says")]
    WrongDigest {
        /// The part.
        name: String,
    },
    /// A manifest, index or configuration is not acceptable.
    #[error("image refused")]
    Document(#[from] DocumentError),
    /// A name in it is malformed.
    #[error("the archive names an image {name:?}, which is no name")]
    Name {
        /// What it says.
        name: String,
    },
    /// A change to the configuration is malformed.
    #[error(transparent)]
    Change(#[from] MalformedChange),
    /// No image in it is for the platform that was asked for.
    #[error("the archive has no image for {wanted}; it has: {offered}")]
    NoPlatform {
        /// What was asked for.
        wanted: String,
        /// What there is.
        offered: String,
    },
    /// The content store failed.
    #[error("failed to keep the image")]
    Store(#[from] StoreError),
}

impl LoadError {
    /// Says whether the disk was full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_full())
    }
}
