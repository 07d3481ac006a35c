//! Looking through directories for somebody who may go: saying that nobody waits any more, and telling
//! an entry as clients read it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine_api::containers::{FileEntry, FileKind, PathStat, go_mode};
use engine_storage::{Found, FoundKind, ListedEntry, OwnerNames};

use crate::clock::rfc3339;

/// Says when it is dropped that nobody waits any more.
#[derive(Debug, Default)]
pub(super) struct Waiting(Arc<AtomicBool>);

impl Waiting {
    /// What the work asks from time to time.
    pub(super) fn is_given_up(&self) -> impl Fn() -> bool + Send + 'static {
        let given_up = Arc::clone(&self.0);
        move || given_up.load(Ordering::Relaxed)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// An entry as clients read it; `inside` says what an owner's number is to the container.
pub(super) fn file_entry(
    entry: ListedEntry,
    names: &OwnerNames,
    inside: impl Fn(u32) -> u32,
) -> FileEntry {
    let metadata = entry.metadata;
    let (uid, gid) = (inside(metadata.uid), inside(metadata.gid));
    let (seconds, nanoseconds) = metadata.modified;
    let modified_ns = seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds.into());
    FileEntry {
        is_name_lossy: entry.name.to_str().is_none(),
        name: entry.name.to_string_lossy().into_owned(),
        kind: kind(entry.kind),
        size: metadata.size_bytes,
        mode: metadata.mode,
        uid,
        gid,
        user: names.user(uid).unwrap_or_default().to_owned(),
        group: names.group(gid).unwrap_or_default().to_owned(),
        modified: rfc3339(modified_ns),
        link: entry.link.map(|text| text.to_string_lossy().into_owned()),
    }
}

const fn kind(kind: FoundKind) -> FileKind {
    match kind {
        FoundKind::File => FileKind::File,
        FoundKind::Directory => FileKind::Directory,
        FoundKind::Symlink => FileKind::Symlink,
        FoundKind::Pipe => FileKind::Pipe,
        FoundKind::Socket => FileKind::Socket,
        FoundKind::BlockDevice => FileKind::BlockDevice,
        FoundKind::CharacterDevice => FileKind::CharacterDevice,
    }
}

/// The facts of a path as clients of an archive read them.
pub(super) fn stat_of(found: &Found) -> PathStat {
    let metadata = &found.metadata;
    let (seconds, nanoseconds) = metadata.modified;
    let modified_ns = seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds.into());
    PathStat {
        name: String::from_utf8_lossy(&found.name).into_owned(),
        size: i64::try_from(metadata.size_bytes).unwrap_or(i64::MAX),
        mode: go_mode::of(metadata.mode, go_kind(found.kind())),
        mtime: rfc3339(modified_ns),
        link_target: found
            .link_target
            .as_ref()
            .map(|target| target.to_string_lossy().into_owned())
            .unwrap_or_default(),
    }
}

fn go_kind(kind: FoundKind) -> u32 {
    match kind {
        FoundKind::File => 0,
        FoundKind::Directory => go_mode::DIRECTORY,
        FoundKind::Symlink => go_mode::SYMLINK,
        FoundKind::Pipe => go_mode::PIPE,
        FoundKind::Socket => go_mode::SOCKET,
        FoundKind::BlockDevice => go_mode::DEVICE,
        FoundKind::CharacterDevice => go_mode::DEVICE | go_mode::CHARACTER_DEVICE,
    }
}
