//! User namespaces: the users of a container as other users of the host, and the acts between.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use crate::capability::{self, Sets};
use crate::{During as _, Errno, Result, SysError};

/// Who the users of a namespace are outside: `count` numbers from 0 on are those from `first` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdMap {
    /// The user and group that 0 is.
    pub first: u32,
    /// How many there are.
    pub count: u32,
}

/// What a number that is nobody's shows as.
const OVERFLOW: u32 = 65_534;

/// A file's capabilities, as the extended attribute has them: the version's bits, and the layouts
/// of version 2 and of version 3, which has the number of a namespace's root behind.
const CAPABILITY: &[u8] = b"security.capability";
const REVISION_BITS: u32 = 0xff00_0000;
const REVISION_2: u32 = 0x0200_0000;
const REVISION_3: u32 = 0x0300_0000;
const REVISION_2_BYTES: usize = 20;

/// An access list: its name's beginning, its head, and of each entry of eight bytes the tags whose
/// last four are a user or group.
const ACCESS_LIST: &[u8] = b"system.posix_acl_";
const ACCESS_HEAD_BYTES: usize = 4;
const ACCESS_USER: u16 = 0x02;
const ACCESS_GROUP: u16 = 0x08;

impl IdMap {
    /// Returns who a number of the namespace is outside; `None` when it is nobody there.
    pub fn outside(self, inside: u32) -> Option<u32> {
        (inside < self.count).then(|| self.first + inside)
    }

    /// Returns who a number of outside is in the namespace; who is not in it is nobody.
    pub fn inside(self, outside: u32) -> u32 {
        match outside.checked_sub(self.first) {
            Some(inside) if inside < self.count => inside,
            _ => OVERFLOW,
        }
    }

    /// Returns an attribute of a file as it reads inside; numbers in it are seen from there.
    pub fn attribute_inside(self, name: &[u8], value: Vec<u8>) -> Vec<u8> {
        if name == CAPABILITY {
            return self.capability_inside(value);
        }
        shift_access_list(name, value, |id| self.inside(id))
    }

    /// Returns an attribute that is written inside as it is outside.
    pub fn attribute_outside(self, name: &[u8], value: Vec<u8>) -> Vec<u8> {
        if name == CAPABILITY {
            return self.capability_outside(value);
        }
        shift_access_list(name, value, |id| self.outside(id).unwrap_or(OVERFLOW))
    }

    fn capability_inside(self, mut value: Vec<u8>) -> Vec<u8> {
        let is_ours = revision(&value) == Some(REVISION_3)
            && number(&value, REVISION_2_BYTES) == Some(self.first);
        if is_ours {
            value.truncate(REVISION_2_BYTES);
            set_revision(&mut value, REVISION_2);
        }
        value
    }

    fn capability_outside(self, mut value: Vec<u8>) -> Vec<u8> {
        if revision(&value) == Some(REVISION_2) && value.len() == REVISION_2_BYTES {
            set_revision(&mut value, REVISION_3);
            value.extend(self.first.to_le_bytes());
        }
        value
    }
}

fn number(value: &[u8], at: usize) -> Option<u32> {
    let bytes = value.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(bytes))
}

fn revision(value: &[u8]) -> Option<u32> {
    number(value, 0).map(|word| word & REVISION_BITS)
}

fn set_revision(value: &mut [u8], revision: u32) {
    let Some(word) = number(value, 0) else {
        return;
    };
    value[..4].copy_from_slice(&(word & !REVISION_BITS | revision).to_le_bytes());
}

fn shift_access_list(name: &[u8], mut value: Vec<u8>, shift: impl Fn(u32) -> u32) -> Vec<u8> {
    if !name.starts_with(ACCESS_LIST) || value.len() < ACCESS_HEAD_BYTES {
        return value;
    }
    for entry in value[ACCESS_HEAD_BYTES..].chunks_exact_mut(8) {
        let tag = u16::from_le_bytes([entry[0], entry[1]]);
        if let (ACCESS_USER | ACCESS_GROUP, Some(id)) = (tag, number(entry, 4)) {
            entry[4..].copy_from_slice(&shift(id).to_le_bytes());
        }
    }
    value
}

