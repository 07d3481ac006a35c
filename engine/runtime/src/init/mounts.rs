//! Step 3, continued: the kernel's file systems, and what the spec asks for beside them.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use engine_sys::Errno;
use engine_sys::dir::metadata_of;
use engine_sys::mount::{self, Attributes};
use engine_sys::path::{FileType, Mode, OFlags, Root};

use super::remap::outside;
use super::{Failure, Step};
use crate::layout::{Layout, Version};
use crate::profile;
use crate::spec::{
    BindHow, Identity, Mount, MountKind, Namespace, Propagation, Remap, Spec, TmpfsHow,
};

/// The group of terminals, in every distribution.
const TTY_GROUP: u32 = 5;
/// The longest chain of links followed while a mount point is made.
const LINKS_MAX: usize = 16;
/// The types of sysfs and of the two control group file systems, as `statfs` tells them.
const KERNEL_TYPES: [i64; 4] = [mount::PROCFS, 0x6265_6572, 0x0027_e0eb, 0x6367_7270];
/// What no kernel file system in a container may be: a way to a device, a program or more rights.
fn kernel_attributes() -> Attributes {
    Attributes::MOUNT_ATTR_NOSUID | Attributes::MOUNT_ATTR_NODEV | Attributes::MOUNT_ATTR_NOEXEC
}

/// Mounts what every container has; returns the procfs.
pub(super) fn standard(
    root: &Root,
    spec: &Spec,
    layout: &Layout,
    shared: Option<OwnedFd>,
) -> Step<OwnedFd> {
    let mut shared = shared;
    let shm_size = spec.shm_bytes.to_string();
    let tty = outside(spec.remap, TTY_GROUP)?.to_string();
    let mut proc = None;
    for standard in &profile::MOUNTS {
        let mut parameters = standard.data.to_vec();
        match (standard.kind, standard.target) {
            ("cgroup", target) => {
                groups(root, target, spec, layout)?;
                continue;
            }
            ("devpts", _) => parameters.push(("gid", &tty)),
            (_, "/dev/shm") => {
                if spec.shm_bytes == 0 {
                    continue;
                }
                if let Some(memory) = others_memory(spec, shared.take())? {
                    attach_new(root, standard.target, &memory)?;
                    continue;
                }
                parameters.push(("size", &shm_size));
            }
            _ => {}
        }
        let mut attributes = named(standard.flags);
        if standard.kind == "sysfs" && spec.writable_sysfs {
            attributes.remove(Attributes::MOUNT_ATTR_RDONLY);
        }
        let made = new(
            root,
            standard.target,
            standard.kind,
            &parameters,
            attributes,
        )?;
        if let Some(remap) = spec.remap {
            give_to_users(root, standard.target, remap, &spec.sharing.ipc)?;
        }
        if standard.kind == "proc" {
            proc = Some(made);
        }
    }
    proc.ok_or_else(|| Failure::new("no procfs is mounted"))
}

/// Gives the directories that the kernel made for the host's root to the container's; what several
/// containers share stays as it is.
fn give_to_users(root: &Root, target: &str, remap: Remap, ipc: &Namespace) -> Step<()> {
    let name = match target {
        "/dev/pts" => "pts",
        "/dev/mqueue" if *ipc == Namespace::Own => "mqueue",
        _ => return Ok(()),
    };
    root.open_dir(Path::new("/dev"))
        .and_then(|dev| dev.set_owner(name.as_ref(), remap.first, remap.first))
        .map_err(Failure::to(format!("give away {target}")))
}

/// Returns the shared memory of whoever shares the IPC namespace; `None` makes an own one.
fn others_memory(spec: &Spec, shared: Option<OwnedFd>) -> Step<Option<OwnedFd>> {
    match (&spec.sharing.ipc, shared) {
        (Namespace::Host, _) => shared_memory_here().map(Some),
        (_, shared) => Ok(shared),
    }
}

