//! What an entry says about a file beside its content: owner, bits, attributes, times.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;

use engine_sys::dir::{self, Dir, Timespec, Timestamps};
use engine_sys::{Errno, SysError, xattr};
use engine_tar::{Kind, Member, Time, Xattr};

/// Attributes that a layer may set. `trusted.overlay.*` steers the overlay, and the security
/// modules' labels belong to the host.
const ATTRIBUTES: [&[u8]; 4] = [
    b"user.",
    b"security.capability",
    b"system.posix_acl_access",
    b"system.posix_acl_default",
];

/// Gives a new file all of it, by its descriptor.
pub(crate) fn set_file_attributes(file: &File, member: &Member) -> Result<(), SysError> {
    if (member.uid, member.gid) != (0, 0) {
        dir::set_owner_of(file, member.uid, member.gid)?;
    }
    dir::set_mode_of(file, member.mode)?;
    for attribute in allowed(&member.xattrs) {
        tolerate(xattr::set(
            file,
            OsStr::from_bytes(&attribute.name),
            &attribute.value,
        ))?;
    }
    dir::set_times_of(file, &timestamps(member.modified))
}

/// Gives a new thing its owner, bits and attributes; in this order, since a change of the owner
/// clears the set-id bits and the capabilities.
pub(crate) fn set_attributes(parent: &Dir, name: &OsStr, member: &Member) -> Result<(), SysError> {
    parent.set_owner(name, member.uid, member.gid)?;
    if !matches!(member.kind, Kind::Symlink(_)) {
        parent.set_mode(name, member.mode)?;
    }
    for attribute in allowed(&member.xattrs) {
        let attribute_name = OsStr::from_bytes(&attribute.name);
        tolerate(xattr::set_at(
            parent,
            name,
            attribute_name,
            &attribute.value,
        ))?;
    }
    Ok(())
}

fn allowed(xattrs: &[Xattr]) -> impl Iterator<Item = &Xattr> {
    xattrs.iter().filter(|attribute| is_kept(&attribute.name))
}

/// Says whether an attribute goes into archives and comes out of them.
pub(crate) fn is_kept(name: &[u8]) -> bool {
    !name.starts_with(b"user.overlay.")
        && ATTRIBUTES.iter().any(|allowed| name.starts_with(allowed))
}

/// Goes on where the file system has no attributes of a kind, as other engines do.
fn tolerate(result: Result<(), SysError>) -> Result<(), SysError> {
    match result {
        Err(SysError {
            errno: Errno::NOTSUP | Errno::PERM,
            ..
        }) => Ok(()),
        other => other,
    }
}

pub(crate) fn timestamps(time: Time) -> Timestamps {
    let time = Timespec {
        tv_sec: time.seconds,
        tv_nsec: time.nanoseconds.into(),
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}
