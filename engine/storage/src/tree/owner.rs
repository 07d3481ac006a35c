//! Who a container's user is, by the container's own files.

use std::path::Path;

use engine_sys::path::Root;

/// Longest `passwd` and `group` that are read.
pub(crate) const FILE_BYTES_MAX: u64 = 1 << 20;

/// An owner and a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// Resolves Docker's words for a user (`user`, `uid`, `user:group`, `uid:gid`) by the files below
/// `root`; `None` when there is no such user or group.
pub fn owner_of(root: &Root, user: &str) -> Option<Owner> {
    let (name, group) = match user.split_once(':') {
        Some((name, group)) => (name, Some(group)),
        None => (user, None),
    };
    let passwd = read(root, "/etc/passwd");
    let entry = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.len() >= 4 && (fields[0] == name || fields[2] == name));
    let own = entry.and_then(|fields| Some((id(fields[2])?, id(fields[3])?)));
    let (uid, own_gid) = own.or_else(|| Some((id(name)?, 0)))?;
    let gid = match group {
        None => own_gid,
        Some(group) => match id(group) {
            Some(gid) => gid,
            None => group_id(root, group)?,
        },
    };
    Some(Owner { uid, gid })
}

/// The names of owners and groups, by the container's own files.
#[derive(Debug)]
pub struct OwnerNames {
    passwd: String,
    group: String,
}

impl OwnerNames {
    /// Reads them below `root`.
    pub fn of(root: &Root) -> Self {
        Self::in_texts(read(root, "/etc/passwd"), read(root, "/etc/group"))
    }

    /// Takes the texts of both files.
    pub fn in_texts(passwd: String, group: String) -> Self {
        Self { passwd, group }
    }

    /// The name of an owner, if it has one.
    pub fn user(&self, uid: u32) -> Option<&str> {
        name_of(&self.passwd, uid)
    }

    /// The name of a group, if it has one.
    pub fn group(&self, gid: u32) -> Option<&str> {
        name_of(&self.group, gid)
    }
}

/// Both files begin their lines with a name, a password and a number.
fn name_of(lines: &str, wanted: u32) -> Option<&str> {
    lines.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (id(number) == Some(wanted)).then_some(name)
    })
}

fn group_id(root: &Root, name: &str) -> Option<u32> {
    read(root, "/etc/group")
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.len() >= 3 && fields[0] == name)
        .and_then(|fields| id(fields[2]))
}

/// Digits alone, and no number that the kernel reads as something else.
fn id(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse::<u32>()
        .ok()
        .filter(|id| i32::try_from(*id).is_ok())
}

/// A file that is not there, or is no text, says nothing.
fn read(root: &Root, path: &str) -> String {
    let bytes = root
        .read(Path::new(path), FILE_BYTES_MAX)
        .unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_number() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        let users = "root:x:0:0::/:/bin/sh\nweb:x:1000:1001::/:/bin/sh\nbad:x:4294967296:0::/:\n";
        std::fs::write(dir.path().join("etc/passwd"), users).unwrap();
        std::fs::write(dir.path().join("etc/group"), "www:x:33:\n").unwrap();
        let root = Root::open(dir.path()).unwrap();
        let check = |user: &str, expected: Option<(u32, u32)>| {
            let found = owner_of(&root, user).map(|owner| (owner.uid, owner.gid));
            assert_eq!(found, expected, "{user}");
        };
        check("web", Some((1000, 1001)));
        check("1000", Some((1000, 1001)));
        check("7", Some((7, 0)));
        check("web:www", Some((1000, 33)));
        check("7:8", Some((7, 8)));
        let names = OwnerNames::of(&root);
        assert_eq!(
            (names.user(1000), names.group(33)),
            (Some("web"), Some("www"))
        );
        assert_eq!((names.user(33), names.group(1000)), (None, None));
        for refused in ["nobody", "web:none", "bad", "4294967296", "-1", "+0", ""] {
            check(refused, None);
        }
    }
}
