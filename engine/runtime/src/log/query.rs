//! What is asked of a log, and what it answers.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{LogError, Stream, error::Result, files};

/// What of a log is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    pub stdout: bool,
    pub stderr: bool,
    /// Nothing before this time.
    pub since_ns: Option<u64>,
    /// Nothing after this time.
    pub until_ns: Option<u64>,
    /// Only so many of the last lines, counted among those that the rest of the query admits.
    pub tail: Option<u64>,
    /// Nothing behind this place.
    pub end: Option<Position>,
}

impl Default for Query {
    /// Everything.
    fn default() -> Self {
        Self {
            stdout: true,
            stderr: true,
            since_ns: None,
            until_ns: None,
            tail: None,
            end: None,
        }
    }
}

impl Query {
    pub(super) fn wants(&self, stream: Stream) -> bool {
        match stream {
            Stream::Stdout => self.stdout,
            Stream::Stderr => self.stderr,
        }
    }
}

/// One line, or a part of one that is longer than 16 KiB or has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    pub stream: Stream,
    /// When the end of the line was read from the container.
    pub unix_ns: u64,
    /// Without the newline.
    pub text: &'a [u8],
    /// No newline follows.
    pub partial: bool,
}

/// What a log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    Line(Line<'a>),
    /// Output is missing here: the disk was full (so many bytes), or the files were rotated away
    /// before this reader came to them.
    Lost {
        unix_ns: u64,
        bytes: Option<u64>,
    },
}

/// Where a reader stands: reading on from here tells exactly what has not been told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Position {
    pub(super) file: u64,
    /// A record's beginning.
    pub(super) offset: u64,
    /// For each stream, the bytes from there on that have been told.
    pub(super) told: [u64; 2],
}

impl Position {
    /// Returns the place behind everything that the log in `dir` holds now.
    ///
    /// # Errors
    /// [`LogError`] when a file cannot be read; a log that is not there yet is an empty one.
    pub fn end_of(dir: &Path) -> Result<Self> {
        let failed = LogError::during("find the end of", dir);
        let file = match files::list(dir) {
            Ok(numbers) => numbers.last().copied(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        let Some(file) = file else {
            return Ok(Self::default());
        };
        let len = std::fs::File::open(files::path(dir, file)).and_then(|f| files::sound_len(&f));
        Ok(Self::at(file, len.map_err(failed)?))
    }

    /// Returns a place between two records.
    pub(super) fn at(file: u64, offset: u64) -> Self {
        Self {
            file,
            offset,
            told: [0; 2],
        }
    }
}
