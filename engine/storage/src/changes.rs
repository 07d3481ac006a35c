//! What a container changed against the layers below it, and that as a further layer.
//!
//! Nothing is mounted for it: the upper directory of the overlay holds exactly what changed, and
//! the layers are looked through by name, whiteouts and all.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};

use engine_sys::dir::{Dir, FileType, Metadata};
use engine_sys::path::Root;
use engine_sys::pinned::Listing;
use engine_sys::users::IdMap;
use engine_sys::{Errno, SysError};

use crate::browse::BrowseError;
use crate::error::StoreError;
use crate::layer_writer::LayerWriter;
use crate::layers::{is_opaque, is_whiteout};
use crate::snapshots::Snapshot;
use crate::tree::PackError;

const NAMES_MAX: usize = 16_384;
const DEPTH_MAX: usize = 256;
/// Changes of one container that are listed.
const CHANGES_MAX: usize = 2_000_000;

/// What the engine itself makes in every container to mount on; it is nobody's change as long as
/// there is nothing in it.
const MOUNT_POINTS: [&str; 6] = [
    "/proc",
    "/sys",
    "/dev",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
];

/// How a path differs from the layers below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is there too, and not the same.
    Changed,
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
}

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Absolute, as the container sees it.
    pub path: PathBuf,
    /// How.
    pub kind: ChangeKind,
}

impl Snapshot {
    /// Lists what differs from the layers `lowers`, top first, in the order of the paths.
    ///
    /// # Errors
    /// When a directory cannot be read, or there is more than anybody would read.
    pub fn changes(&self, lowers: &[PathBuf]) -> Result<Vec<Change>, StoreError> {
        self.changes_beside(lowers, &BTreeSet::new())
    }

    /// The same without what was made to mount on at `points`, and the way there.
    fn changes_beside(
        &self,
        lowers: &[PathBuf],
        points: &BTreeSet<PathBuf>,
    ) -> Result<Vec<Change>, StoreError> {
        let listed = || {
            let upper = Dir::open(&self.upper())?;
            let lowers = lowers
                .iter()
                .map(|lower| Dir::open(lower))
                .collect::<Result<Vec<_>, _>>()?;
            let mut walk = Walk {
                changes: Vec::new(),
                map: self.map,
                points,
            };
            walk.directory(&upper, &lowers, Path::new("/"), 0, false)?;
            walk.changes.sort_unstable();
            Ok(walk.changes)
        };
        listed().map_err(|source| self.failed("compare", source))
    }

    /// Writes what differs from the layers `lowers` as the archive of a layer that goes on top of
    /// them: what is gone as a whiteout, and above each thing its directories as they are.
    ///
    /// # Errors
    /// See [`PackError`].
    pub fn write_layer<W: Write>(&self, lowers: &[PathBuf], target: W) -> Result<W, LayerError> {
        self.write_layer_with(lowers, &LayerOptions::default(), target)
    }

    /// As [`Snapshot::write_layer`], with wishes.
    ///
    /// # Errors
    /// See [`PackError`].
    pub fn write_layer_with<W: Write>(
        &self,
        lowers: &[PathBuf],
        options: &LayerOptions,
        target: W,
    ) -> Result<W, LayerError> {
        let changes = self.changes_beside(lowers, &options.mount_points)?;
        let mut changed = Changed {
            root: Root::open(&self.upper()).map_err(PackError::Read)?,
            layer: LayerWriter::new(target, self.map, options.latest),
            written: BTreeSet::new(),
        };
        for change in &changes {
            changed.add(change)?;
        }
        Ok(changed.layer.finish()?)
    }
}

/// How a layer is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LayerOptions {
    /// No time in it is later, in seconds since 1970.
    pub latest: Option<i64>,
    /// Where something was mounted that is no part of it: an empty file or directory that was made
    /// there, and the directories that were made for it alone, are left out.
    pub mount_points: BTreeSet<PathBuf>,
}

