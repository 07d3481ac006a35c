//! Extended attributes by descriptor, or by parent and name without following a link.

use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{self, XattrFlags};

use crate::dir::{Dir, single};
use crate::error::{Errno, Result, SysError};

/// The kernel's own limits on one value and on the list of names.
const VALUE_BYTES_MAX: usize = 64 * 1024;

/// Sets an attribute of an open file.
///
/// # Errors
/// `ENOTSUP` where the file system has none.
pub fn set(fd: impl AsFd, attribute: &OsStr, value: &[u8]) -> Result<()> {
    fs::fsetxattr(fd, attribute, value, XattrFlags::empty())
        .map_err(|errno| SysError::new("fsetxattr", attribute.display(), errno))
}

/// Reads an attribute of an open file; `None` when it has none of that name.
///
/// # Errors
/// When the file system fails.
pub fn get(fd: impl AsFd, attribute: &OsStr) -> Result<Option<Vec<u8>>> {
    let mut value = vec![0; VALUE_BYTES_MAX];
    let length = fs::fgetxattr(fd, attribute, &mut value[..]);
    finish("fgetxattr", attribute, length, value)
}

/// Sets an attribute of `name` in `dir`; a link's own attribute for a link.
///
/// # Errors
/// `ENOTSUP` where the file system has none, `EPERM` for a kind that may not have it.
pub fn set_at(dir: &Dir, name: &OsStr, attribute: &OsStr, value: &[u8]) -> Result<()> {
    single(name)?;
    fs::lsetxattr(
        dir.path_by_descriptor(name),
        attribute,
        value,
        XattrFlags::empty(),
    )
    .map_err(|errno| dir.failed("lsetxattr", name, errno))
}

/// Reads an attribute of `name` in `dir`; a link's own attribute for a link.
///
/// # Errors
/// When the file system fails.
pub fn get_at(dir: &Dir, name: &OsStr, attribute: &OsStr) -> Result<Option<Vec<u8>>> {
    single(name)?;
    let mut value = vec![0; VALUE_BYTES_MAX];
    let length = fs::lgetxattr(dir.path_by_descriptor(name), attribute, &mut value[..]);
    finish("lgetxattr", name, length, value)
}

/// The names of the attributes of `name` in `dir`.
///
/// # Errors
/// When the file system fails.
pub fn list_at(dir: &Dir, name: &OsStr) -> Result<Vec<OsString>> {
    single(name)?;
    let mut names = vec![0; VALUE_BYTES_MAX];
    let length = match fs::llistxattr(dir.path_by_descriptor(name), &mut names[..]) {
        Err(Errno::NOTSUP) => 0,
        other => other.map_err(|errno| dir.failed("llistxattr", name, errno))?,
    };
    let names = names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    Ok(names
        .map(|name| OsStr::from_bytes(name).to_owned())
        .collect())
}

fn finish(
    call: &'static str,
    subject: &OsStr,
    length: rustix::io::Result<usize>,
    mut value: Vec<u8>,
) -> Result<Option<Vec<u8>>> {
    match length {
        Ok(length) => {
            value.truncate(length);
            Ok(Some(value))
        }
        Err(Errno::NODATA | Errno::NOTSUP) => Ok(None),
        Err(errno) => Err(SysError::new(call, subject.display(), errno)),
    }
}
