//! One directory of a container, to be looked through: our addition to what `docker cp` can do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use engine_api::containers::{Directory, FileEntry, FileKind};
use engine_storage::{
    AskedPath, FoundKind, IdMap, ListQuery, Listed, ListedEntry, LocateError, OwnerNames, TreeRoot,
    list,
};

use super::files::not_located;
use super::registry::Containers;
use super::users;
use crate::clock::rfc3339;
use crate::services::error::{Result, ServiceError};
use crate::tasks::on_own_thread;

/// How long a directory may take: it may lie on a file system of somebody who does not answer.
const LIST_LIMIT: Duration = Duration::from_secs(20);

/// Says when it is dropped that nobody waits any more.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Containers {
    /// Lists a directory inside a container, running or not.
    ///
    /// # Errors
    /// When the container or the directory is not there, or it takes too long.
    pub(crate) async fn files(
        &self,
        reference: &str,
        path: &str,
        query: ListQuery,
    ) -> Result<Directory> {
        let handle = self.find(reference)?;
        let copy = self.copy_permit()?;
        let is_resting = handle.view().pid().is_none();
        let readonly_root = handle.view().record.host_config.readonly_rootfs;
        let map = users::map(&handle.view().record);
        let files = self.readable(&handle).await?;
        let (asked, reference) = (AskedPath::new(path), reference.to_owned());
        let given_up = Arc::new(AtomicBool::new(false));
        let waiting = Waiting(Arc::clone(&given_up));
        let work = on_own_thread("files", move || {
            let _copy = copy;
            files.with(false, |root| {
                let read = read(root, &asked, &query, &given_up);
                let listed = read.map_err(|error| not_located(error, &reference, &asked));
                listed.map(|(listed, names)| {
                    // To be looked at, a container that rests is mounted so that nothing can be written.
                    let read_only = match is_resting {
                        true => readonly_root && listed.is_of_root,
                        false => listed.is_on_readonly_mount,
                    };
                    Directory {
                        read_only,
                        ..directory(listed, &names, map)
                    }
                })
            })?
        });
        let listed = tokio::time::timeout(LIST_LIMIT, work).await;
        drop(waiting);
        listed
            .map_err(|_| {
                ServiceError::Unavailable("the directory takes too long to read".to_owned())
            })?
            .map_err(ServiceError::failed("look at the container's files"))?
    }
}

fn read(
    root: &TreeRoot,
    asked: &AskedPath,
    query: &ListQuery,
    given_up: &AtomicBool,
) -> std::result::Result<(Listed, OwnerNames), LocateError> {
    let listed = list(root, asked, query, || given_up.load(Ordering::Relaxed))?;
    Ok((listed, OwnerNames::of(root)))
}

fn directory(listed: Listed, names: &OwnerNames, map: Option<IdMap>) -> Directory {
    let entries = listed.entries.into_iter();
    Directory {
        uid: inside(listed.metadata.uid, map),
        gid: inside(listed.metadata.gid, map),
        read_only: false,
        total: listed.n_matching,
        is_cut: listed.is_cut,
        entries: entries.map(|entry| file_entry(entry, names, map)).collect(),
    }
}

/// Owners are told as the container knows them.
fn inside(id: u32, map: Option<IdMap>) -> u32 {
    map.map_or(id, |map| map.inside(id))
}

fn file_entry(entry: ListedEntry, names: &OwnerNames, map: Option<IdMap>) -> FileEntry {
    let metadata = entry.metadata;
    let (uid, gid) = (inside(metadata.uid, map), inside(metadata.gid, map));
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
