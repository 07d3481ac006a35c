//! Why the server did not start: one line for a person, one number for a script.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// A reason not to start. Its text is the whole message; there is no second line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration file cannot be used.
    #[error("failed to read the configuration {path}: {reason}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, with its line where known.
        reason: String,
    },
    /// An option or a combination of options makes no sense.
    #[error("{0}")]
    Usage(String),
    /// Something here needs root.
    #[error("{tried} needs root: {advice}")]
    NotRoot {
        /// What was tried.
        tried: &'static str,
        /// What to do instead.
        advice: &'static str,
    },
    /// Somebody else listens there.
    #[error("failed to listen on {address}: {source}; choose another with --listen")]
    Port {
        /// The address asked for.
        address: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The data was written by a Gantry that knows more than this one.
    #[error(
        "the data in {path} was written by a newer gantry (schema {found}, this one knows {known}); \
         start that one, or give another directory with --data"
    )]
    NewerData {
        /// The data directory.
        path: PathBuf,
        /// The schema found.
        found: i64,
        /// The schema that this binary writes.
        known: i64,
    },
    /// A second server on the same data.
    #[error("another gantry uses {path}; stop it, or give another directory with --data")]
    DataInUse {
        /// The data directory.
        path: PathBuf,
    },
    /// `gantry-engine` did not come up.
    #[error("failed to start the engine: {0}")]
    Engine(String),
    /// A file or directory could not be used.
    #[error("failed to {tried} {path}: {source}")]
    File {
        /// What was tried, as a verb.
        tried: &'static str,
        /// On what.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("failed to use the certificate {path}: {reason}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Anything that has no number of its own.
    #[error("{0}")]
    Other(String),
}

impl StartError {
    /// Returns the exit code that `gantry --help` documents.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Other(_) => 1,
            Self::Config { .. } | Self::Usage(_) | Self::Certificate { .. } => 2,
            Self::NotRoot { .. } => 3,
            Self::Port { .. } => 4,
            Self::DataInUse { .. } => 5,
            Self::NewerData { .. } => 6,
            Self::Engine(_) => 7,
            Self::File { .. } => 8,
        })
    }

    /// Makes the error of a file or directory.
    pub(crate) fn file(tried: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File {
            tried,
            path: path.into(),
            source,
        }
    }
}
