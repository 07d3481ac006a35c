//! What is asked of a log, and what it answers.

use super::Stream;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    pub(super) file: u64,
    /// A record's beginning.
    pub(super) offset: u64,
    /// For each stream, the bytes from there on that have been told.
    pub(super) told: [u64; 2],
}