/// A layer that was not written to its end.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// What differs could not be found out.
    #[error(transparent)]
    Compare(#[from] StoreError),
    /// The layers that become one could not be looked through.
    #[error(transparent)]
    Look(#[from] BrowseError),
    /// It could not be read or written.
    #[error(transparent)]
    Pack(#[from] PackError),
}

struct Walk<'a> {
    changes: Vec<Change>,
    map: Option<IdMap>,
    /// Mount points beside those of every container.
    points: &'a BTreeSet<PathBuf>,
}

/// The mode of a directory that is made to mount on.
const MADE_MODE: u32 = 0o755;

/// What became of one name against the layers below.
enum Outcome {
    Same,
    CameOrWent,
    /// A directory that was made for a mount point to lie in, and for nothing else.
    Way,
}

/// What the layers below have under a name.
enum Below {
    Nothing,
    Thing,
    /// The directories that are merged to one, top first.
    Directory(Metadata, Vec<Dir>),
}

impl Walk<'_> {
    /// Compares a directory that both have. `opaque`: nothing of the lower one is seen through it.
    /// Returns whether its list of names differs, and whether a mount point of ours lies in it.
    fn directory(
        &mut self,
        upper: &Dir,
        lowers: &[Dir],
        path: &Path,
        depth: usize,
        opaque: bool,
    ) -> Result<(bool, bool), SysError> {
        if depth == DEPTH_MAX {
            return Err(SysError::new("walk", path.display(), Errno::NAMETOOLONG));
        }
        let (mut differs, mut has_point) = (false, false);
        let mut seen = BTreeSet::new();
        let mut listing = Listing::of(upper)?;
        loop {
            let names = listing.next_names(NAMES_MAX)?;
            if names.is_empty() {
                break;
            }
            for name in names {
                let metadata = match upper.metadata(&name) {
                    Err(error) if error.errno == Errno::NOENT => continue,
                    other => other?,
                };
                let path = path.join(&name);
                if self.is_mount_point(upper, &name, &path, &metadata) {
                    has_point = true;
                } else {
                    match self.entry((upper, lowers), path, &metadata, (depth, opaque))? {
                        Outcome::Same => {}
                        Outcome::CameOrWent => differs = true,
                        Outcome::Way => has_point = true,
                    }
                }
                if opaque {
                    seen.insert(name);
                }
            }
        }
        if opaque {
            for name in names_of(lowers)? {
                if !seen.contains(&name) && !matches!(below(lowers, &name)?, Below::Nothing) {
                    self.note(path.join(&name), ChangeKind::Deleted)?;
                    differs = true;
                }
            }
        }
        Ok((differs, has_point))
    }

    /// Compares one name.
    fn entry(
        &mut self,
        (upper, lowers): (&Dir, &[Dir]),
        path: PathBuf,
        metadata: &Metadata,
        (depth, opaque): (usize, bool),
    ) -> Result<Outcome, SysError> {
        let came_or_went = |did: bool| match did {
            true => Outcome::CameOrWent,
            false => Outcome::Same,
        };
        let name = &path.file_name().unwrap_or_default().to_owned();
        let was = below(lowers, name)?;
        let is_new = matches!(was, Below::Nothing);
        if is_whiteout(metadata) {
            if !is_new {
                self.note(path, ChangeKind::Deleted)?;
            }
            return Ok(came_or_went(!is_new));
        }
        let kind = if is_new {
            ChangeKind::Added
        } else {
            ChangeKind::Changed
        };
        if metadata.kind != FileType::Directory {
            self.note(path, kind)?;
            return Ok(came_or_went(is_new));
        }
        let dir = upper.open_dir(name)?;
        let Below::Directory(before, lowers) = was else {
            let n_before = self.changes.len();
            self.directory(&dir, &[], &path, depth + 1, false)?;
            let leads_on = self.points.iter().any(|point| point.starts_with(&path));
            // As it was made to mount on: whoever gave it away or changed its mode wants it.
            let inside = |id: u32| self.map.map_or(id, |map| map.inside(id));
            let is_as_made =
                (inside(metadata.uid), inside(metadata.gid), metadata.mode) == (0, 0, MADE_MODE);
            if is_new && leads_on && is_as_made && self.changes.len() == n_before {
                return Ok(Outcome::Way);
            }
            self.note(path, kind)?;
            return Ok(came_or_went(is_new));
        };
        let opaque = opaque || is_opaque(upper, name)?;
        let (differs, has_point) = self.directory(&dir, &lowers, &path, depth + 1, opaque)?;
        let same_bits = before.mode == metadata.mode && self.is_same_owner(&before, metadata);
        // A mount point that was made changed the time, and nobody else did.
        let same_time = has_point || before.modified == metadata.modified;
        if differs || !same_bits || !same_time {
            self.note(path, ChangeKind::Changed)?;
        }
        Ok(Outcome::Same)
    }

    /// Layers say who owns a thing as the container knows it, the upper directory as the host does.
    fn is_same_owner(&self, before: &Metadata, now: &Metadata) -> bool {
        let inside = |id: u32| self.map.map_or(id, |map| map.inside(id));
        (before.uid, before.gid) == (inside(now.uid), inside(now.gid))
    }

    fn is_mount_point(&self, dir: &Dir, name: &OsStr, path: &Path, metadata: &Metadata) -> bool {
        let is_ours = MOUNT_POINTS.iter().any(|point| path == Path::new(point));
        if !is_ours && !self.points.contains(path) {
            return false;
        }
        match metadata.kind {
            FileType::RegularFile => metadata.size_bytes == 0,
            FileType::Directory => {
                let names = dir
                    .open_dir(name)
                    .and_then(|dir| Listing::of(&dir)?.next_names(1));
                names.is_ok_and(|names| names.is_empty())
            }
            _ => false,
        }
    }

    fn note(&mut self, path: PathBuf, kind: ChangeKind) -> Result<(), SysError> {
        if self.changes.len() == CHANGES_MAX {
            return Err(SysError::new("compare", path.display(), Errno::TOOBIG));
        }
        self.changes.push(Change { path, kind });
        Ok(())
    }
}

