//! Which images there are and what they are called: one file, replaced whole.
//!
//! One file and not one for each: a load of several images with several names is then there
//! entirely or not at all, whatever happens to the power.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine_sys::file;
use engine_tar::Digest;
use serde::{Deserialize, Serialize};

use crate::document::{self, DocumentError};
use crate::error::StoreError;
use crate::reference::Reference;

const FILE: &str = "names.json";
/// A file of nothing but room: without it nobody could remove an image when the disk is full.
const RESERVE: &str = "reserve";
const RESERVE_BYTES_MIN: usize = 64 << 10;
const FILE_BYTES_MAX: u64 = 256 << 20;
const VERSION: u32 = 1;

/// The file's content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    version: u32,
    /// By id.
    pub(crate) images: BTreeMap<Digest, Row>,
    /// Whole names, with a tag or a digest, to ids.
    names: BTreeMap<String, Digest>,
}

/// One image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) manifest: Digest,
    pub(crate) added_unix_ns: i64,
}

impl Table {
    pub(crate) fn read(dir: &Path) -> Result<Self, StoreError> {
        let path = path(dir);
        let bytes = match file::read(&path, FILE_BYTES_MAX) {
            Err(error) if error.is_not_found() => {
                return Ok(Self {
                    version: VERSION,
                    ..Self::default()
                });
            }
            other => other.map_err(StoreError::disk("read the list of images"))?,
        };
        let table: Self = document::parse(&bytes, "list of images", FILE_BYTES_MAX)
            .map_err(StoreError::Unreadable)?;
        if table.version != VERSION {
            return Err(StoreError::Unreadable(DocumentError::Refused {
                what: "list of images",
                reason: format!(
                    "it is of version {}, this engine knows {VERSION}",
                    table.version
                ),
            }));
        }
        Ok(table)
    }

    /// Replaces the file. Where the disk is full, a removal takes the room that was kept for it.
    pub(crate) fn write(&self, dir: &Path, removes: bool) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        let replaced = match file::replace(&path(dir), &bytes) {
            Err(error) if error.is_full() && removes && give_up_reserve(dir) => {
                file::replace(&path(dir), &bytes)
            }
            replaced => replaced,
        };
        replaced.map_err(StoreError::disk("write the list of images"))?;
        keep_reserve(dir, bytes.len());
        Ok(())
    }

    /// Tells whether this is what is left of `before` when something was taken away.
    pub(crate) fn is_less_than(&self, before: &Self) -> bool {
        self.images.len() + self.names.len() < before.images.len() + before.names.len()
    }

    pub(crate) fn id(&self, name: &Reference) -> Option<Digest> {
        self.names.get(&name.to_string()).copied()
    }

    /// Names the image, and tells which one had the name before.
    pub(crate) fn set(&mut self, name: &Reference, id: Digest) -> Option<Digest> {
        self.names
            .insert(name.to_string(), id)
            .filter(|before| *before != id)
    }

    pub(crate) fn unset(&mut self, name: &Reference) -> Option<Digest> {
        self.names.remove(&name.to_string())
    }

    /// Everything that the image is called, in order.
    pub(crate) fn names_of(&self, id: Digest) -> Vec<Reference> {
        self.names()
            .filter(|(_, named)| *named == id)
            .map(|(name, _)| name)
            .collect()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = (Reference, Digest)> {
        // Only what was parsed is ever put in.
        self.names
            .iter()
            .filter_map(|(name, id)| Some((name.parse().ok()?, *id)))
    }

    pub(crate) fn remove_image(&mut self, id: Digest) {
        self.images.remove(&id);
        self.names.retain(|_, named| *named != id);
    }
}

/// Keeps room for a list of this length, if there is some.
pub(crate) fn keep_reserve(dir: &Path, n_bytes: usize) {
    let reserve = dir.join(RESERVE);
    if reserve.exists() {
        return;
    }
    let room = vec![0; RESERVE_BYTES_MIN.max(2 * n_bytes)];
    if std::fs::write(&reserve, room).is_err() {
        // Half of a reserve only takes what is left.
        give_up_reserve(dir);
    }
}

/// Gives the room back; tells whether there was any.
fn give_up_reserve(dir: &Path) -> bool {
    std::fs::remove_file(dir.join(RESERVE)).is_ok()
}

fn path(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn names_survive_and_newer_files_are_left_alone() {
        let dir = TempDir::new().unwrap();
        let mut table = Table::read(dir.path()).unwrap();
        let name: Reference = "a:b".parse().unwrap();
        let (first, second) = (Digest::of(b"1"), Digest::of(b"2"));
        assert_eq!(table.set(&name, first), None);
        assert_eq!(table.set(&name, first), None);
        assert_eq!(table.set(&name, second), Some(first));
        table.write(dir.path(), false).unwrap();
        assert_eq!(Table::read(dir.path()).unwrap(), table);
        assert_eq!(table.names_of(second), [name]);

        std::fs::write(path(dir.path()), r#"{"version":2,"images":{},"names":{}}"#).unwrap();
        let error = Table::read(dir.path()).unwrap_err();
        assert!(matches!(error, StoreError::Unreadable(_)), "{error}");
    }
}
