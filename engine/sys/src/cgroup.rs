//! Control groups: their files and their notifications.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::Path,
};

use nix::sys::{
    eventfd::{EfdFlags, EventFd},
    inotify::{AddWatchFlags, InitFlags, Inotify},
};

use crate::{During, Result};

/// Writes `value` into a control file by one write(2), as the kernel demands.
///
/// # Errors
/// The kernel's answer to the open or to the value.
pub fn write(file: &Path, value: &str) -> Result<()> {
    write_each(file, [value])
}

/// Writes several values into one control file, each by a write(2) of its own.
///
/// # Errors
/// The kernel's answer to the open or to the first value that it refuses; those before it hold.
pub fn write_each(file: &Path, values: impl IntoIterator<Item = impl AsRef<str>>) -> Result<()> {
    let mut handle = OpenOptions::new()
        .write(true)
        .open(file)
        .during("open", file.display())?;
    values.into_iter().try_for_each(|value| {
        let value = value.as_ref();
        handle
            .write_all(value.as_bytes())
            .during("write", format_args!("{value:?} to {}", file.display()))
    })
}

/// Reads a control file whole.
///
/// # Errors
/// The kernel's answer, ENOENT when the controller or the group is not there.
pub fn read(file: &Path) -> Result<String> {
    let mut text = String::new();
    File::open(file)
        .during("open", file.display())?
        .read_to_string(&mut text)
        .during("read", file.display())?;
    Ok(text)
}

/// Makes a group; one that exists already is an EEXIST.
///
/// # Errors
/// The kernel's answer.
pub fn make(group: &Path) -> Result<()> {
    fs::create_dir(group).during("mkdir", group.display())
}

/// Removes a group that holds neither processes nor groups.
///
/// # Errors
/// EBUSY while something is in it, ENOENT when it is gone.
pub fn remove(group: &Path) -> Result<()> {
    fs::remove_dir(group).during("rmdir", group.display())
}

/// Opens a group's directory, for CLONE_INTO_CGROUP and for [`crate::device_filter::attach`].
///
/// # Errors
/// The kernel's answer.
pub fn open(group: &Path) -> Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    rustix::fs::open(group, flags, Mode::empty()).during("open", group.display())
}

/// A descriptor that becomes readable when the kernel has something to say about a group.
#[derive(Debug)]
pub struct Notifier(Source);

#[derive(Debug)]
enum Source {
    Counter(EventFd),
    Watch(Inotify),
}

impl Notifier {
    /// Takes what has been notified so far; never blocks.
    pub fn drain(&self) {
        match &self.0 {
            Source::Counter(counter) => {
                // EAGAIN: nothing was notified.
                let _ = counter.read();
            }
            Source::Watch(watch) => while watch.read_events().is_ok_and(|some| !some.is_empty()) {},
        }
    }
}

impl AsFd for Notifier {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.0 {
            Source::Counter(counter) => counter.as_fd(),
            Source::Watch(watch) => watch.as_fd(),
        }
    }
}

/// Notifies when a version 1 memory group meets its limit, and when it is removed.
///
/// # Errors
/// The kernel's answer, ENOENT where `dir` is no memory group.
pub fn watch_oom(dir: &Path) -> Result<Notifier> {
    let control = dir.join("memory.oom_control");
    let control = File::open(&control).during("open", control.display())?;
    let counter = EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)
        .during("eventfd2", dir.display())?;
    let order = format!("{} {}", counter.as_fd().as_raw_fd(), control.as_raw_fd());
    write(&dir.join("cgroup.event_control"), &order)?;
    Ok(Notifier(Source::Counter(counter)))
}

/// Notifies when the kernel changes a version 2 event file, such as `memory.events`.
///
/// # Errors
/// The kernel's answer, ENOENT where the file is not there.
pub fn watch_file(file: &Path) -> Result<Notifier> {
    let watch = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)
        .during("inotify_init1", file.display())?;
    watch
        .add_watch(file, AddWatchFlags::IN_MODIFY)
        .during("inotify_add_watch", file.display())?;
    Ok(Notifier(Source::Watch(watch)))
}
