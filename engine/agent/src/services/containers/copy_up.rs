//! What the image has where a container has a volume goes into the volume, once.

use std::path::Path;

use engine_storage::{Access, Merged, copy_content};

use super::registry::Site;
use super::users;
use crate::records::{ContainerRecord, VolumeUse};
use crate::services::error::{Result, ServiceError};
use crate::services::volumes::Moment;

/// Fills the volumes that lie in their own directories. Blocks.
///
/// # Errors
/// When the content cannot be copied.
pub(super) fn at_create(site: &Site, record: &ContainerRecord) -> Result<()> {
    fill(site, record, Moment::Create)
}

/// Fills those that are there only while a container runs. Blocks.
///
/// # Errors
/// When the content cannot be copied.
pub(super) fn at_start(site: &Site, record: &ContainerRecord) -> Result<()> {
    fill(site, record, Moment::Start)
}

fn fill(site: &Site, record: &ContainerRecord, moment: Moment) -> Result<()> {
    let takes = |volume: &&VolumeUse| {
        !volume.no_copy && volume.subpath.is_empty() && site.volumes.may_fill(&volume.name, moment)
    };
    let wanted: Vec<&VolumeUse> = record.volumes.iter().filter(takes).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let failed = "copy the image's content into the volume";
    let merged = Merged {
        snapshot: users::snapshot(site, record),
        lowers: site.lowers(record),
        binds: Vec::new(),
        users: users::namespace(site, record)?,
    };
    let map = users::map(record);
    let filled = merged.with(Access::Read, |root| {
        for volume in wanted {
            let target = Path::new(&volume.target);
            site.volumes.fill(&volume.name, moment, &mut |to| {
                copy_content(root, target, to, map).map_err(ServiceError::failed(failed))
            })?;
        }
        Ok(())
    });
    filled.map_err(ServiceError::failed(failed))?
}
