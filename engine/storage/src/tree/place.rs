//! An archive goes into a directory of a container, by the rules of `docker cp`.
//!
//! A directory stays what it is and takes the archive's owner, bits and time; anything else is
//! replaced, a file by a file in one step and only when the new one is whole. Nothing of the archive leads above the directory, and a link that the container has
//! on the way leads to where the container itself would get.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use engine_sys::dir::{Dir, FileType, device_number};
use engine_sys::path::Root;
use engine_sys::users::{self, IdMap};
use engine_sys::{Errno, SysError};
use engine_tar::{Archive, Bounds, Decompressed, Kind, Member, TarError, Time};

use super::locate::{AskedPath, LocateError};
use super::owner::Owner;
use crate::layers::{
    CopyError, clean_plain, copy, set_attributes, set_file_attributes, timestamps,
};

const BUFFER_BYTES: usize = 256 * 1024;
const ENTRIES_MAX: u64 = 10_000_000;
const DEPTH_MAX: usize = 256;
/// Copies that replace files of one directory at a time.
const ASIDE_TRIES: u32 = 64;
/// Directories whose time is set at the end; those above keep the time of the copy.
const DIRECTORIES_MAX: usize = 200_000;

/// Nobody copies a petabyte; compressed archives grow by what compression does to text at most.
const BOUNDS: Bounds = Bounds {
    bytes_max: 1 << 50,
    ratio_max: 1_000,
    ratio_free_bytes: 1 << 30,
};

/// How an archive is placed.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlaceOptions {
    /// Refuse to replace a directory by anything else, and anything else by a directory.
    pub keep_kinds: bool,
    /// Everything belongs to this owner instead of the archive's.
    pub owner: Option<Owner>,
    /// Who the container's users are on the host, where those are others.
    pub map: Option<IdMap>,
    /// How much may come, where that is less than for a copy.
    pub bounds: Option<PlaceBounds>,
}

/// How much an archive may bring that nobody has in a container yet. It brings no devices.
#[derive(Debug, Clone, Copy)]
pub struct PlaceBounds {
    /// Bytes of the archive.
    pub bytes_max: u64,
    /// Things in it.
    pub entries_max: u64,
}

