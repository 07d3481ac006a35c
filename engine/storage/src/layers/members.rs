//! Puts the members of an archive into a layer's directory, one after the other.
//!
//! **Invariant:** every path is resolved inside the layer by [`Root`]; what an entry replaces or
//! links to lies in this layer; attributes that the overlay itself reads are never taken over.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use engine_sys::dir::{Dir, FileType, device_number};
use engine_sys::path::Root;
use engine_sys::{Errno, SysError};
use engine_tar::{Kind, Member, Time};

use super::apply::{CopyError, DIFF, Limits, copy};
use super::attributes::{set_attributes, set_file_attributes, timestamps};
use super::name::clean;
use super::store::Layer;
use super::whiteout::{self, Meaning};
use crate::error::{ApplyError, Subject};

const COPY_BYTES: usize = 256 * 1024;
/// Bytes of memory that the names of a layer's directories may take.
const DIRECTORY_NAMES_MAX: usize = 128 << 20;
/// What one of them takes besides its name, about.
const DIRECTORY_COST: usize = 64;

/// A layer's directory while it is being filled.
pub(super) struct Unpacker<'a> {
    /// Holds the layer's directory under the name [`DIFF`].
    outer: &'a Dir,
    root: Root,
    subject: Subject,
    depth_max: usize,
    /// The parent of the entry before, by its name: neighbours in an archive usually share it.
    /// That entry can have replaced things inside this directory, but not the directory.
    last_parent: Option<(PathBuf, Dir)>,
    /// Set last, since filling a directory changes its time.
    directory_times: BTreeMap<PathBuf, Time>,
    /// What the names in it may still cost.
    names_left: usize,
    buffer: Vec<u8>,
    layer: Layer,
}

/// Why an entry was not added.
enum Failure {
    Refused(&'static str),
    Sys(SysError),
    Copy(CopyError),
}

impl From<SysError> for Failure {
    fn from(error: SysError) -> Self {
        Self::Sys(error)
    }
}

impl<'a> Unpacker<'a> {
    pub(super) fn new(outer: &'a Dir, subject: Subject, limits: &Limits) -> Result<Self, SysError> {
        Ok(Self {
            outer,
            root: Root::new(outer.open_dir(OsStr::new(DIFF))?),
            subject,
            depth_max: limits.depth_max,
            last_parent: None,
            directory_times: BTreeMap::new(),
            names_left: DIRECTORY_NAMES_MAX,
            buffer: vec![0; COPY_BYTES],
            layer: Layer {
                size_bytes: 0,
                n_entries: 0,
            },
        })
    }

    /// Adds one member.
    pub(super) fn add(
        &mut self,
        member: &Member,
        content: &mut impl Read,
    ) -> Result<(), ApplyError> {
        self.layer.n_entries += 1;
        let added = clean(&member.path, self.depth_max)
            .map_err(Failure::Refused)
            .and_then(|path| self.add_at(&path, member, content));
        added.map_err(|failure| self.explain(member, failure))
    }

    /// Sets the times of the directories and tells what was unpacked.
    pub(super) fn finish(mut self) -> Result<Layer, ApplyError> {
        let layer = self.subject;
        for (path, time) in std::mem::take(&mut self.directory_times) {
            self.set_directory_time(&path, time)
                .map_err(|source| ApplyError::Write { layer, source })?;
        }
        Ok(self.layer)
    }

    fn add_at(
        &mut self,
        path: &Path,
        member: &Member,
        content: &mut impl Read,
    ) -> Result<(), Failure> {
        let Some(name) = path.file_name() else {
            return self.add_root(member);
        };
        let parent_path = path.parent().unwrap_or(Path::new(""));
        match whiteout::meaning(name).map_err(Failure::Refused)? {
            Meaning::Thing => {}
            Meaning::Note => return Ok(()),
            meaning => return self.add_whiteout(parent_path, &meaning, member),
        }
        let parent = self.parent(parent_path)?;
        let added = self.add_thing(&parent, name, path, member, content);
        self.last_parent
            .get_or_insert((parent_path.to_owned(), parent));
        added
    }

    fn add_root(&mut self, member: &Member) -> Result<(), Failure> {
        if member.kind != Kind::Directory {
            return Err(Failure::Refused("would replace the root itself"));
        }
        self.directory_times.insert(PathBuf::new(), member.modified);
        set_attributes(self.outer, OsStr::new(DIFF), member)?;
        Ok(())
    }