/// Says who the users of the namespace of process `pid` are; once for each namespace.
///
/// # Errors
/// `EPERM` without the right, or when it has been said.
pub fn set_map(pid: i32, map: IdMap) -> Result<()> {
    let line = format!("0 {} {}\n", map.first, map.count);
    for file in ["uid_map", "gid_map"] {
        let path = format!("/proc/{pid}/{file}");
        fs::write(&path, &line).during("write", path)?;
    }
    Ok(())
}

/// Opens the user namespace of process `pid`.
///
/// # Errors
/// `ENOENT` when there is no such process.
pub fn of_process(pid: i32) -> Result<OwnedFd> {
    let path = format!("/proc/{pid}/ns/user");
    fs::File::open(&path)
        .map(OwnedFd::from)
        .during("open", path)
}

/// Lets what this thread makes belong to another user and group from now on; its rights stay.
///
/// # Errors
/// `EPERM` without the right.
pub fn make_files_of(user: u32, group: u32) -> Result<()> {
    let former = capability::current()?;
    nix::unistd::setfsgid(nix::unistd::Gid::from_raw(group));
    nix::unistd::setfsuid(nix::unistd::Uid::from_raw(user));
    // The calls tell no failure but by what they return next: who it is now.
    let now = nix::unistd::setfsuid(nix::unistd::Uid::from_raw(user));
    if now.as_raw() != user {
        return Err(SysError::new("setfsuid", user, Errno::PERM));
    }
    // A user who is not root lost the rights over files with the change.
    capability::set(&Sets {
        effective: former.effective,
        ..former
    })
}

/// Does `work` as another user, with no right but that user's; then as root again, for whom files
/// are made from then on. For processes with one thread, that are root.
///
/// # Errors
/// `EPERM` without the right.
pub fn as_user<T>(user: u32, work: impl FnOnce() -> T) -> Result<T> {
    let change =
        |user: u32| nix::unistd::seteuid(nix::unistd::Uid::from_raw(user)).during("seteuid", user);
    change(user)?;
    let done = work();
    change(0)?;
    Ok(done)
}

/// Says whether this kernel has user namespaces.
pub fn are_there() -> bool {
    Path::new("/proc/self/ns/user").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: IdMap = IdMap {
        first: 100_000,
        count: 65_536,
    };

    #[test]
    fn numbers_go_there_and_back_and_others_are_nobody() {
        assert_eq!(MAP.outside(0), Some(100_000));
        assert_eq!(MAP.outside(65_535), Some(165_535));
        assert_eq!(MAP.outside(65_536), None);
        for id in [0, 1, 65_535] {
            assert_eq!(MAP.outside(id).map(|id| MAP.inside(id)), Some(id));
        }
        for nobody in [0, 99_999, 165_536, u32::MAX] {
            assert_eq!(MAP.inside(nobody), OVERFLOW);
        }
    }

    #[test]
    fn capabilities_of_files_belong_to_the_namespaces_root() {
        let mut plain = vec![0; 20];
        plain[..4].copy_from_slice(&0x0200_0001_u32.to_le_bytes());
        let outside = MAP.attribute_outside(CAPABILITY, plain.clone());
        assert_eq!(outside.len(), 24);
        assert_eq!(number(&outside, 0), Some(0x0300_0001));
        assert_eq!(number(&outside, 20), Some(100_000));
        assert_eq!(MAP.attribute_inside(CAPABILITY, outside), plain);
        assert_eq!(MAP.attribute_outside(CAPABILITY, vec![1]), [1]);
    }

    #[test]
    fn access_lists_name_the_users_of_the_other_side() {
        let mut list = 2_u32.to_le_bytes().to_vec();
        for (tag, id) in [(0x01_u16, u32::MAX), (0x02, 7), (0x08, 9)] {
            list.extend(tag.to_le_bytes());
            list.extend(6_u16.to_le_bytes());
            list.extend(id.to_le_bytes());
        }
        let name = b"system.posix_acl_access";
        let outside = MAP.attribute_outside(name, list.clone());
        assert_eq!(number(&outside, 8), Some(u32::MAX));
        assert_eq!(number(&outside, 16), Some(100_007));
        assert_eq!(number(&outside, 24), Some(100_009));
        assert_eq!(MAP.attribute_inside(name, outside), list);
        assert_eq!(MAP.attribute_inside(b"user.x", vec![1, 2]), [1, 2]);
    }
}
