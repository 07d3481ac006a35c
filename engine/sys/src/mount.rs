//! Mounts by descriptor: made detached, then put in their place, never named by a path twice.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;

pub use rustix::mount::MountAttrFlags as Attributes;
pub use rustix::mount::MountPropagationFlags as Propagation;
use rustix::mount::{FsMountFlags, FsOpenFlags, MoveMountFlags, OpenTreeFlags};

use crate::{During as _, Errno, Result, SysError};

/// The type of a pseudo terminal file system, as `statfs` tells it.
pub const DEVPTS: i64 = 0x1cd1;
/// The type of procfs.
pub const PROCFS: i64 = 0x9fa0;
/// The type of a file system in memory.
pub const TMPFS: i64 = 0x0102_1994;

const EMPTY: &CStr = c"";

/// Makes a mount of a new file system that is nowhere yet.
///
/// A parameter with an empty value is a flag.
///
/// # Errors
/// The kernel's refusal of the type, of a parameter or of the whole.
pub fn create(kind: &str, parameters: &[(&str, &str)], attributes: Attributes) -> Result<OwnedFd> {
    let context = open_context(kind)?;
    for (key, value) in parameters {
        set_parameter(&context, key, value)?;
    }
    finish(&context, kind, attributes)
}

fn open_context(kind: &str) -> Result<OwnedFd> {
    rustix::mount::fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC).during("fsopen", kind)
}

fn set_parameter(context: &OwnedFd, key: &str, value: &str) -> Result<()> {
    let result = if value.is_empty() {
        rustix::mount::fsconfig_set_flag(context, key)
    } else {
        rustix::mount::fsconfig_set_string(context, key, value)
    };
    result.during("fsconfig", format_args!("{key}={value}"))
}

fn finish(context: &OwnedFd, kind: &str, attributes: Attributes) -> Result<OwnedFd> {
    rustix::mount::fsconfig_create(context).during("fsconfig(create)", kind)?;
    rustix::mount::fsmount(context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
        .during("fsmount", kind)
}

/// The directories of an overlay, as paths of the host.
#[derive(Debug)]
pub struct Overlay<'a> {
    /// Read-only layers, top first.
    pub lower: Vec<&'a str>,
    /// Where changes go.
    pub upper: &'a str,
    /// Scratch space on the file system of `upper`.
    pub work: &'a str,
}

/// Makes an overlay that is nowhere yet.
///
/// # Errors
/// `EINVAL` also from a kernel before 6.7, which cannot take layers one by one.
pub fn create_overlay(overlay: &Overlay<'_>, attributes: Attributes) -> Result<OwnedFd> {
    let context = open_context("overlay")?;
    for layer in &overlay.lower {
        set_parameter(&context, "lowerdir+", layer)?;
    }
    // A directory that was moved is copied, so that the upper directory alone says what changed.
    set_parameter(&context, "redirect_dir", "off")?;
    set_parameter(&context, "upperdir", overlay.upper)?;
    set_parameter(&context, "workdir", overlay.work)?;
    finish(&context, "overlay", attributes)
}

/// Mounts an overlay the old way, on a path; one page of options is the limit.
///
/// # Errors
/// `EINVAL` when the layers' paths together are too long.
pub fn mount_overlay(overlay: &Overlay<'_>, target: &Path) -> Result<()> {
    let lower: Vec<String> = overlay.lower.iter().map(|layer| escape(layer)).collect();
    let options = format!(
        "lowerdir={},upperdir={},workdir={},redirect_dir=off",
        lower.join(":"),
        escape(overlay.upper),
        escape(overlay.work),
    );
    let flags = nix::mount::MsFlags::empty();
    nix::mount::mount(
        Some("overlay"),
        target,
        Some("overlay"),
        flags,
        Some(options.as_str()),
    )
    .during("mount", target.display())
}

fn escape(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for letter in path.chars() {
        if matches!(letter, '\\' | ':' | ',') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// Makes a detached copy of the mount at `source`, with the mounts below it when asked.
///
/// # Errors
/// When `source` is not there.
pub fn copy(source: impl AsFd, recursive: bool) -> Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    rustix::mount::open_tree(source.as_fd(), EMPTY, flags).during("open_tree", "a bind mount")
}

/// Puts a detached mount on an open file or directory.
///
/// # Errors
/// `ENOTDIR` when one is a directory and the other is not.
pub fn attach(mount: impl AsFd, target: impl AsFd) -> Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(mount.as_fd(), EMPTY, target.as_fd(), EMPTY, flags)
        .during("move_mount", "a mount")
}

/// Takes away what is mounted at `path`, a path of the host; whoever is in it keeps what it has.
///
/// # Errors
/// When nothing is mounted there.
pub fn detach(path: &Path) -> Result<()> {
    use rustix::mount::UnmountFlags;
    rustix::mount::unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)
        .during("umount2", path.display())
}

/// The kernel's `struct mount_attr`.
#[repr(C)]
#[derive(Default)]
struct MountAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

/// Adds attributes to a mount, and to those below it when asked, and makes them private.
///
/// # Errors
/// `EINVAL` when the descriptor is not a mount's root.
pub fn restrict(mount: impl AsFd, attributes: Attributes, recursive: bool) -> Result<()> {
    set(mount, attributes, Propagation::PRIVATE, recursive)
}