    /// One entry for each directory, however often the archive names it; the last time holds.
    fn remember_time(&mut self, path: &Path, time: Time) -> Result<(), Failure> {
        if let Some(known) = self.directory_times.get_mut(path) {
            *known = time;
            return Ok(());
        }
        let cost = path.as_os_str().len() + DIRECTORY_COST;
        self.names_left = self.names_left.checked_sub(cost).ok_or(Failure::Refused(
            "is one directory too many: their names take more than 128 MiB",
        ))?;
        self.directory_times.insert(path.to_owned(), time);
        Ok(())
    }

    fn add_whiteout(
        &mut self,
        parent_path: &Path,
        meaning: &Meaning<'_>,
        member: &Member,
    ) -> Result<(), Failure> {
        if member.kind != Kind::File || member.size_bytes != 0 {
            return Err(Failure::Refused("is a whiteout with content"));
        }
        if let Meaning::Gone(name) = meaning {
            let parent = self.parent_without_links(parent_path)?;
            return Ok(whiteout::hide(&parent, name)?);
        }
        let Some(name) = parent_path.file_name() else {
            return Ok(whiteout::make_opaque(self.outer, OsStr::new(DIFF))?);
        };
        drop(self.parent_without_links(parent_path)?);
        let above = parent_path.parent().unwrap_or(Path::new(""));
        let above = self.root.open_dir_without_links(above)?;
        Ok(whiteout::make_opaque(&above, name)?)
    }

    fn add_thing(
        &mut self,
        parent: &Dir,
        name: &OsStr,
        path: &Path,
        member: &Member,
        content: &mut impl Read,
    ) -> Result<(), Failure> {
        match &member.kind {
            Kind::File => return self.add_file(parent, name, member, content),
            Kind::Directory => {
                self.make_directory(parent, name)?;
                self.remember_time(path, member.modified)?;
            }
            Kind::Symlink(target) => {
                let target = OsStr::from_bytes(target);
                self.make(parent, name, |dir, name| dir.symlink(target, name))?;
            }
            // The inode has its attributes from its first name.
            Kind::HardLink(target) => return self.add_hard_link(parent, name, target),
            Kind::CharacterDevice(0, 0) => {
                return Err(Failure::Refused(
                    "is a device that the overlay reads as a whiteout",
                ));
            }
            Kind::CharacterDevice(major, minor) => {
                let device = device_number(*major, *minor);
                self.make_node(parent, name, FileType::CharacterDevice, device)?;
            }
            Kind::BlockDevice(major, minor) => {
                let device = device_number(*major, *minor);
                self.make_node(parent, name, FileType::BlockDevice, device)?;
            }
            Kind::Fifo => self.make_node(parent, name, FileType::Fifo, 0)?,
        }
        set_attributes(parent, name, member)?;
        if member.kind != Kind::Directory {
            parent.set_times(name, &timestamps(member.modified))?;
        }
        Ok(())
    }

    fn add_file(
        &mut self,
        parent: &Dir,
        name: &OsStr,
        member: &Member,
        content: &mut impl Read,
    ) -> Result<(), Failure> {
        let mut file = self.make(parent, name, |dir, name| dir.create_file(name, 0o600))?;
        self.layer.size_bytes +=
            copy(content, &mut file, &mut self.buffer).map_err(Failure::Copy)?;
        set_file_attributes(&file, member)?;
        Ok(())
    }

    fn add_hard_link(&mut self, parent: &Dir, name: &OsStr, target: &[u8]) -> Result<(), Failure> {
        const OUTSIDE: Failure = Failure::Refused("is a hard link to what is not in this layer");
        let target = clean(target, self.depth_max).map_err(|_| OUTSIDE)?;
        let Some(target_name) = target.file_name() else {
            return Err(OUTSIDE);
        };
        let target_parent = target.parent().unwrap_or(Path::new(""));
        let from = match self.root.open_dir_without_links(target_parent) {
            Err(error) if error.is_not_found() || error.errno == Errno::LOOP => {
                return Err(OUTSIDE);
            }
            other => other?,
        };
        let metadata = match from.metadata(target_name) {
            Err(error) if error.is_not_found() => return Err(OUTSIDE),
            other => other?,
        };
        if metadata.kind == FileType::Directory || whiteout::is_whiteout(&metadata) {
            return Err(OUTSIDE);
        }
        if parent
            .metadata(name)
            .is_ok_and(|there| there.inode == metadata.inode)
        {
            return Ok(());
        }
        self.make(parent, name, |dir, name| {
            dir.hard_link(&from, target_name, name)
        })
    }