/// Copies the `/dev/shm` of the mount namespace that this process is in.
pub(super) fn shared_memory_here() -> Step<OwnedFd> {
    let action = || Failure::to("copy /dev/shm");
    // Another container may have put anything there: it is looked up inside its root.
    let root = Root::open(Path::new("/")).map_err(action())?;
    let there = root.open_dir(Path::new("/dev/shm")).map_err(action())?;
    if mount::file_system(&there).map_err(action())? != mount::TMPFS {
        return Err(Failure::new("/dev/shm is no file system in memory there"));
    }
    let copy = mount::copy(&there, false).map_err(action())?;
    mount::restrict(&copy, kernel_attributes(), false).map_err(action())?;
    Ok(copy)
}

fn attach_new(root: &Root, target: &str, made: &OwnedFd) -> Step<()> {
    let action = || Failure::to(format!("mount on {target}"));
    let point = root
        .create_dir_all(Path::new(target), 0o755)
        .map_err(action())?;
    mount::attach(made, &point).map_err(action())
}

/// Turns mount(8)'s words into attributes.
fn named(flags: &[&str]) -> Attributes {
    flags.iter().fold(Attributes::empty(), |all, flag| {
        all | match *flag {
            "nosuid" => Attributes::MOUNT_ATTR_NOSUID,
            "nodev" => Attributes::MOUNT_ATTR_NODEV,
            "noexec" => Attributes::MOUNT_ATTR_NOEXEC,
            "ro" => Attributes::MOUNT_ATTR_RDONLY,
            "strictatime" => Attributes::MOUNT_ATTR_STRICTATIME,
            _ => Attributes::empty(),
        }
    })
}

/// Mounts the container's own control groups as its namespace shows them; with the host's
/// namespace on version 2, the whole tree.
fn groups(root: &Root, target: &str, spec: &Spec, layout: &Layout) -> Step<()> {
    if layout.version == Version::V2 {
        let Some(unified) = &layout.unified else {
            return Ok(());
        };
        let shown = match spec.sharing.cgroup {
            Namespace::Host => unified.clone(),
            _ => unified.join(&spec.cgroup),
        };
        let point = root
            .open_dir(Path::new(target))
            .map_err(Failure::to(format!("open {target}")))?;
        return group(point, &shown, spec.writable_cgroups);
    }
    let parameters = [("mode", "755"), ("size", "64k")];
    let tmpfs = new(root, target, "tmpfs", &parameters, kernel_attributes())?;
    let hierarchies = tmpfs
        .try_clone()
        .map(|tmpfs| Root::from_fd(tmpfs, target))
        .map_err(|error| Failure::new(format!("open {target}: {error}")))?;
    let legacy = layout.legacy.iter().map(|one| &one.mount);
    for hierarchy in legacy.chain(&layout.unified) {
        let Some(name) = hierarchy.file_name() else {
            continue;
        };
        let point = hierarchies
            .create_dir_all(Path::new(name), 0o755)
            .map_err(Failure::to(format!("make a directory in {target}")))?;
        let shown = hierarchy.join(&spec.cgroup);
        group(point, &shown, spec.writable_cgroups)?;
    }
    link_controllers(&hierarchies, layout)?;
    mount::restrict(&tmpfs, Attributes::MOUNT_ATTR_RDONLY, false)
        .map_err(Failure::to(format!("make {target} read-only")))
}

/// Binds one of the container's groups: its namespace shows it as the root of the hierarchy.
fn group(point: impl AsFd, group: &Path, is_writable: bool) -> Step<()> {
    let action = || Failure::to(format!("bind {}", group.display()));
    let mut attributes = kernel_attributes();
    attributes.set(Attributes::MOUNT_ATTR_RDONLY, !is_writable);
    let source = mount::open_source(group).map_err(action())?;
    let copy = mount::copy(&source, true).map_err(action())?;
    mount::restrict(&copy, attributes, true).map_err(action())?;
    mount::attach(&copy, point).map_err(action())
}