/// Adds attributes to a mount, and to those below it when asked; no propagation leaves it as it is.
///
/// # Errors
/// `EINVAL` when the descriptor is not a mount's root.
pub fn set(
    mount: impl AsFd,
    attributes: Attributes,
    propagation: Propagation,
    recursive: bool,
) -> Result<()> {
    let wanted = MountAttributes {
        set: u64::from(attributes.bits()),
        propagation: u64::from(propagation.bits()),
        ..MountAttributes::default()
    };
    let mut flags = libc::AT_EMPTY_PATH;
    if recursive {
        flags |= libc::AT_RECURSIVE;
    }
    change(mount, &wanted, flags)
}

fn change(mount: impl AsFd, wanted: &MountAttributes, flags: libc::c_int) -> Result<()> {
    // SAFETY: mount_setattr(2) reads an empty C string and one mount_attr of the size given; both
    // live through the call, and the descriptor is borrowed for it.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            EMPTY.as_ptr(),
            flags,
            std::ptr::from_ref(wanted),
            size_of::<MountAttributes>(),
        )
    };
    nix::errno::Errno::result(result)
        .map(drop)
        .during("mount_setattr", "a mount")
}

/// Shows the files of a detached mount as those of a user namespace's own users.
///
/// # Errors
/// `EINVAL` when the file system cannot be shown so, or the kernel is before 5.12.
pub fn shift_users(mount: impl AsFd, user_namespace: impl AsFd) -> Result<()> {
    const MOUNT_ATTR_IDMAP: u64 = 0x0010_0000;
    let wanted = MountAttributes {
        set: MOUNT_ATTR_IDMAP,
        user_namespace: user_namespace.as_fd().as_raw_fd().unsigned_abs().into(),
        ..MountAttributes::default()
    };
    change(mount, &wanted, libc::AT_EMPTY_PATH)
}

/// Puts a view of each of these directories over it, whose files belong to a user namespace's own
/// users: an overlay that is made of them then is that namespace's. For a mount namespace of one's
/// own.
///
/// # Errors
/// As [`shift_users`].
pub fn cover_shifted(directories: &[&Path], user_namespace: impl AsFd) -> Result<()> {
    for directory in directories {
        let source = open_source(directory)?;
        let shifted = copy(&source, false)?;
        shift_users(&shifted, user_namespace.as_fd())?;
        attach(&shifted, &source)?;
    }
    Ok(())
}

/// Cuts every mount of this namespace off from the others: nothing spreads in or out.
///
/// # Errors
/// `EPERM` without the right.
pub fn make_all_private() -> Result<()> {
    let flags = Propagation::PRIVATE | Propagation::REC;
    rustix::mount::mount_change("/", flags).during("mount(MS_PRIVATE)", "/")
}

/// Lets mounts of the parent namespace spread into this one, and none of this one out.
///
/// # Errors
/// `EPERM` without the right.
pub fn make_all_slaves() -> Result<()> {
    let flags = Propagation::DOWNSTREAM | Propagation::REC;
    rustix::mount::mount_change("/", flags).during("mount(MS_SLAVE)", "/")
}

/// Makes an overlay of layers alone, which nobody can write, that is nowhere yet.
///
/// One of them may be the upper directory of another overlay; its changes may or may not be seen.
///
/// # Errors
/// As [`create_overlay`].
pub fn create_readonly_overlay(lower: &[&str]) -> Result<OwnedFd> {
    let context = open_context("overlay")?;
    for layer in lower {
        set_parameter(&context, "lowerdir+", layer)?;
    }
    // With an index the kernel refuses a layer that is another overlay's upper directory.
    set_parameter(&context, "index", "off")?;
    finish(&context, "overlay", Attributes::MOUNT_ATTR_RDONLY)
}

/// Does what [`create_readonly_overlay`] does the old way, on a path.
///
/// # Errors
/// As [`mount_overlay`].
pub fn mount_readonly_overlay(lower: &[&str], target: &Path) -> Result<()> {
    let lower: Vec<String> = lower.iter().map(|layer| escape(layer)).collect();
    let options = format!("lowerdir={},index=off", lower.join(":"));
    nix::mount::mount(
        Some("overlay"),
        target,
        Some("overlay"),
        nix::mount::MsFlags::MS_RDONLY,
        Some(options.as_str()),
    )
    .during("mount", target.display())
}

/// Returns the type of the file system that a file lies on.
///
/// # Errors
/// Practically never.
pub fn file_system(fd: impl AsFd) -> Result<i64> {
    rustix::fs::fstatfs(fd)
        .map(|status| status.f_type)
        .during("fstatfs", "a file")
}

/// Opens a file or directory of the host to be mounted elsewhere.
///
/// # Errors
/// When it is not there.
pub fn open_source(path: &Path) -> Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .during("open", path.display())
}

/// Opens a file or directory of the host, if it is still the one with this inode on this file
/// system. Somebody has to hold that open, or the number may be another's by now.
///
/// # Errors
/// When it is not there, or `ESTALE` when something else is.
pub fn open_known_source(path: &Path, file_system: u64, inode: u64) -> Result<OwnedFd> {
    let source = open_source(path)?;
    let found = crate::dir::metadata_of(&source)?;
    if (found.file_system, found.inode) == (file_system, inode) {
        return Ok(source);
    }
    Err(Errno::STALE).during("find what was judged", path.display())
}

/// Says whether a failed mount call means that the kernel is too old for it.
pub fn is_unknown(error: &SysError) -> bool {
    matches!(error.errno, Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)
}
