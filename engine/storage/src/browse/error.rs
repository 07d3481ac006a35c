//! Why something in an image cannot be shown.

use std::path::PathBuf;

use engine_sys::SysError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum BrowseError {
    /// There is nothing.
    #[error("there is nothing at {0}")]
    NotFound(PathBuf),
    /// It holds no content that could be read.
    #[error("{0} is not a regular file")]
    NotAFile(PathBuf),
    /// More links stand in the path than anybody makes in good faith.
    #[error("too many links lead to {0}")]
    Links(PathBuf),
    /// A directory has more names than are looked through.
    #[error("{0} holds more names than are looked through")]
    TooMany(PathBuf),
    /// Nobody waits any more.
    #[error("nobody waits for it any more")]
    GivenUp,
    /// Looking failed.
    #[error("failed to look at a layer")]
    Failed(#[from] SysError),
}
