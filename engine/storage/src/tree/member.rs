//! What an archive says of a thing of a tree.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use engine_sys::dir::{Dir, FileType, Metadata};
use engine_sys::pinned::Pinned;
use engine_sys::users::IdMap;
use engine_sys::{Errno, SysError, xattr};
use engine_tar::{Kind, Member, Time, Xattr};

use crate::layers::is_attribute_kept;

/// Files of several names that are remembered; behind it each name becomes a file of its own.
const LINKED_MAX: usize = 200_000;

/// What is remembered of a tree while it is described.
#[derive(Default)]
pub(crate) struct Seen {
    /// Which inodes have been written already, and under which name.
    inodes: HashMap<(u64, u64), Vec<u8>>,
    /// Who the owners are in the archive, where those are others.
    map: Option<IdMap>,
}

impl Seen {
    /// Begins a tree whose owners are the users of a container.
    pub(crate) fn of_users(map: Option<IdMap>) -> Self {
        Self {
            map,
            ..Self::default()
        }
    }

    fn inside(&self, id: u32) -> u32 {
        self.map.map_or(id, |map| map.inside(id))
    }
}

/// Describes `name` in `dir`, to be called `path` in an archive; `None` for what archives do not
/// have (sockets).
pub(crate) fn describe(
    dir: Option<(&Dir, &OsStr)>,
    pinned: &Pinned,
    path: Vec<u8>,
    seen: &mut Seen,
) -> Result<Option<Member>, SysError> {
    let metadata = pinned.metadata()?;
    let Some(kind) = kind(pinned, &metadata)? else {
        return Ok(None);
    };
    let mut member = Member {
        size_bytes: if kind == Kind::File {
            metadata.size_bytes
        } else {
            0
        },
        path,
        kind,
        mode: metadata.mode,
        uid: seen.inside(metadata.uid),
        gid: seen.inside(metadata.gid),
        // Docker's archives know whole seconds, and so does what compares with them.
        modified: Time {
            seconds: metadata.modified.0,
            nanoseconds: 0,
        },
        xattrs: match dir {
            Some((dir, name)) => xattrs(dir, name, seen.map)?,
            None => Vec::new(),
        },
    };
    if metadata.kind != FileType::Directory && metadata.n_links > 1 {
        let inode = (metadata.file_system, metadata.inode);
        match seen.inodes.get(&inode) {
            Some(first) => {
                member.kind = Kind::HardLink(first.clone());
                member.size_bytes = 0;
                member.xattrs.clear();
            }
            None if seen.inodes.len() < LINKED_MAX => {
                seen.inodes.insert(inode, member.path.clone());
            }
            None => {}
        }
    }
    Ok(Some(member))
}

fn kind(pinned: &Pinned, metadata: &Metadata) -> Result<Option<Kind>, SysError> {
    Ok(Some(match metadata.kind {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Symlink(pinned.read_link()?.as_bytes().to_vec()),
        FileType::Fifo => Kind::Fifo,
        FileType::CharacterDevice => {
            let (major, minor) = engine_sys::dir::device_parts(metadata.device);
            Kind::CharacterDevice(major, minor)
        }
        FileType::BlockDevice => {
            let (major, minor) = engine_sys::dir::device_parts(metadata.device);
            Kind::BlockDevice(major, minor)
        }
        _ => return Ok(None),
    }))
}

/// The attributes that a layer may have as well.
fn xattrs(dir: &Dir, name: &OsStr, map: Option<IdMap>) -> Result<Vec<Xattr>, SysError> {
    let names = match xattr::list_at(dir, name) {
        // It went meanwhile, or may not be asked.
        Err(error) if matches!(error.errno, Errno::NOENT | Errno::ACCESS | Errno::PERM) => {
            return Ok(Vec::new());
        }
        other => other?,
    };
    let mut xattrs = Vec::new();
    for attribute in names {
        if !is_attribute_kept(attribute.as_bytes()) {
            continue;
        }
        if let Ok(Some(value)) = xattr::get_at(dir, name, &attribute) {
            let name = attribute.as_bytes().to_vec();
            let value = match map {
                Some(map) => map.attribute_inside(&name, value),
                None => value,
            };
            xattrs.push(Xattr { name, value });
        }
    }
    xattrs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(xattrs)
}