/// A hierarchy of several controllers is found under the name of each, as everywhere.
fn link_controllers(hierarchies: &Root, layout: &Layout) -> Step<()> {
    for hierarchy in layout.legacy.iter().filter(|one| one.controllers.len() > 1) {
        let Some(name) = hierarchy.mount.file_name() else {
            continue;
        };
        for controller in &hierarchy.controllers {
            match hierarchies.dir().symlink(name, controller.name().as_ref()) {
                Err(error) if error.errno != Errno::EXIST => {
                    return Err(Failure::to(format!("link {}", controller.name()))(error));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Mounts a new file system on a directory of the root, made when it is missing.
///
/// Only directories below a mount of ours can be missing; the others were looked at before.
fn new(
    root: &Root,
    target: &str,
    kind: &str,
    parameters: &[(&str, &str)],
    attributes: Attributes,
) -> Step<OwnedFd> {
    let action = || Failure::to(format!("mount {kind} on {target}"));
    let made = mount::create(kind, parameters, attributes).map_err(action())?;
    let point = root
        .create_dir_all(Path::new(target), 0o755)
        .map_err(action())?;
    mount::attach(&made, &point).map_err(action())?;
    Ok(made)
}

/// Copies the binds whose mounts spread, before this namespace is cut off from the host's; the
/// others are copied when their turn comes.
pub(super) fn spreading(spec: &Spec) -> Step<Vec<Option<OwnedFd>>> {
    spec.mounts
        .iter()
        .map(|extra| match &extra.kind {
            MountKind::Bind {
                source,
                judged,
                how,
            } if how.propagation != Propagation::Private => {
                let action = || Failure::to(format!("mount on {}", extra.target));
                let source = open_source(source, *judged).map_err(action())?;
                mount::copy(&source, !how.alone).map(Some).map_err(action())
            }
            _ => Ok(None),
        })
        .collect()
}

/// Opens what is to be mounted: the very thing that was judged, where something was.
fn open_source(path: &Path, judged: Option<Identity>) -> engine_sys::Result<OwnedFd> {
    match judged {
        Some(known) => mount::open_known_source(path, known.file_system, known.inode),
        None => mount::open_source(path),
    }
}

/// Mounts what the spec asks for, making the mount point when it is missing.
///
/// `copy` is what [`spreading`] has copied of it.
pub(super) fn extra(
    root: &Root,
    extra: &Mount,
    copy: Option<OwnedFd>,
    remap: Option<Remap>,
) -> Step<()> {
    let target = Path::new(&extra.target);
    let action = || Failure::to(format!("mount on {}", extra.target));
    let (made, point) = match &extra.kind {
        MountKind::Bind {
            source,
            judged,
            how,
        } => {
            let copy = match copy {
                Some(copy) => copy,
                None => {
                    let source = open_source(source, *judged).map_err(action())?;
                    mount::copy(&source, !how.alone).map_err(action())?
                }
            };
            settle_bind(&copy, *how, extra.readonly).map_err(action())?;
            let kind = metadata_of(&copy).map_err(action())?.kind;
            let point = mount_point(root, target, kind == FileType::Directory)?;
            (copy, point)
        }
        MountKind::Tmpfs { bytes, mode, how } => {
            // As runc has it: a tmpfs over a directory looks like the directory.
            let covered = root.metadata(target).ok().filter(|_| how.inherit_mode);
            let mode = covered.map_or(*mode, |covered| covered.mode);
            let point = mount_point(root, target, true)?;
            let how = for_users(how, remap)?;
            let made = memory(*bytes, mode, &how, extra.readonly).map_err(action())?;
            (made, point)
        }
    };
    let below = mount::file_system(&point).map_err(action())?;
    let is_kernels = KERNEL_TYPES.contains(&below)
        || ["/proc", "/sys"]
            .iter()
            .any(|kernel| normal(target).starts_with(kernel));
    if is_kernels && !profile::may_cover(&extra.target) {
        return Err(Failure::new(format!(
            "mounting on {} is refused: it is a file of the kernel",
            extra.target
        )));
    }
    mount::attach(&made, point.as_fd()).map_err(action())
}

/// Makes a copy read-only if asked, and lets it spread as asked.
fn settle_bind(copy: &OwnedFd, how: BindHow, readonly: bool) -> engine_sys::Result<()> {
    use mount::Propagation as Spread;
    let mut attributes = Attributes::empty();
    attributes.set(Attributes::MOUNT_ATTR_RDONLY, readonly);
    let spread = match how.propagation {
        Propagation::Private => return restrict_bind(copy, how, attributes),
        Propagation::Slave => Spread::DOWNSTREAM,
        Propagation::Shared => Spread::SHARED,
    };
    mount::set(copy, attributes, Spread::empty(), !how.shallow_readonly)?;
    mount::set(copy, Attributes::empty(), spread, how.recursive_propagation)
}

fn restrict_bind(copy: &OwnedFd, how: BindHow, attributes: Attributes) -> engine_sys::Result<()> {
    mount::restrict(copy, attributes, !how.shallow_readonly)?;
    if how.shallow_readonly {
        mount::restrict(copy, Attributes::empty(), true)?;
    }
    Ok(())
}

/// Names the owners of a tmpfs as who they are on the host.
fn for_users(how: &TmpfsHow, remap: Option<Remap>) -> Step<TmpfsHow> {
    let mut how = how.clone();
    for (key, value) in &mut how.parameters {
        if let ("uid" | "gid", Ok(id)) = (key.as_str(), value.parse()) {
            *value = outside(remap, id)?.to_string();
        }
    }
    Ok(how)
}

/// Makes a file system in memory.
fn memory(bytes: u64, mode: u32, how: &TmpfsHow, readonly: bool) -> engine_sys::Result<OwnedFd> {
    let (size, mode) = (bytes.to_string(), format!("{mode:o}"));
    let mut parameters = vec![("mode", mode.as_str())];
    if bytes > 0 {
        parameters.push(("size", size.as_str()));
    }
    let more = how.parameters.iter();
    parameters.extend(more.map(|(key, value)| (key.as_str(), value.as_str())));
    let mut attributes = kernel_attributes();
    attributes.set(Attributes::MOUNT_ATTR_RDONLY, readonly);
    attributes.set(Attributes::MOUNT_ATTR_NOEXEC, !how.executable);
    attributes.set(Attributes::MOUNT_ATTR_NOSUID, !how.set_user);
    attributes.set(Attributes::MOUNT_ATTR_NODEV, !how.devices);
    mount::create("tmpfs", &parameters, attributes)
}

/// Opens the mount point `target`, made first when it is missing.
///
/// A link that leads nowhere is followed by hand, inside the root, so that images whose
/// `/etc/resolv.conf` is one get theirs.
fn mount_point(root: &Root, target: &Path, is_directory: bool) -> Step<OwnedFd> {
    let action = || Failure::to(format!("make the mount point {}", target.display()));
    let mut here = normal(target);
    for _ in 0..LINKS_MAX {
        match root.open_at(&here, OFlags::PATH, Mode::empty()) {
            Err(error) if error.errno == Errno::NOENT => {}
            result => return result.map_err(action()),
        }
        match root.read_link(&here) {
            Ok(link) => {
                let beside = here.parent().unwrap_or(Path::new("/")).join(link);
                here = normal(&beside);
            }
            Err(_) if is_directory => {
                root.create_dir_all(&here, 0o755).map_err(action())?;
            }
            Err(_) => {
                let parent = here.parent().unwrap_or(Path::new("/"));
                root.create_dir_all(parent, 0o755).map_err(action())?;
                root.create_file(&here, 0o644).map(drop).map_err(action())?;
            }
        }
    }
    Err(Failure::new(format!(
        "too many links at the mount point {}",
        target.display()
    )))
}

/// The path with `.` and `..` taken away by their text, which never leaves the root.
fn normal(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_never_climbs_above_the_root() {
        for (path, clean) in [
            ("/etc/../run/x", "/run/x"),
            ("/../../x", "/x"),
            ("a/./b", "/a/b"),
            ("/", "/"),
        ] {
            assert_eq!(normal(Path::new(path)), Path::new(clean), "{path}");
        }
    }
}