/// Why an archive was not placed, or not wholly.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The directory is not there.
    #[error(transparent)]
    Locate(#[from] LocateError),
    /// Nothing may be written there.
    #[error("{path} is read-only")]
    ReadOnly {
        /// The directory.
        path: PathBuf,
        /// It is the container's own root that is, and not something mounted in it.
        is_root: bool,
    },
    /// The archive cannot be read.
    #[error("failed to read the archive")]
    Archive(#[source] TarError),
    /// A member would do what it must not.
    #[error("{entry:?} is refused: it {reason}")]
    Refused {
        /// The member's name, shortened.
        entry: String,
        /// What it would do.
        reason: String,
    },
    /// A member could not be written.
    #[error("failed to write {entry:?}")]
    Write {
        /// The member's name, shortened.
        entry: String,
        /// Why.
        #[source]
        source: SysError,
    },
}

/// Puts the members of an archive, compressed or not, into the directory `asked` below `root`.
///
/// # Errors
/// See [`PlaceError`]; members before the one that failed are there.
pub fn place(
    root: &Root,
    asked: &AskedPath,
    source: impl Read + Send,
    options: PlaceOptions,
) -> Result<(), PlaceError> {
    if let Some(map) = options.map {
        // Directories on the way, and what else is made without an owner of its own.
        users::make_files_of(map.first, map.first).map_err(|source| LocateError::Failed {
            path: asked.path().to_owned(),
            source,
        })?;
    }
    let target = asked.open_dir(root)?;
    let look = |source| LocateError::Failed {
        path: asked.path().to_owned(),
        source,
    };
    let top = root.dir().own_metadata().map_err(look)?;
    let metadata = target.metadata().map_err(look)?;
    if target.is_on_readonly_mount().map_err(look)? {
        return Err(PlaceError::ReadOnly {
            path: asked.path().to_owned(),
            is_root: metadata.file_system == top.file_system,
        });
    }
    let mut placer = Placer {
        root,
        asked,
        target: target.into_dir().map_err(look)?,
        root_file_system: top.file_system,
        options,
        last_parent: None,
        directory_times: BTreeMap::new(),
        buffer: vec![0; BUFFER_BYTES],
    };
    let (bounds, entries_max) = match options.bounds {
        None => (BOUNDS, ENTRIES_MAX),
        Some(bounds) => (
            Bounds {
                bytes_max: bounds.bytes_max,
                ..BOUNDS
            },
            bounds.entries_max,
        ),
    };
    let plain = Decompressed::new(source, bounds).map_err(PlaceError::Archive)?;
    let plain = BufReader::with_capacity(BUFFER_BYTES, plain);
    let mut members = Archive::new(plain, entries_max);
    while let Some(member) = members.next_member().map_err(PlaceError::Archive)? {
        let added = placer.add(&member, &mut members.content());
        added.map_err(|failure| explain(&member, failure))?;
    }
    placer.finish();
    members.drain().map_err(PlaceError::Archive)
}

/// What stands where a member goes.
enum Room {
    /// Nothing, or a directory that stays.
    Free,
    /// A file that stays until its successor is whole.
    OldFile,
}

enum Failure {
    Refused(String),
    Sys(SysError),
    Copy(CopyError),
}

impl From<SysError> for Failure {
    fn from(error: SysError) -> Self {
        Self::Sys(error)
    }
}

struct Placer<'a> {
    root: &'a Root,
    asked: &'a AskedPath,
    /// The directory, whatever has its name by now.
    target: Dir,
    root_file_system: u64,
    options: PlaceOptions,
    /// The parent of the member before, by its name: neighbours usually share it.
    last_parent: Option<(PathBuf, Dir)>,
    /// Set last, since filling a directory changes its time.
    directory_times: BTreeMap<PathBuf, Time>,
    buffer: Vec<u8>,
}

