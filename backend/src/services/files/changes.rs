//! What a container changed against its image.

use engine_api::containers;

use crate::access::{Permit, container};
use crate::services::{Result, Services};

/// How a path differs from the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is there too, and not the same.
    Changed,
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
}

/// One path that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Absolute; what is not UTF-8 is replaced.
    pub path: String,
    /// How.
    pub kind: ChangeKind,
}

/// Returns what differs, in the order of the paths.
///
/// # Errors
/// When the container is gone, too much differs, or the engine is away.
pub async fn changes(
    services: &Services,
    permit: &Permit<container::Changes>,
) -> Result<Vec<Change>> {
    let client = services.link().client(permit);
    let changes = client.container_changes(permit.place().id.as_str()).await?;
    Ok(changes.into_iter().map(read).collect())
}

fn read(change: containers::Change) -> Change {
    Change {
        path: change.path,
        kind: match change.kind {
            1 => ChangeKind::Added,
            2 => ChangeKind::Deleted,
            _ => ChangeKind::Changed,
        },
    }
}
