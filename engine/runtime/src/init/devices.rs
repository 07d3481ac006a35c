//! Step 4: `/dev` with the devices that every program expects, and the terminal.

use std::os::fd::OwnedFd;
use std::path::Path;

use engine_sys::Errno;
use engine_sys::dir::device_number;
use engine_sys::dir::metadata_of;
use engine_sys::mount;
use engine_sys::path::{FileType, Mode, OFlags, Root};
use engine_sys::pty::{self, Terminal};

use super::{Failure, Step};
use crate::cgroups::DeviceKind;
use crate::profile::{self, Device};
use crate::spec::DeviceNode;

/// Fills `/dev` with the devices and links of every container; returns its `null`.
pub(super) fn populate(root: &Root, has_terminal: bool) -> Step<OwnedFd> {
    let dev = root
        .open_dir(Path::new("/dev"))
        .map_err(Failure::to("open /dev"))?;
    let name = |path: &'static str| Path::new(path).file_name().unwrap_or_default();
    for Device { path, major, minor } in profile::DEVICES {
        let number = device_number(major, minor);
        dev.make_node(name(path), FileType::CharacterDevice, 0o666, number)
            .map_err(Failure::to(format!("make {path}")))?;
    }
    for (path, target) in profile::DEVICE_LINKS {
        dev.symlink(target.as_ref(), name(path))
            .map_err(Failure::to(format!("link {path}")))?;
    }
    if has_terminal {
        root.create_file(Path::new("/dev/console"), 0o600)
            .map_err(Failure::to("make /dev/console"))?;
    }
    verified_null(root)
}

/// Makes the nodes that the container gets beside those of every container.
pub(super) fn add(root: &Root, nodes: &[DeviceNode]) -> Step<()> {
    for node in nodes {
        let action = || Failure::to(format!("make the device {}", node.path));
        let path = Path::new(&node.path);
        let kind = match node.kind {
            DeviceKind::Character => FileType::CharacterDevice,
            DeviceKind::Block => FileType::BlockDevice,
        };
        let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Failure::new(format!(
                "{} is no path of a device",
                node.path
            )));
        };
        let number = device_number(node.major, node.minor);
        let above = root.create_dir_all(above, 0o755).map_err(action())?;
        match above.make_node(name, kind, node.mode, number) {
            Err(error) if error.errno == Errno::EXIST => {
                let there = above.metadata(name).map_err(action())?;
                if there.kind != kind || there.device != number {
                    let path = &node.path;
                    return Err(Failure::new(format!(
                        "{path} is there and is something else"
                    )));
                }
            }
            result => result.map_err(action())?,
        }
        above
            .set_owner(name, node.uid, node.gid)
            .map_err(action())?;
    }
    Ok(())
}

/// Opens the `/dev/null` that hides files, and proves that it is the device.
fn verified_null(root: &Root) -> Step<OwnedFd> {
    let null = root
        .open_at(
            Path::new("/dev/null"),
            OFlags::PATH | OFlags::NOFOLLOW,
            Mode::empty(),
        )
        .map_err(Failure::to("open /dev/null"))?;
    let metadata = metadata_of(&null).map_err(Failure::to("look at /dev/null"))?;
    let is_null =
        metadata.kind == FileType::CharacterDevice && metadata.device == device_number(1, 3);
    if is_null {
        Ok(null)
    } else {
        Err(Failure::new("the container's /dev/null is another device"))
    }
}

/// Opens `/dev/null` for a process whose root is `root`.
pub(super) fn open_null(root: &Root) -> Step<OwnedFd> {
    root.open_at(Path::new("/dev/null"), OFlags::RDWR, Mode::empty())
        .map_err(Failure::to("open /dev/null"))
}

/// Makes a terminal on the container's own devpts.
pub(super) fn terminal(root: &Root) -> Step<Terminal> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NOFOLLOW;
    let ptmx = root
        .open_at(Path::new("/dev/pts/ptmx"), flags, Mode::empty())
        .map_err(Failure::to("open /dev/pts/ptmx"))?;
    pty::open(ptmx).map_err(Failure::to("make a terminal"))
}

/// Puts a terminal in the place of `/dev/console`, by descriptor on both sides.
pub(super) fn attach_console(root: &Root, terminal: &Terminal) -> Step<()> {
    let action = || Failure::to("put the terminal on /dev/console");
    let flags = OFlags::PATH | OFlags::NOFOLLOW;
    let point = root
        .open_at(Path::new("/dev/console"), flags, Mode::empty())
        .map_err(action())?;
    let copy = mount::copy(&terminal.slave, false).map_err(action())?;
    mount::attach(&copy, &point).map_err(action())
}
