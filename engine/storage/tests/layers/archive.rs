//! Writes archives byte by byte, so that they can say anything, and a store to give them to.

use std::fs;
use std::path::{Path, PathBuf};

use engine_storage::{ApplyError, DiffId, Layer, Layers, Limits};
use engine_tar::{Bounds, Digest};
use tempfile::TempDir;

/// An archive in the making.
#[derive(Clone, Default)]
pub(crate) struct Tar(Vec<u8>);

impl Tar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        self.entry(name, b'0', "", content, |_| {})
    }

    pub(crate) fn dir(self, name: &str) -> Self {
        self.entry(name, b'5', "", "", |header| header.set_mode(0o755))
    }

    pub(crate) fn symlink(self, name: &str, target: &str) -> Self {
        self.entry(name, b'2', target, "", |_| {})
    }

    pub(crate) fn hard_link(self, name: &str, target: &str) -> Self {
        self.entry(name, b'1', target, "", |_| {})
    }

    pub(crate) fn node(self, name: &str, kind: u8, major: u32, minor: u32) -> Self {
        self.entry(name, kind, "", "", |header| {
            header.set_device_major(major).unwrap();
            header.set_device_minor(minor).unwrap();
        })
    }

    pub(crate) fn pax(self, records: &[(&str, &str)]) -> Self {
        let content: String = records
            .iter()
            .map(|(key, value)| {
                let rest = key.len() + value.len() + 3;
                let length = (rest + 1..)
                    .find(|n| n.to_string().len() + rest == *n)
                    .unwrap();
                format!("{length} {key}={value}\n")
            })
            .collect();
        self.entry("pax", b'x', "", &content, |_| {})
    }

    pub(crate) fn entry(
        mut self,
        name: &str,
        kind: u8,
        link: &str,
        content: &str,
        change: impl Fn(&mut tar::Header),
    ) -> Self {
        let mut tar = if name.len() > 100 {
            Self(self.0).entry("././@LongLink", b'L', "", name, unchanged)
        } else {
            Self(std::mem::take(&mut self.0))
        };
        let mut header = tar::Header::new_ustar();
        let short = &name.as_bytes()[..name.len().min(100)];
        header.as_mut_bytes()[..short.len()].copy_from_slice(short);
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_000_000_000);
        header.set_size(content.len() as u64);
        header.set_entry_type(tar::EntryType::new(kind));
        change(&mut header);
        header.set_cksum();
        tar.0.extend_from_slice(header.as_bytes());
        tar.0.extend_from_slice(content.as_bytes());
        tar.0.resize(tar.0.len().next_multiple_of(512), 0);
        tar
    }

    pub(crate) fn bytes(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }
}

fn unchanged(_: &mut tar::Header) {}

pub(crate) fn diff_id(archive: &[u8]) -> DiffId {
    Digest::of(archive).into()
}

/// A store with a canary beside it.
pub(crate) struct World {
    pub(crate) outside: TempDir,
    pub(crate) layers: Layers,
}

pub(crate) fn limits() -> Limits {
    Limits {
        entries_max: 500,
        depth_max: 20,
        bounds: Bounds {
            bytes_max: 8 << 20,
            ratio_max: 20,
            ratio_free_bytes: 1 << 20,
        },
    }
}

pub(crate) fn world() -> World {
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("canary"), "untouched").unwrap();
    let layers = Layers::open(&outside.path().join("layers"), limits()).unwrap();
    World { outside, layers }
}

impl World {
    pub(crate) fn apply(&self, archive: &[u8]) -> Result<Layer, ApplyError> {
        self.layers.apply(diff_id(archive), archive)
    }

    /// Applies what must be fine, and says where it lies.
    pub(crate) fn unpacked(&self, tar: Tar) -> PathBuf {
        let archive = tar.bytes();
        self.apply(&archive).unwrap();
        self.layers.paths(&[diff_id(&archive)]).unwrap().remove(0)
    }

    /// Nothing outside was touched and nothing half-made is left.
    pub(crate) fn assert_clean(&self, n_layers: usize) {
        assert_eq!(names(self.outside.path()), ["canary", "layers"]);
        let canary = self.outside.path().join("canary");
        assert_eq!(fs::read_to_string(canary).unwrap(), "untouched");
        assert_eq!(
            names(&self.outside.path().join("layers")).len(),
            n_layers + 1
        );
        assert!(names(&self.outside.path().join("layers/tmp")).is_empty());
    }
}

pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