    /// Makes a directory, or keeps the one that is there.
    fn make_directory(&mut self, parent: &Dir, name: &OsStr) -> Result<(), Failure> {
        match parent.create_dir(name, 0o755) {
            Err(error) if error.errno == Errno::EXIST => {}
            other => return Ok(other?),
        }
        let metadata = parent.metadata(name)?;
        if metadata.kind == FileType::Directory {
            return Ok(());
        }
        parent.remove_all(name)?;
        parent.create_dir(name, 0o755)?;
        // It took the place of a whiteout: what lay below stays gone.
        if whiteout::is_whiteout(&metadata) {
            whiteout::make_opaque(parent, name)?;
        }
        Ok(())
    }

    fn make_node(
        &mut self,
        parent: &Dir,
        name: &OsStr,
        kind: FileType,
        device: u64,
    ) -> Result<(), Failure> {
        self.make(parent, name, |dir, name| {
            dir.make_node(name, kind, 0, device)
        })
    }

    /// Makes something new, in the place of whatever an earlier entry put there.
    fn make<T>(
        &mut self,
        parent: &Dir,
        name: &OsStr,
        make: impl Fn(&Dir, &OsStr) -> Result<T, SysError>,
    ) -> Result<T, Failure> {
        match make(parent, name) {
            Err(error) if error.errno == Errno::EXIST => {
                parent.remove_all(name)?;
                Ok(make(parent, name)?)
            }
            other => Ok(other?),
        }
    }

    /// The directory for an entry: made if no entry did, links followed inside the layer.
    fn parent(&mut self, path: &Path) -> Result<Dir, Failure> {
        match self.last_parent.take() {
            Some((last, dir)) if last == path => return Ok(dir),
            _ => {}
        }
        match self.root.create_dir_all(path, 0o755) {
            Ok(dir) => Ok(dir),
            Err(SysError {
                errno: Errno::NOTDIR | Errno::EXIST | Errno::LOOP,
                ..
            }) => Err(Failure::Refused(
                "lies below something that is not a directory",
            )),
            Err(error) => Err(error.into()),
        }
    }

    fn parent_without_links(&mut self, path: &Path) -> Result<Dir, Failure> {
        let opened = match self.root.open_dir_without_links(path) {
            Err(error) if error.errno == Errno::NOENT => {
                drop(self.parent(path)?);
                self.root.open_dir_without_links(path)
            }
            other => other,
        };
        match opened {
            Err(SysError {
                errno: Errno::NOTDIR | Errno::LOOP,
                ..
            }) => Err(Failure::Refused("is a whiteout behind a link")),
            other => Ok(other?),
        }
    }

    fn set_directory_time(&self, path: &Path, time: Time) -> Result<(), SysError> {
        let times = timestamps(time);
        let Some(name) = path.file_name() else {
            return self.outer.set_times(OsStr::new(DIFF), &times);
        };
        let parent = self.root.open_dir(path.parent().unwrap_or(Path::new("")));
        match parent.and_then(|parent| parent.set_times(name, &times)) {
            // A later entry replaced it.
            Err(error) if error.is_not_found() => Ok(()),
            other => other,
        }
    }

    fn explain(&self, member: &Member, failure: Failure) -> ApplyError {
        let layer = self.subject;
        match failure {
            Failure::Sys(source) => ApplyError::Write { layer, source },
            Failure::Copy(CopyError::Source(source)) => ApplyError::Archive { layer, source },
            Failure::Copy(CopyError::Target(error)) => {
                let source = SysError::from_io("write", self.root.dir().path().display(), &error);
                ApplyError::Write { layer, source }
            }
            Failure::Refused(reason) => {
                let entry = String::from_utf8_lossy(&member.path)
                    .chars()
                    .take(200)
                    .collect();
                ApplyError::Refused {
                    layer,
                    entry,
                    reason,
                }
            }
        }
    }
}
