//! Project quotas: how much the files of one project may take on their file system.
//!
//! A directory that hands its project on gives it to everything that is made in it. No crate
//! wraps `quotactl_fd`, and those that wrap `quotactl` want the name of a device and know no
//! projects.

use std::os::fd::{AsFd, AsRawFd as _};

use crate::{During as _, Errno, Result};

/// `PRJQUOTA`, the third kind after those of users and groups.
const PROJECT: libc::c_int = 2;
/// `Q_XGETQSTATV`, which every file system with quotas answers, not only XFS.
const GET_STATE: libc::c_int = 0x5808;
/// `FS_QUOTA_PDQ_ENFD`.
const PROJECTS_ENFORCED: u16 = 1 << 5;
/// What `struct if_dqblk` counts space in.
const BLOCK_BYTES: u64 = 1024;

const GET_ATTRIBUTES: libc::Ioctl = 0x801c_581f;
const SET_ATTRIBUTES: libc::Ioctl = 0x401c_5820;
/// `FS_XFLAG_PROJINHERIT`
const HANDS_ON: u32 = 0x200;

/// `struct fsxattr`
#[repr(C)]
#[derive(Default)]
struct Attributes {
    flags: u32,
    extent_size: u32,
    n_extents: u32,
    project: u32,
    cow_extent_size: u32,
    pad: [u8; 8],
}

/// `struct fs_quota_statv`
#[repr(C)]
#[derive(Default)]
struct State {
    version: i8,
    pad: u8,
    flags: u16,
    n_in_core: u32,
    rest: [u64; 19],
}

/// `struct if_dqblk`
#[repr(C)]
#[derive(Default)]
struct Block {
    hard_limit_blocks: u64,
    soft_limit_blocks: u64,
    used_bytes: u64,
    inode_hard_limit: u64,
    inode_soft_limit: u64,
    n_inodes: u64,
    block_time: u64,
    inode_time: u64,
    valid: u32,
}

/// What a project may have, and has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// The most that its files may take; zero is no limit.
    pub limit_bytes: u64,
    /// What they take.
    pub used_bytes: u64,
    /// How many there are.
    pub n_files: u64,
}

/// Tells whether the file system of an open file keeps projects to their limits.
pub fn is_enforced(fd: impl AsFd) -> bool {
    let mut state = State {
        version: 1,
        ..State::default()
    };
    // A kernel or a file system without quotas has a number of reasons to say so.
    quotactl(fd, GET_STATE, 0, &mut state).is_ok_and(|()| state.flags & PROJECTS_ENFORCED != 0)
}

/// Returns what a project may have and has on the file system of an open file.
///
/// # Errors
/// When the file system counts no projects.
pub fn account(fd: impl AsFd, project: u32) -> Result<Account> {
    let mut block = Block::default();
    match quotactl(fd, libc::Q_GETQUOTA, project, &mut block) {
        // XFS knows no project that nobody spoke of yet.
        Err(error) if error.errno == Errno::NOENT => {}
        other => other?,
    }
    Ok(Account {
        limit_bytes: block.hard_limit_blocks.saturating_mul(BLOCK_BYTES),
        used_bytes: block.used_bytes,
        n_files: block.n_inodes,
    })
}

/// Sets the most that a project may take on the file system of an open file; zero is no limit.
///
/// # Errors
/// When the file system counts no projects, or not so far.
pub fn set_limit(fd: impl AsFd, project: u32, limit_bytes: u64) -> Result<()> {
    let mut block = Block {
        hard_limit_blocks: limit_bytes.div_ceil(BLOCK_BYTES),
        valid: libc::QIF_BLIMITS,
        ..Block::default()
    };
    quotactl(fd, libc::Q_SETQUOTA, project, &mut block)
}

/// Returns the project of an open file; zero is none.
///
/// # Errors
/// Where the file system knows no projects.
pub fn project_of(fd: impl AsFd) -> Result<u32> {
    attributes(fd).map(|attributes| attributes.project)
}

/// Makes an open directory part of a project, and everything that will be made in it.
///
/// # Errors
/// Where the file system knows no projects.
pub fn set_project(fd: impl AsFd, project: u32) -> Result<()> {
    let mut attributes = attributes(&fd)?;
    attributes.flags |= HANDS_ON;
    attributes.project = project;
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the call reads one `struct fsxattr`, which lives through it; the descriptor is
    // borrowed.
    let result = unsafe { libc::ioctl(fd, SET_ATTRIBUTES, &raw const attributes) };
    answer(result.into()).during("ioctl(FS_IOC_FSSETXATTR)", project)
}

fn attributes(fd: impl AsFd) -> Result<Attributes> {
    let mut attributes = Attributes::default();
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the call writes one `struct fsxattr`, which lives through it; the descriptor is
    // borrowed.
    let result = unsafe { libc::ioctl(fd, GET_ATTRIBUTES, &raw mut attributes) };
    answer(result.into()).during("ioctl(FS_IOC_FSGETXATTR)", "a directory")?;
    Ok(attributes)
}

/// `T` is the structure that the command reads or writes.
fn quotactl<T>(fd: impl AsFd, command: libc::c_int, project: u32, about: &mut T) -> Result<()> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: each command of this module comes with the structure that it reads or writes, which
    // is borrowed for the call; the descriptor is borrowed.
    let result = unsafe {
        libc::syscall(
            libc::SYS_quotactl_fd,
            fd,
            command << 8 | PROJECT,
            project,
            std::ptr::from_mut(about),
        )
    };
    answer(result).during("quotactl_fd", format_args!("project {project}"))
}

fn answer(result: libc::c_long) -> std::io::Result<()> {
    match result {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_are_the_kernel_s() {
        assert_eq!(size_of::<Attributes>(), 28);
        assert_eq!(size_of::<State>(), 160);
        assert_eq!(size_of::<Block>(), 72);
    }

    #[test]
    fn procfs_keeps_no_projects() {
        let file = std::fs::File::open("/proc/self/status").expect("open");
        assert!(!is_enforced(&file));
        let refused = set_limit(&file, 7, 1 << 20).expect_err("no quotas there");
        assert_eq!(refused.call, "quotactl_fd");
    }
}
