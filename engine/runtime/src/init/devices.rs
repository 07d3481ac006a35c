//! Step 4: `/dev` with the devices that every program expects, and the terminal.

use std::os::fd::OwnedFd;
use std::path::Path;

use engine_sys::dir::device_number;
use engine_sys::dir::metadata_of;
use engine_sys::mount;
use engine_sys::path::{FileType, Mode, OFlags, Root};
use engine_sys::pty::{self, Terminal};

use super::{Failure, Step};
use crate::profile::{self, Device};

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
