//! Which images there are and what they are called: one file, replaced whole.
//!
//! One file and not one for each: a load of several images with several names is then there
//! entirely or not at all, whatever happens to the power.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine_sys::file;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::document::{self, DocumentError};
use crate::error::StoreError;
use crate::reference::Reference;

const FILE: &str = "names.json";
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

    pub(crate) fn write(&self, dir: &Path) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        file::replace(&path(dir), &bytes).map_err(StoreError::disk("write the list of images"))
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
        table.write(dir.path()).unwrap();
        assert_eq!(Table::read(dir.path()).unwrap(), table);
        assert_eq!(table.names_of(second), [name]);

        std::fs::write(path(dir.path()), r#"{"version":2,"images":{},"names":{}}"#).unwrap();
        let error = Table::read(dir.path()).unwrap_err();
        assert!(matches!(error, StoreError::Unreadable(_)), "{error}");
    }
}
