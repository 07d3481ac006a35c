//! What is said of one path inside a container.
#![expect(missing_docs, reason = "fields carry Docker's own names and meanings")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The header that carries a [`PathStat`].
pub const PATH_STAT_HEADER: &str = "X-Docker-Container-Path-Stat";

/// The facts of a file inside a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathStat {
    pub name: String,
    pub size: i64,
    /// Go's `FileMode`.
    pub mode: u32,
    /// RFC 3339.
    pub mtime: String,
    /// Where a link leads to in the end; empty for anything else.
    #[serde(rename = "linkTarget")]
    pub link_target: String,
}

/// The answer to a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdAnswer {
    #[serde(rename = "Id")]
    pub id: String,
}

/// One change of a container's files against its image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    #[serde(rename = "Path")]
    pub path: String,
    /// 0 changed, 1 added, 2 deleted.
    #[serde(rename = "Kind")]
    pub kind: u8,
}

/// Bits of Go's `FileMode` beside the permissions.
pub mod go_mode {
    pub const DIRECTORY: u32 = 1 << 31;
    pub const SYMLINK: u32 = 1 << 27;
    pub const DEVICE: u32 = 1 << 26;
    pub const PIPE: u32 = 1 << 25;
    pub const SOCKET: u32 = 1 << 24;
    pub const SET_USER: u32 = 1 << 23;
    pub const SET_GROUP: u32 = 1 << 22;
    pub const CHARACTER_DEVICE: u32 = 1 << 21;
    pub const STICKY: u32 = 1 << 20;

    /// Puts the kernel's permission bits (`0o7777`) and the bits of a kind together.
    pub fn of(mode: u32, kind: u32) -> u32 {
        let special = [(0o4000, SET_USER), (0o2000, SET_GROUP), (0o1000, STICKY)];
        let special = special
            .iter()
            .filter(|(bit, _)| mode & bit != 0)
            .fold(0, |all, (_, bit)| all | bit);
        mode & 0o777 | special | kind
    }
}

impl PathStat {
    /// Writes it as the header's value.
    pub fn to_header(&self) -> String {
        // Texts and numbers always have a JSON form.
        STANDARD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads a header's value; `None` when it is malformed.
    pub fn from_header(value: &str) -> Option<Self> {
        serde_json::from_slice(&STANDARD.decode(value).ok()?).ok()
    }
}
