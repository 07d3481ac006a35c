//! The files of an archive, by name and by digest.

use std::collections::HashMap;
use std::io::{BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};

use engine_tar::{Archive, Bounds, Compression, Decompressed, Digest, Kind, TarError};

use crate::blobs::{Finished, write_failed};
use crate::document::{CONFIG_BYTES_MAX, MANIFEST_BYTES_MAX};
use crate::error::{LoadError, StoreError};
use crate::store::Store;
use crate::sweep::Lease;

const PARTS_MAX: u64 = 20_000;
const LINKS_MAX: usize = 10;
/// Longest name of a part, or target of a link: all of them are kept in memory.
const NAME_BYTES_MAX: usize = 1024;
const BUFFER_BYTES: usize = 256 * 1024;
pub(crate) const BOUNDS: Bounds = Bounds {
    bytes_max: 256 << 30,
    ratio_max: 200,
    ratio_free_bytes: 1 << 30,
};

/// Everything that an archive holds.
pub(super) struct Parts {
    by_name: HashMap<String, Part>,
    /// What is not kept yet. Equal files are one.
    contents: HashMap<Digest, Finished>,
}

enum Part {
    File(File),
    Link(String),
}

/// One file.
#[derive(Clone, Copy)]
pub(super) struct File {
    pub(super) digest: Digest,
    pub(super) size_bytes: u64,
    pub(super) compression: Compression,
}

impl Parts {
    /// Reads the whole archive.
    pub(super) fn read(store: &Store, source: impl Read + Send) -> Result<Self, LoadError> {
        let plain = Decompressed::new(source, BOUNDS).map_err(LoadError::Archive)?;
        let buffered = BufReader::with_capacity(BUFFER_BYTES, plain);
        let mut archive = Archive::new(buffered, PARTS_MAX);
        let mut parts = Self {
            by_name: HashMap::new(),
            contents: HashMap::new(),
        };
        let mut buffer = vec![0; BUFFER_BYTES];
        while let Some(member) = archive.next_member().map_err(LoadError::Archive)? {
            let Some(name) = clean(Path::new(""), &member.path) else {
                let reason = format!(
                    "an entry leads out of it, or has a name of more than {NAME_BYTES_MAX} bytes"
                );
                return Err(LoadError::Archive(TarError::Malformed {
                    offset: 0,
                    reason,
                }));
            };
            let part = match &member.kind {
                Kind::File => Part::File(parts.add(store, &mut archive.content(), &mut buffer)?),
                Kind::HardLink(target) => link(Path::new(""), target),
                Kind::Symlink(target) => {
                    link(Path::new(&name).parent().unwrap_or(Path::new("")), target)
                }
                _ => continue,
            };
            parts.by_name.insert(name, part);
        }
        Ok(parts)
    }

    /// The file of this name, whatever it is linked by.
    pub(super) fn find(&self, name: &str) -> Option<File> {
        let mut name = clean(Path::new(""), name.as_bytes())?;
        for _ in 0..LINKS_MAX {
            match self.by_name.get(&name)? {
                Part::File(file) => return Some(*file),
                Part::Link(target) => name.clone_from(target),
            }
        }
        None
    }

    /// The file of this name, which `wanted_by` needs.
    pub(super) fn need(&self, name: &str, wanted_by: &str) -> Result<File, LoadError> {
        self.find(name).ok_or_else(|| LoadError::MissingPart {
            name: name.chars().take(200).collect(),
            wanted_by: wanted_by.to_owned(),
        })
    }

    /// The file of this digest: under its name in an OCI layout, and with that content.
    pub(super) fn blob(&self, digest: Digest, wanted_by: &str) -> Result<File, LoadError> {
        let name = format!("blobs/sha256/{}", digest.hex());
        let file = self.need(&name, wanted_by)?;
        if file.digest != digest {
            return Err(LoadError::WrongDigest { name });
        }
        Ok(file)
    }

    /// Reads a small file.
    pub(super) fn bytes(&self, store: &Store, file: File) -> Result<Vec<u8>, LoadError> {
        let max = CONFIG_BYTES_MAX.max(MANIFEST_BYTES_MAX);
        let Some(finished) = self.contents.get(&file.digest) else {
            return Ok(store.blobs().read(file.digest, max)?);
        };
        let mut bytes = Vec::new();
        let source = finished.reader()?;
        source
            .take(max + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| LoadError::Store(write_failed(&error)))?;
        Ok(bytes)
    }

    /// Keeps a file as a blob, under the lease.
    pub(super) fn keep(
        &mut self,
        store: &Store,
        lease: &mut Lease,
        file: File,
    ) -> Result<(), StoreError> {
        lease.add_blob(file.digest);
        if store.blobs().size(file.digest).is_some() {
            return Ok(());
        }
        match self.contents.remove(&file.digest) {
            Some(finished) => finished.keep().map(drop),
            None => Err(StoreError::Damaged {
                digest: file.digest,
            }),
        }
    }

    fn add(
        &mut self,
        store: &Store,
        content: &mut impl Read,
        buffer: &mut [u8],
    ) -> Result<File, LoadError> {
        let mut writer = store.blobs().writer()?;
        let mut start = Vec::new();
        loop {
            let n_read = content
                .read(buffer)
                .map_err(|error| LoadError::Archive(TarError::from_read(error)))?;
            if n_read == 0 {
                break;
            }
            if start.len() < 4 {
                start.extend_from_slice(&buffer[..n_read.min(8)]);
            }
            writer
                .write_all(&buffer[..n_read])
                .map_err(|error| LoadError::Store(write_failed(&error)))?;
        }
        let finished = writer.finish();
        let file = File {
            digest: finished.digest,
            size_bytes: finished.size_bytes,
            compression: Compression::of(&start).unwrap_or(Compression::None),
        };
        self.contents.insert(file.digest, finished);
        Ok(file)
    }
}

fn link(base: &Path, target: &[u8]) -> Part {
    // One that leads out of the archive leads to nothing.
    Part::Link(clean(base, target).unwrap_or_default())
}

/// A name as a plain path; `None` when it leaves the archive or is too long. A leading slash is
/// the archive's own top.
fn clean(base: &Path, name: &[u8]) -> Option<String> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let name = std::str::from_utf8(name).ok()?;
    let mut path = if name.starts_with('/') {
        PathBuf::new()
    } else {
        base.to_owned()
    };
    for component in Path::new(name).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    path.into_os_string().into_string().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_the_archive() {
        let clean = |base: &str, name: &str| clean(Path::new(base), name.as_bytes());
        assert_eq!(clean("", "./a//b/"), Some("a/b".to_owned()));
        assert_eq!(clean("a/b", "../c"), Some("a/c".to_owned()));
        assert_eq!(clean("a/b", "/c"), Some("c".to_owned()));
        assert_eq!(clean("a", "../../c"), None);
        assert_eq!(clean("", "../etc/passwd"), None);
        assert_eq!(clean("", &"a".repeat(NAME_BYTES_MAX + 1)), None);
    }
}