/// Looks a name up in directories that lie over each other, top first.
fn below(lowers: &[Dir], name: &OsStr) -> Result<Below, SysError> {
    let mut merged: Option<(Metadata, Vec<Dir>)> = None;
    for lower in lowers {
        let metadata = match lower.metadata(name) {
            Err(error) if error.errno == Errno::NOENT => continue,
            other => other?,
        };
        let is_directory = metadata.kind == FileType::Directory;
        match &mut merged {
            _ if is_directory => {
                let dir = lower.open_dir(name)?;
                merged
                    .get_or_insert_with(|| (metadata, Vec::new()))
                    .1
                    .push(dir);
                if is_opaque(lower, name)? {
                    break;
                }
            }
            Some(_) => break,
            None if is_whiteout(&metadata) => return Ok(Below::Nothing),
            None => return Ok(Below::Thing),
        }
    }
    Ok(merged.map_or(Below::Nothing, |(metadata, dirs)| {
        Below::Directory(metadata, dirs)
    }))
}

fn names_of(lowers: &[Dir]) -> Result<BTreeSet<OsString>, SysError> {
    let mut all = BTreeSet::new();
    for lower in lowers {
        let mut listing = Listing::of(lower)?;
        loop {
            let names = listing.next_names(NAMES_MAX)?;
            if names.is_empty() {
                break;
            }
            all.extend(names);
        }
    }
    Ok(all)
}

/// What changed, on its way into a layer.
struct Changed<W> {
    root: Root,
    layer: LayerWriter<W>,
    /// Directories that stand in the archive.
    written: BTreeSet<PathBuf>,
}

impl<W: Write> Changed<W> {
    fn add(&mut self, change: &Change) -> Result<(), PackError> {
        let path = change.path.strip_prefix("/").unwrap_or(&change.path);
        let above: Vec<&Path> = path.ancestors().skip(1).collect();
        for directory in above.into_iter().rev() {
            if !directory.as_os_str().is_empty() && !self.written.contains(directory) {
                self.thing(directory)?;
            }
        }
        match change.kind {
            ChangeKind::Deleted => self.layer.whiteout(path),
            _ if self.written.contains(path) => Ok(()),
            _ => self.thing(path),
        }
    }

    fn thing(&mut self, path: &Path) -> Result<(), PackError> {
        let parent = path.parent().unwrap_or(Path::new(""));
        let parent = match self.root.open_dir_without_links(parent) {
            Err(error) if error.is_not_found() => return Ok(()),
            other => other?,
        };
        if self.layer.thing(&parent, path)? {
            self.written.insert(path.to_owned());
        }
        Ok(())
    }
}
