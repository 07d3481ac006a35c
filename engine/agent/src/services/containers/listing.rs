//! One directory of a container, to be looked through: our addition to what `docker cp` can do.

use std::time::Duration;

use engine_api::containers::Directory;
use engine_storage::{
    AskedPath, IdMap, ListQuery, Listed, LocateError, OwnerNames, TreeRoot, list,
};

use super::files::not_located;
use super::registry::Containers;
use super::users;
use crate::services::error::{Result, ServiceError};
use crate::services::looking::{Waiting, file_entry};
use crate::tasks::on_own_thread;

/// How long a directory may take: it may lie on a file system of somebody who does not answer.
const LIST_LIMIT: Duration = Duration::from_secs(20);

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
        let waiting = Waiting::default();
        let is_given_up = waiting.is_given_up();
        let work = on_own_thread("files", move || {
            let _copy = copy;
            files.with(false, |root| {
                let read = read(root, &asked, &query, &is_given_up);
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
    is_given_up: &impl Fn() -> bool,
) -> std::result::Result<(Listed, OwnerNames), LocateError> {
    let listed = list(root, asked, query, is_given_up)?;
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
        entries: entries
            .map(|entry| file_entry(entry, names, |id| inside(id, map)))
            .collect(),
    }
}

/// Owners are told as the container knows them.
fn inside(id: u32, map: Option<IdMap>) -> u32 {
    map.map_or(id, |map| map.inside(id))
}
