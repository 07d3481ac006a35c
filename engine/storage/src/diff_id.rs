//! The name of a layer: the digest of its uncompressed archive.

use std::fmt;
use std::str::FromStr;

use engine_tar::{Digest, MalformedDigest};

/// The digest of a layer's uncompressed archive. The archive as it travels has one too, which is
/// another thing wherever it is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DiffId(Digest);

impl DiffId {
    /// The 64 hex digits, which are also the directory's name.
    pub fn hex(&self) -> String {
        self.0.hex()
    }

    /// The digest itself.
    pub fn digest(self) -> Digest {
        self.0
    }
}

impl From<Digest> for DiffId {
    fn from(digest: Digest) -> Self {
        Self(digest)
    }
}

impl FromStr for DiffId {
    type Err = MalformedDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for DiffId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for DiffId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
