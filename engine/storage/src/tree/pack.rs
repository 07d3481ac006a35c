//! A tree becomes an archive while it may change: what goes meanwhile is left out, what comes may
//! be missed, and no length that was promised is broken.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

use engine_sys::dir::Dir;
use engine_sys::path::Root;
use engine_sys::pinned::{Listing, Pinned};
use engine_sys::users::IdMap;
use engine_sys::{Errno, SysError};
use engine_tar::{Kind, Writer};

use super::locate::{Found, is_kernels};
use super::member::{Seen, describe};

/// Directories above one thing.
const DEPTH_MAX: usize = 256;
/// Names of a directory that are in memory at a time; these are in order.
const NAMES_MAX: usize = 16_384;

/// Why an archive was not written to its end.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A thing could not be read.
    #[error("failed to read the container's files")]
    Read(#[from] SysError),
    /// Whoever takes the archive failed or went away.
    #[error("failed to write the archive")]
    Write(#[source] io::Error),
    /// A container can make any depth.
    #[error("{0:?} lies deeper than {DEPTH_MAX} directories")]
    TooDeep(String),
}

/// Writes what was found, with everything below it, to `target`.
///
/// Mounts below are gone into as the container sees them, but for file systems of the kernel,
/// which are empty directories here. With a `map`, owners are told as the container knows them.
///
/// # Errors
/// See [`PackError`]; the archive is then cut.
pub fn pack<W: Write>(found: Found, map: Option<IdMap>, target: W) -> Result<W, PackError> {
    let mut packer = Packer {
        archive: Writer::new(target),
        seen: Seen::of_users(map),
    };
    let Found {
        name,
        parent,
        pinned,
        ..
    } = found;
    let own_name = OsStr::from_bytes(&name).to_owned();
    let at = parent.as_ref().map(|parent| (parent, own_name.as_os_str()));
    // The root of everything is "/", and what lies in it "/name": clients rename by that.
    packer.add(at, pinned, name, 0)?;
    packer.archive.finish().map_err(PackError::Write)
}

/// Writes everything below a root to `target`, by names that begin at the root, as [`pack`] does.
///
/// # Errors
/// See [`PackError`]; the archive is then cut.
pub fn pack_contents<W: Write>(root: &Root, map: Option<IdMap>, target: W) -> Result<W, PackError> {
    let mut packer = Packer {
        archive: Writer::new(target),
        seen: Seen::of_users(map),
    };
    packer.add_below(root.dir(), b"", 0)?;
    packer.archive.finish().map_err(PackError::Write)
}

struct Packer<W> {
    archive: Writer<W>,
    seen: Seen,
}

impl<W: Write> Packer<W> {
    fn add(
        &mut self,
        at: Option<(&Dir, &OsStr)>,
        pinned: Pinned,
        path: Vec<u8>,
        depth: usize,
    ) -> Result<(), PackError> {
        let Some(member) = describe(at, &pinned, path, &mut self.seen)? else {
            return Ok(());
        };
        match member.kind {
            Kind::File => {
                let mut file = match pinned.read() {
                    // Stale or locked away: like one that went.
                    Err(error) if is_gone(&error) => return Ok(()),
                    other => other?,
                };
                self.archive
                    .file(&member, &mut file)
                    .map_err(PackError::Write)
            }
            Kind::Directory => {
                self.archive.member(&member).map_err(PackError::Write)?;
                if is_kernels(&pinned)? {
                    return Ok(());
                }
                if depth == DEPTH_MAX {
                    let path = String::from_utf8_lossy(&member.path);
                    return Err(PackError::TooDeep(path.chars().take(256).collect()));
                }
                self.add_below(&pinned.into_dir()?, &member.path, depth)
            }
            _ => self.archive.member(&member).map_err(PackError::Write),
        }
    }

    fn add_below(&mut self, dir: &Dir, path: &[u8], depth: usize) -> Result<(), PackError> {
        let mut listing = Listing::of(dir)?;
        loop {
            let names = listing.next_names(NAMES_MAX)?;
            if names.is_empty() {
                return Ok(());
            }
            for name in names {
                let pinned = match Pinned::at(dir, &name) {
                    Err(error) if is_gone(&error) => continue,
                    other => other?,
                };
                let mut below = path.to_vec();
                if !matches!(below.last(), None | Some(b'/')) {
                    below.push(b'/');
                }
                below.extend_from_slice(name.as_bytes());
                self.add(Some((dir, &name)), pinned, below, depth + 1)?;
            }
        }
    }
}

fn is_gone(error: &SysError) -> bool {
    matches!(error.errno, Errno::NOENT | Errno::STALE | Errno::NOTDIR)
}
