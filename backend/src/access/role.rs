//! Which role holds which permission.

use super::permission::PermissionId as Id;
use super::policy::Reach;
use crate::domain::Role;

/// Returns how far a role's permission reaches; `None` when it does not hold it.
///
/// The match names every permission, so that a new one cannot be forgotten here.
#[expect(clippy::too_many_lines, reason = "each permission by name, one a line")]
pub(super) const fn reach(role: Role, permission: Id) -> Option<Reach> {
    match (role, permission) {
        (Role::Owner, _)
        | (
            Role::Viewer,
            Id::HostView
            | Id::EventList
            | Id::ContainerList
            | Id::ContainerView
            | Id::ImageList
            | Id::ImageView
            | Id::NetworkList
            | Id::NetworkView
            | Id::JobList
            | Id::JobView,
        ) => Some(Reach::All),
        (
            Role::Viewer,
            Id::AccountView
            | Id::AccountChangePassword
            | Id::AccountChangeLook
            | Id::SessionEnd
            | Id::AuditView,
        ) => Some(Reach::Own),
        (
            Role::Viewer,
            Id::ContainerInspect
            | Id::ContainerReveal
            | Id::ContainerProcesses
            | Id::ContainerLogs
            | Id::ContainerDownloadLogs
            | Id::ContainerFiles
            | Id::ContainerDownloadFiles
            | Id::ContainerWriteFiles
            | Id::ContainerChanges
            | Id::ContainerExec
            | Id::ContainerStart
            | Id::ContainerStop
            | Id::ContainerRestart
            | Id::ContainerPause
            | Id::ContainerKill
            | Id::ContainerCreate
            | Id::ContainerEdit
            | Id::ContainerRename
            | Id::ContainerRemove
            | Id::ImageFiles
            | Id::ImageDownloadFiles
            | Id::ImageCheck
            | Id::ImagePull
            | Id::ImageBuild
            | Id::ImageLoad
            | Id::ImagePush
            | Id::ImageTag
            | Id::ImageRemove
            | Id::ImagePrune
            | Id::ImageSave
            | Id::NetworkCreate
            | Id::NetworkConnect
            | Id::NetworkRemove
            | Id::NetworkPrune
            | Id::RegistryList
            | Id::RegistryView
            | Id::RegistryUse
            | Id::RegistryAdd
            | Id::RegistryEdit
            | Id::RegistryTest
            | Id::RegistryRemove
            | Id::JobCancel
            | Id::PeopleList
            | Id::PeopleAdd
            | Id::PeopleRemove
            | Id::AuditViewAll,
        ) => None,
    }
}