impl Placer<'_> {
    fn add(&mut self, member: &Member, content: &mut impl Read) -> Result<(), Failure> {
        let path = clean(&member.path).map_err(|reason| Failure::Refused(reason.to_owned()))?;
        let Some(name) = path.file_name() else {
            // The directory itself stays as it is.
            return match member.kind {
                Kind::Directory => Ok(()),
                _ => Err(Failure::Refused(
                    "would replace the directory itself".to_owned(),
                )),
            };
        };
        let mut member = member.clone();
        if let Some(owner) = self.options.owner {
            (member.uid, member.gid) = (owner.uid, owner.gid);
        }
        if let Some(map) = self.options.map {
            shift(&mut member, map)?;
        }
        let parent_path = path.parent().unwrap_or(Path::new(""));
        let parent = self.parent(parent_path)?;
        match self.make_room(&parent, name, &path, &member)? {
            Room::Free => self.add_thing(&parent, name, &path, &member, content)?,
            Room::OldFile => self.replace_file(&parent, name, &member, content)?,
        }
        self.last_parent = Some((parent_path.to_owned(), parent));
        Ok(())
    }

    /// Takes away what the member replaces, but a file that another one follows.
    fn make_room(
        &self,
        parent: &Dir,
        name: &OsStr,
        path: &Path,
        member: &Member,
    ) -> Result<Room, Failure> {
        let there = match parent.metadata(name) {
            Err(error) if error.errno == Errno::NOENT => return Ok(Room::Free),
            other => other?,
        };
        let (was, is) = (
            there.kind == FileType::Directory,
            member.kind == Kind::Directory,
        );
        if was && is {
            return Ok(Room::Free);
        }
        if self.options.keep_kinds && was != is {
            let (old, new) = if was {
                ("directory", "non-directory")
            } else {
                ("non-directory", "directory")
            };
            let path = self.asked.path().join(path);
            let reason = format!("cannot overwrite {old} {path:?} with {new}");
            return Err(Failure::Refused(reason));
        }
        if let Kind::HardLink(target) = &member.kind
            && let Ok(target) = clean(target)
            && target == path
        {
            return Err(Failure::Refused("is a hard link to itself".to_owned()));
        }
        if there.kind == FileType::RegularFile && member.kind == Kind::File {
            return Ok(Room::OldFile);
        }
        parent.remove_all(name)?;
        Ok(Room::Free)
    }

    /// Writes a file beside the one that it follows, and takes its place when it is whole: whoever
    /// reads sees the old or the new one, and a sender that breaks off leaves the old one.
    fn replace_file(
        &mut self,
        parent: &Dir,
        name: &OsStr,
        member: &Member,
        content: &mut impl Read,
    ) -> Result<(), Failure> {
        let (aside, file) = create_aside(parent)?;
        let written = self.fill(&file, member, content);
        let done = written.and_then(|()| Ok(parent.replace(&aside, name)?));
        if done.is_err() {
            // The failure is what there is to tell; the container may have taken it away itself.
            let _ = parent.remove_file(&aside);
        }
        done
    }

    fn fill(
        &mut self,
        mut file: &File,
        member: &Member,
        content: &mut impl Read,
    ) -> Result<(), Failure> {
        copy(content, &mut file, &mut self.buffer).map_err(Failure::Copy)?;
        Ok(set_file_attributes(file, member)?)
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
            Kind::File => {
                let file = parent.create_file(name, 0o600)?;
                let filled = self.fill(&file, member, content);
                if filled.is_err() {
                    // Half a file looks like a whole one to whoever finds it.
                    let _ = parent.remove_file(name);
                }
                return filled;
            }
            Kind::HardLink(target) => return self.add_hard_link(parent, name, target),
            Kind::Directory => {
                match parent.create_dir(name, 0o755) {
                    Err(error) if error.errno == Errno::EXIST => {}
                    other => other?,
                }
                if self.directory_times.len() < DIRECTORIES_MAX {
                    self.directory_times
                        .insert(path.to_owned(), member.modified);
                }
            }
            Kind::Symlink(target) => parent.symlink(OsStr::from_bytes(target), name)?,
            Kind::Fifo => parent.make_node(name, FileType::Fifo, 0, 0)?,
            Kind::CharacterDevice(major, minor) => {
                let device = device_number(*major, *minor);
                self.make_device(parent, name, FileType::CharacterDevice, device)?;
            }
            Kind::BlockDevice(major, minor) => {
                let device = device_number(*major, *minor);
                self.make_device(parent, name, FileType::BlockDevice, device)?;
            }
        }
        set_attributes(parent, name, member)?;
        if member.kind != Kind::Directory {
            parent.set_times(name, &timestamps(member.modified))?;
        }
        Ok(())
    }

    /// Only inside the container's own root is a device shut in by the container's rules; on a
    /// directory of the host that is mounted in it, the host's users would find it.
    fn make_device(
        &self,
        parent: &Dir,
        name: &OsStr,
        kind: FileType,
        device: u64,
    ) -> Result<(), Failure> {
        if self.options.bounds.is_some() {
            let reason = "is a device, which a build's files may not be";
            return Err(Failure::Refused(reason.to_owned()));
        }
        if parent.own_metadata()?.file_system != self.root_file_system {
            let reason = "is a device, and would lie on a mount and not in the container's root";
            return Err(Failure::Refused(reason.to_owned()));
        }
        Ok(parent.make_node(name, kind, 0, device)?)
    }

    /// Links to a member of this archive or to what was below the directory; over no link.
    fn add_hard_link(&self, parent: &Dir, name: &OsStr, target: &[u8]) -> Result<(), Failure> {
        let outside = || Failure::Refused("is a hard link to what is not there".to_owned());
        let target = clean(target).map_err(|_| outside())?;
        let Some(target_name) = target.file_name() else {
            return Err(outside());
        };
        let here = Root::new(self.target.try_clone()?);
        let from = here.open_dir_without_links(target.parent().unwrap_or(Path::new("")));
        let linked = from.and_then(|from| parent.hard_link(&from, target_name, name));
        match linked {
            Err(error)
                if error.is_not_found()
                    || matches!(error.errno, Errno::LOOP | Errno::PERM | Errno::XDEV) =>
            {
                Err(outside())
            }
            other => Ok(other?),
        }
    }

    /// The directory for a member: made where it is missing, links followed inside the root.
    fn parent(&mut self, path: &Path) -> Result<Dir, Failure> {
        match self.last_parent.take() {
            Some((last, dir)) if last == path => return Ok(dir),
            _ => {}
        }
        let mut here = self.target.try_clone()?;
        let mut so_far = self.asked.path().to_owned();
        for component in path {
            so_far.push(component);
            here = match self.root.open_dir(&so_far) {
                Err(error) if error.errno == Errno::NOENT => {
                    match here.create_dir(component, 0o755) {
                        Err(error) if error.errno == Errno::EXIST => {}
                        other => other?,
                    }
                    here.open_dir(component)?
                }
                other => other?,
            };
        }
        Ok(here)
    }

    /// Whatever became of a directory meanwhile: its time is not worth a failure.
    fn finish(mut self) {
        for (path, time) in std::mem::take(&mut self.directory_times).iter().rev() {
            let Some(name) = path.file_name() else {
                continue;
            };
            let parent = self
                .asked
                .path()
                .join(path.parent().unwrap_or(Path::new("")));
            if let Ok(parent) = self.root.open_dir(&parent) {
                let _ = parent.set_times(name, &timestamps(*time));
            }
        }
    }
}

