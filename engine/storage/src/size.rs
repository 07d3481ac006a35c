//! How much a container may write: a project of the file system for its upper and work directory,
//! and a small one for the files that the engine writes for it and it may change.
//!
//! The number of a project is written nowhere but in the directories themselves, and its limit
//! is the file system's to keep: neither needs an engine that lives. A number is free when no file
//! has it and it has no limit; so there is no list of them that could be wrong.
//!
//! ```text
//!   make upper, work ── find a number, limit it ── give it to both ──> counted
//!   limit zero ── delete ──> the number is free     (broken off anywhere: the sweep does it again)
//! ```
//!
//! **Invariant:** a number is given back only by a directory whose inode leads to it: what a file
//! says of itself may be somebody else's number.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use engine_sys::dir::Dir;
use engine_sys::{During as _, Errno, SysError, mount, quota};

use crate::error::StoreError;
use crate::snapshots::{UPPER, WORK};

/// Our numbers: far from those that people and other programs begin with.
const FIRST: u32 = 1 << 30;
const N_NUMBERS: u32 = 1 << 30;

/// How many numbers are tried before giving up; one in a million is taken where there are many.
const ATTEMPTS: u32 = 64;

/// What lies beside the root: `hosts`, `hostname` and `resolv.conf`, mounted one by one.
const ETC: &str = "etc";

/// More than the engine ever writes there.
const ETC_BYTES: u64 = 1 << 20;

/// One number is looked for at a time: between "free" and "limited" nobody else may take it.
static CHOOSING: Mutex<()> = Mutex::new(());

const EXT4: i64 = 0xef53;
const XFS: i64 = 0x5846_5342;

/// Checks that the file system of a directory keeps what is written to a size.
///
/// # Errors
/// [`StoreError::NoSizes`] with what is missing.
pub fn check(dir: &Path) -> Result<(), StoreError> {
    let opened = File::open(dir).during("open", dir.display());
    let opened = opened.map_err(|source| failed(dir, source))?;
    if quota::is_enforced(&opened) {
        return Ok(());
    }
    let kind = mount::file_system(&opened).map_err(|source| failed(dir, source))?;
    let file_system = match kind {
        EXT4 => "ext4 without prjquota (mkfs.ext4 -O quota,project or tune2fs, then mount with \
                 prjquota, on a kernel that has them)"
            .to_owned(),
        XFS => "xfs without pquota (mount with pquota, on a kernel that has it)".to_owned(),
        other => format!("a file system of type {other:#x}; ext4 and xfs have them"),
    };
    Err(StoreError::NoSizes {
        path: dir.to_owned(),
        file_system,
    })
}

/// Takes the limits off a container's directory, which is about to be deleted.
pub fn give_back(dir: &Path) {
    let Ok(dir) = Dir::open(dir) else { return };
    for name in [UPPER, ETC] {
        // What stays is a limit on a number that nothing has; nobody would be helped by a failure.
        drop(release(&dir, name));
    }
}

/// Counts the new upper and work directory in `dir` together, up to a limit.
pub(crate) fn begin(dir: &Dir, size_bytes: u64) -> Result<(), SysError> {
    let (upper, number) = limit_new(dir, UPPER, size_bytes)?;
    let work = dir.open_file(OsStr::new(WORK))?;
    quota::set_project(&upper, number)?;
    quota::set_project(&work, number)
}

/// Makes the directory of the files beside the root anew, counted by itself: a container that has
/// filled it, with whatever, begins with room again.
pub(crate) fn renew_etc(dir: &Dir) -> Result<(), SysError> {
    // There is none before the first start.
    drop(release(dir, ETC));
    dir.remove_all(OsStr::new(ETC))?;
    dir.create_dir(OsStr::new(ETC), 0o755)?;
    let (etc, number) = limit_new(dir, ETC, ETC_BYTES)?;
    quota::set_project(&etc, number)
}

/// Sets the limit of the directory again; `false` when it is not counted.
pub(crate) fn keep(dir: &Dir, size_bytes: u64) -> Result<bool, SysError> {
    match number_of(dir, UPPER)? {
        Some((upper, number)) => quota::set_limit(&upper, number, size_bytes).map(|()| true),
        None => Ok(false),
    }
}

/// Finds a free number for a new directory and limits it; nothing has it yet.
fn limit_new(dir: &Dir, name: &str, size_bytes: u64) -> Result<(File, u32), SysError> {
    let opened = dir.open_file(OsStr::new(name))?;
    let _alone = CHOOSING.lock().unwrap_or_else(PoisonError::into_inner);
    for number in candidates(dir, name)? {
        let account = quota::account(&opened, number)?;
        if account.limit_bytes == 0 && account.n_files == 0 && account.used_bytes == 0 {
            quota::set_limit(&opened, number, size_bytes)?;
            return Ok((opened, number));
        }
    }
    Err(SysError::new(
        "find a free project",
        dir.path().display(),
        Errno::EXIST,
    ))
}

/// Takes the limit off the number of a directory, if it was made for that one.
fn release(dir: &Dir, name: &str) -> Result<(), SysError> {
    match number_of(dir, name)? {
        Some((opened, number)) if candidates(dir, name)?.any(|own| own == number) => {
            quota::set_limit(&opened, number, 0)
        }
        _ => Ok(()),
    }
}

/// Lists the numbers that a directory may get: where the file system has it, nobody else is.
fn candidates(dir: &Dir, name: &str) -> Result<impl Iterator<Item = u32>, SysError> {
    let inode = dir.metadata(OsStr::new(name))?.inode;
    let start = u32::try_from(inode % u64::from(N_NUMBERS)).unwrap_or(0);
    Ok((0..ATTEMPTS).map(move |attempt| FIRST + (start + attempt) % N_NUMBERS))
}

/// Returns a directory and its number, if it is one of ours.
fn number_of(dir: &Dir, name: &str) -> Result<Option<(File, u32)>, SysError> {
    let opened = dir.open_file(OsStr::new(name))?;
    let number = quota::project_of(&opened)?;
    let is_ours = (FIRST..FIRST + N_NUMBERS).contains(&number);
    Ok(is_ours.then_some((opened, number)))
}

fn failed(dir: &Path, source: SysError) -> StoreError {
    StoreError::Snapshot {
        action: "look at",
        path: dir.to_owned(),
        source,
    }
}
