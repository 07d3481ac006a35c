//! One directory inside a container, entry by entry: an addition of ours, since Docker's archive of
//! a directory is everything below it.

use serde::{Deserialize, Serialize};

use crate::ours;

/// The most entries of one answer.
pub const ENTRIES_MAX: usize = 1_000;

/// What an entry is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A regular file.
    #[default]
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A block device.
    BlockDevice,
    /// A character device.
    CharacterDevice,
}

/// What a listing is ordered by; directories always come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileOrder {
    /// By name.
    #[default]
    Name,
    /// By length.
    Size,
    /// By the last change of the content.
    Modified,
}

impl FileOrder {
    /// Returns the word of the query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Size => "size",
            Self::Modified => "modified",
        }
    }

    /// Returns the order of that word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Name, Self::Size, Self::Modified]
            .into_iter()
            .find(|order| order.as_str() == word)
    }
}

/// A directory and some of what lies in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Directory {
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Nothing may be written in it, as far as the mounts say.
    pub read_only: bool,
    /// How many entries fit the filter.
    pub total: usize,
    /// There are more than anybody counted.
    pub is_cut: bool,
    /// The entries that were asked for, in their order.
    pub entries: Vec<FileEntry>,
}

/// One entry; a link is a link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FileEntry {
    /// Its name; what is not UTF-8 is replaced.
    pub name: String,
    /// The name is not UTF-8: no path leads to it.
    #[serde(skip_serializing_if = "ours::is_false")]
    pub is_name_lossy: bool,
    /// What it is.
    pub kind: FileKind,
    /// Length of the content.
    pub size: u64,
    /// Permission bits with set-id and sticky bits (`0o7777`).
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The owner's name, by the container's own `/etc/passwd`; empty when it has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// The group's name, by the container's own `/etc/group`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// RFC 3339.
    pub modified: String,
    /// The text of a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}