/// Makes a new file that has the name of nothing yet.
fn create_aside(parent: &Dir) -> Result<(OsString, File), Failure> {
    for n in 0..ASIDE_TRIES {
        let name = OsString::from(format!(".gantry-new-{}-{n}", std::process::id()));
        match parent.create_file(&name, 0o600) {
            Err(error) if error.errno == Errno::EXIST => {}
            other => return Ok((name, other?)),
        }
    }
    let reason = "has no free name beside it for what replaces it";
    Err(Failure::Refused(reason.to_owned()))
}

/// Makes the owner of a member, and of what its attributes say, who that is on the host.
fn shift(member: &mut Member, map: IdMap) -> Result<(), Failure> {
    let nobody = |id: u32| {
        Failure::Refused(format!(
            "belongs to {id}, who is nobody in this container: it has {} users and groups",
            map.count
        ))
    };
    for id in [&mut member.uid, &mut member.gid] {
        *id = map.outside(*id).ok_or_else(|| nobody(*id))?;
    }
    for attribute in &mut member.xattrs {
        let value = std::mem::take(&mut attribute.value);
        attribute.value = map.attribute_outside(&attribute.name, value);
    }
    Ok(())
}

/// A name as a path below the directory; archives of a whole root have a slash in front.
fn clean(name: &[u8]) -> Result<PathBuf, &'static str> {
    let n_slashes = name.iter().take_while(|byte| **byte == b'/').count();
    clean_plain(&name[n_slashes..], DEPTH_MAX)
}

fn explain(member: &Member, failure: Failure) -> PlaceError {
    let name = String::from_utf8_lossy(&member.path);
    let entry: String = name.chars().take(200).collect();
    match failure {
        Failure::Refused(reason) => PlaceError::Refused { entry, reason },
        Failure::Sys(source) => PlaceError::Write { entry, source },
        Failure::Copy(CopyError::Source(error)) => PlaceError::Archive(error),
        Failure::Copy(CopyError::Target(error)) => {
            let source = SysError::from_io("write", &entry, &error);
            PlaceError::Write { entry, source }
        }
    }
}

impl PlaceError {
    /// Says whether the disk was full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Write { source, .. } if source.is_full())
    }

    /// Says whether nothing may be written there.
    pub fn is_readonly(&self) -> bool {
        matches!(self, Self::Write { source, .. } if source.errno == Errno::ROFS)
    }

    /// Says whether the sender broke off.
    pub fn is_cut(&self) -> bool {
        matches!(self, Self::Archive(TarError::Read(error))
            if error.kind() != io::ErrorKind::UnexpectedEof)
    }
}
