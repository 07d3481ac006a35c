//! Who a container's users are on the host.
//!
//! With `--userns-remap` they are others than the host's own, unless a container asks for
//! `--userns=host`. A container keeps what it was made with: its files belong to those users.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use engine_api::containers::HostConfig;
use engine_runtime::Remap;
use engine_storage::{IdMap, Snapshot};

use super::registry::Site;
use crate::records::ContainerRecord;
use crate::services::error::{Result, ServiceError};

/// Returns who the users of a new container are to be on the host; `None` when they are the
/// host's own.
///
/// # Errors
/// In Docker's words, when it asks for what belongs to the host.
pub(super) fn remap(site: &Site, host: &HostConfig) -> Result<Option<Remap>> {
    let Some(remap) = site.users.remap() else {
        return Ok(None);
    };
    if host.userns_mode == "host" {
        return Ok(None);
    }
    for (is_asked, message) in [
        (
            host.privileged,
            "privileged mode is incompatible with user namespaces.  You must run the container in \
             the host namespace when running privileged mode",
        ),
        (
            host.network_mode == "host",
            "cannot share the host's network namespace when user namespaces are enabled",
        ),
        (
            host.pid_mode == "host",
            "cannot share the host PID namespace when user namespaces are enabled",
        ),
    ] {
        if is_asked {
            return Err(ServiceError::BadRequest(message.to_owned()));
        }
    }
    Ok(Some(remap))
}

/// Checks that a container may live with another one: what belongs to somebody else's users is of
/// no use to it.
///
/// # Errors
/// Names the other one.
pub(super) fn check_together(record: &ContainerRecord, other: &ContainerRecord) -> Result<()> {
    if record.remap == other.remap {
        return Ok(());
    }
    Err(ServiceError::Conflict(format!(
        "cannot share namespaces of container {}: its users are not those of this one on the host \
         (--userns-remap, --userns=host)",
        other.id
    )))
}

/// Names the writable top of a container's root, with who its users are.
pub(super) fn snapshot(site: &Site, record: &ContainerRecord) -> Snapshot {
    Snapshot::at(&site.store.dir_of(&record.id)).of_users(map(record))
}

/// Returns who a container's users are on the host, for archives of its files.
pub(super) fn map(record: &ContainerRecord) -> Option<IdMap> {
    record.remap.map(Into::into)
}

/// Opens the namespace of a container's users, where they have one.
///
/// # Errors
/// When the kernel gives none.
pub(super) fn namespace(site: &Site, record: &ContainerRecord) -> Result<Option<Arc<OwnedFd>>> {
    let Some(remap) = record.remap else {
        return Ok(None);
    };
    let opened = site.users.namespace(remap, &site.launcher);
    opened
        .map(Some)
        .map_err(ServiceError::failed("open the container's user namespace"))
}
