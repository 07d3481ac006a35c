//! Step 3: the root file system, from the overlay to the moment when the host is out of sight.

use std::ffi::OsStr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use engine_sys::mount::{self, Attributes, Overlay};
use engine_sys::path::{FileType, Root};
use engine_sys::{Errno, fd, pivot, users};

use super::{Failure, Start, Step, devices, masks, mounts};
use crate::spec::{self, Network, Remap};

/// A container's root with what later steps need of it.
pub(super) struct Rootfs {
    /// The root; the only way to a path of the container.
    pub(super) root: Root,
    /// The container's own procfs, reached without a path.
    pub(super) proc: Root,
    mount: OwnedFd,
}

/// Mounts everything and makes it this process's root.
///
/// `shared` is the shared memory of another container, if it is to have that. `join_groups` is
/// called before anything is made that counts, and before the groups are mounted.
pub(super) fn build(
    start: &Start<'_>,
    shared: Option<OwnedFd>,
    join_groups: impl FnOnce() -> Step<()>,
) -> Step<Rootfs> {
    let Start { spec, layout, .. } = *start;
    let spreading = mounts::spreading(spec)?;
    mount::make_all_private().map_err(Failure::to("leave the host's mounts alone"))?;
    if let Some(namespace) = start.members.user_namespace() {
        let layers: Vec<&Path> = spec.root.lower.iter().map(PathBuf::as_path).collect();
        mount::cover_shifted(&layers, namespace).map_err(Failure::to(
            "show the image's files as the container's users'",
        ))?;
    }
    let mount = overlay(&spec.root, start.bundle.run())?;
    if let Some(remap) = spec.remap {
        users::make_files_of(remap.first, remap.first)
            .map_err(Failure::to("make files of the container's root"))?;
    }
    let root = as_root(&mount, "/")?;

    for path in ["/proc", "/sys", "/dev"] {
        require_directory(&root, path)?;
    }
    join_groups()?;
    let proc = mounts::standard(&root, spec, layout, shared)?;
    let proc = as_root(&proc, "/proc")?;
    let null = devices::populate(&root, spec.process.terminal)?;
    // As with Docker they stay the host's: who may not open one there may not here.
    devices::add(&root, &spec.devices.nodes)?;
    for (extra, copy) in spec.mounts.iter().zip(spreading) {
        mounts::extra(&root, extra, copy, spec.remap)?;
    }
    if spec.network != Network::Host {
        allow_plain_users(&proc)?;
    }
    for (path, value) in &spec.sysctls {
        set_kernel_setting(&proc, path, value, spec.remap)?;
    }
    masks::apply(&root, spec, &null)?;

    pivot::into(&mount).map_err(Failure::to("change to the container's root"))?;
    Ok(Rootfs { root, proc, mount })
}

impl Rootfs {
    /// The same, as it is seen after a change of namespaces.
    pub(super) fn inside(root: Root, proc: Root, mount: OwnedFd) -> Self {
        Self { root, proc, mount }
    }

    /// Makes the root itself read-only; what is mounted on it stays as it is.
    pub(super) fn finish(&self, root: &spec::Root) -> Step<()> {
        if !root.readonly {
            return Ok(());
        }
        mount::restrict(&self.mount, Attributes::MOUNT_ATTR_RDONLY, false)
            .map_err(Failure::to("make the root read-only"))
    }
}

fn overlay(root: &spec::Root, target: &Path) -> Step<OwnedFd> {
    let overlay = Overlay {
        lower: root
            .lower
            .iter()
            .map(|path| text(path))
            .collect::<Step<_>>()?,
        upper: text(&root.upper)?,
        work: text(&root.work)?,
    };
    let action = || Failure::to(format!("mount the overlay of {}", root.upper.display()));
    let made = match mount::create_overlay(&overlay, Attributes::empty()) {
        Err(error) if mount::is_unknown(&error) => None,
        result => Some(result.map_err(action())?),
    };
    let point = || mount::open_source(target);
    let Some(made) = made else {
        // Linux before 6.7 takes no layers one by one. If something else is wrong with them, this
        // says so too.
        mount::mount_overlay(&overlay, target).map_err(action())?;
        return point().map_err(action());
    };
    let point = point().map_err(action())?;
    mount::attach(&made, &point).map_err(action())?;
    Ok(made)
}

fn text(path: &Path) -> Step<&str> {
    path.to_str()
        .ok_or_else(|| Failure::new(format!("{} is not UTF-8", path.display())))
}

fn as_root(mount: &OwnedFd, path: &str) -> Step<Root> {
    let copy = fd::duplicate(mount).map_err(Failure::to(format!("keep {path} open")))?;
    Ok(Root::from_fd(copy, PathBuf::from(path)))
}

/// An image that has something else in the place of a kernel directory would steer our mounts.
fn require_directory(root: &Root, path: &str) -> Step<()> {
    let kind = match root.link_metadata(Path::new(path)) {
        Ok(metadata) => metadata.kind,
        Err(error) if error.errno == Errno::NOENT => {
            return root
                .dir()
                .create_dir(OsStr::new(&path[1..]), 0o755)
                .map_err(Failure::to(format!("make {path} in the image's root")));
        }
        Err(error) => return Err(Failure::to(format!("look at {path} of the image"))(error)),
    };
    match kind {
        FileType::Directory => Ok(()),
        FileType::Symlink => Err(Failure::new(format!(
            "the image is refused: its {path} is a symbolic link, and must be a directory"
        ))),
        _ => Err(Failure::new(format!(
            "the image is refused: its {path} is a file, and must be a directory"
        ))),
    }
}

/// Lets every user of the container's own network bind low ports and send pings, as Docker does.
fn allow_plain_users(proc: &Root) -> Step<()> {
    write(proc, "sys/net/ipv4/ip_unprivileged_port_start", "0")?;
    write(proc, "sys/net/ipv4/ping_group_range", "0 2147483647")
}

/// Writes a setting of the container's own namespaces. Some are for the root of their users alone,
/// and others for who has the host's rights, as the kernel's version has it.
fn set_kernel_setting(proc: &Root, path: &str, value: &str, remap: Option<Remap>) -> Step<()> {
    let path = format!("sys/{path}");
    let (refused, remap) = match (write(proc, &path, value), remap) {
        (Err(refused), Some(remap)) => (refused, remap),
        (written, _) => return written,
    };
    let action = || Failure::to("act as the container's root");
    let written = users::as_user(remap.first, || write(proc, &path, value)).map_err(action())?;
    users::make_files_of(remap.first, remap.first).map_err(action())?;
    written.map_err(|_| refused)
}

/// Writes a file of procfs.
pub(super) fn write(proc: &Root, path: &str, value: &str) -> Step<()> {
    use engine_sys::path::{Mode, OFlags};
    let action = || Failure::to(format!("write {value:?} to /proc/{path}"));
    let file = proc
        .open_at(Path::new(path), OFlags::WRONLY, Mode::empty())
        .map_err(action())?;
    fd::write_some(file.as_fd(), value.as_bytes())
        .map(drop)
        .map_err(action())
}
