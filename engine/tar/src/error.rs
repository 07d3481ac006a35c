//! Why an archive was not read to its end.

use std::io;

/// An archive that cannot be read, or will not be.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// The bytes are not an archive that every reader understands alike.
    #[error("malformed archive at byte {offset}: {reason}")]
    Malformed {
        /// Where the offending header starts in the uncompressed archive.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The archive is larger than anybody needs.
    #[error("the archive exceeds the limit of {limit} {what}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
    /// The source of the bytes failed, or ended too early.
    #[error("failed to read the archive")]
    Read(#[source] io::Error),
}

impl TarError {
    /// Turns a failed read into this error, or finds the one of ours inside it.
    pub fn from_read(error: io::Error) -> Self {
        match error.downcast::<TarError>() {
            Ok(ours) => ours,
            Err(error) => Self::Read(error),
        }
    }

    pub(crate) fn into_io(self) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, self)
    }
}
