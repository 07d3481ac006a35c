//! The list of permissions: one row a permission, and from each row a type.
//!
//! Documentation, the matrix in the interface and the golden matrix are printed from [`TABLE`].

use crate::domain::{
    AccountPlace, ContainerPlace, HostPlace, ImagePlace, JobPlace, NetworkPlace, Place,
    RegistryPlace, ServerPlace,
};

/// What a permission lets one do to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Look, and change nothing.
    Read,
    /// Act within a thing that exists: start it, stop it, type into it.
    Operate,
    /// Make or alter things.
    Change,
    /// Take things away for good.
    Destroy,
}

impl Effect {
    /// Tells whether the audit notes its use.
    pub fn changes(self) -> bool {
        self != Self::Read
    }
}

/// A permission as a type. Only the rows of the table implement it.
pub trait Permission: Send + Sync + 'static {
    /// Which row.
    const ID: PermissionId;
    /// What kind of thing it is about.
    type Place: Place;
}

/// A permission as the documentation shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which permission.
    pub id: PermissionId,
    /// Its stored name, as `container.start`.
    pub name: &'static str,
    /// What it does.
    pub effect: Effect,
    /// The kind of place it is about.
    pub place: &'static str,
    /// What it lets one do, in a sentence.
    pub about: &'static str,
}

macro_rules! permissions {
    ($($room:ident { $($type:ident $id:ident $name:literal $effect:ident $place:ident $about:literal;)* })*) => {
        /// Every permission, as a value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum PermissionId {
            $($(#[doc = $about] $id,)*)*
        }

        /// Every permission, in the order of the documentation.
        pub const TABLE: &[Row] = &[$($(Row {
            id: PermissionId::$id,
            name: $name,
            effect: Effect::$effect,
            place: <$place as Place>::KIND,
            about: $about,
        },)*)*];

        $(
            #[doc = concat!("Permissions about: ", stringify!($room), ".")]
            pub mod $room {
                use super::*;

                $(
                    #[doc = $about]
                    #[derive(Clone, Copy, Debug)]
                    pub struct $type;

                    impl Permission for $type {
                        const ID: PermissionId = PermissionId::$id;
                        type Place = $place;
                    }
                )*
            }
        )*
    };
}

permissions! {
    host {
        View HostView "host.view" Read HostPlace "See a host: what it is, its load, its health.";
    }
    event {
        List EventList "event.list" Read HostPlace "See what happened on a host.";
    }
    container {
        List ContainerList "container.list" Read HostPlace "See the containers of a host.";
        View ContainerView "container.view" Read ContainerPlace "See a container: state, limits, mounts, load; not its environment.";
        Inspect ContainerInspect "container.inspect" Read ContainerPlace "See everything about a container, with values masked.";
        Reveal ContainerReveal "container.reveal" Operate ContainerPlace "See the values of a container's environment.";
        Processes ContainerProcesses "container.processes" Read ContainerPlace "See the processes of a container.";
        Logs ContainerLogs "container.logs" Read ContainerPlace "Read the log of a container.";
        DownloadLogs ContainerDownloadLogs "container.logs.download" Operate ContainerPlace "Take the log of a container away as a file.";
        Files ContainerFiles "container.files" Read ContainerPlace "See the files of a container and read them.";
        DownloadFiles ContainerDownloadFiles "container.files.download" Operate ContainerPlace "Take files of a container away.";
        WriteFiles ContainerWriteFiles "container.files.write" Change ContainerPlace "Edit the files of a container, and put files in.";
        Changes ContainerChanges "container.changes" Read ContainerPlace "See which files of a container differ from its image.";
        Exec ContainerExec "container.exec" Operate ContainerPlace "Open a terminal in a container.";
        Start ContainerStart "container.start" Operate ContainerPlace "Start a container.";
        Stop ContainerStop "container.stop" Operate ContainerPlace "Stop a container.";
        Restart ContainerRestart "container.restart" Operate ContainerPlace "Restart a container.";
        Pause ContainerPause "container.pause" Operate ContainerPlace "Hold a container still, and let it go on.";
        Kill ContainerKill "container.kill" Operate ContainerPlace "Send a signal to a container.";
        Create ContainerCreate "container.create" Change HostPlace "Create a container.";
        Edit ContainerEdit "container.edit" Change ContainerPlace "Change a container: in place, or by making it anew.";
        Rename ContainerRename "container.rename" Change ContainerPlace "Give a container another name.";
        Remove ContainerRemove "container.remove" Destroy ContainerPlace "Remove a container.";
    }
    image {
        List ImageList "image.list" Read HostPlace "See the images of a host.";
        View ImageView "image.view" Read ImagePlace "See an image and its layers.";
        Files ImageFiles "image.files" Read ImagePlace "See the files of an image, layer by layer, and read them.";
        DownloadFiles ImageDownloadFiles "image.files.download" Operate ImagePlace "Take files of an image away.";
        Check ImageCheck "image.check" Operate ImagePlace "Ask a registry whether it has a newer image.";
        Pull ImagePull "image.pull" Change HostPlace "Pull an image from a registry.";
        Build ImageBuild "image.build" Change HostPlace "Build an image from a Dockerfile.";
        Load ImageLoad "image.load" Change HostPlace "Load images from an archive.";
        Push ImagePush "image.push" Operate ImagePlace "Push an image to a registry.";
        Tag ImageTag "image.tag" Change ImagePlace "Give an image one more name.";
        Remove ImageRemove "image.remove" Destroy ImagePlace "Remove an image.";
        Save ImageSave "image.save" Operate ImagePlace "Take an image away as an archive.";
        Prune ImagePrune "image.prune" Destroy HostPlace "Remove the images that no container is made of.";
    }
    network {
        List NetworkList "network.list" Read HostPlace "See the networks of a host, who is in each, and the ports that are published.";
        View NetworkView "network.view" Read NetworkPlace "See a network, and who is in it.";
        Create NetworkCreate "network.create" Change HostPlace "Create a network.";
        Connect NetworkConnect "network.connect" Operate NetworkPlace "Connect containers to a network, and disconnect them.";
        Remove NetworkRemove "network.remove" Destroy NetworkPlace "Remove a network.";
        Prune NetworkPrune "network.prune" Destroy HostPlace "Remove the networks that no container is in.";
    }
    registry {
        List RegistryList "registry.list" Read ServerPlace "See which registries are kept, and the name at each.";
        View RegistryView "registry.view" Read RegistryPlace "See what a registry has: its repositories and their tags.";
        Use RegistryUse "registry.use" Operate ServerPlace "Pull and push by the names and passwords that are kept.";
        Add RegistryAdd "registry.add" Change ServerPlace "Add a registry.";
        Edit RegistryEdit "registry.edit" Change RegistryPlace "Change a registry: its name, its address, who we are there.";
        Test RegistryTest "registry.test" Operate RegistryPlace "Log in to a registry, to see whether it lets us in.";
        Remove RegistryRemove "registry.remove" Destroy RegistryPlace "Remove a registry, and the password that is kept for it.";
    }
    job {
        List JobList "job.list" Read HostPlace "See the work that goes on on a host.";
        View JobView "job.view" Read JobPlace "See the progress of a job.";
        Cancel JobCancel "job.cancel" Operate JobPlace "Cancel a job.";
    }
    people {
        List PeopleList "people.list" Read ServerPlace "See the accounts.";
        Add PeopleAdd "people.add" Change ServerPlace "Add an account.";
        Remove PeopleRemove "people.remove" Destroy AccountPlace "Remove an account.";
    }
    account {
        View AccountView "account.view" Read AccountPlace "See one's own account.";
        ChangePassword AccountChangePassword "account.password" Operate AccountPlace "Change one's own password.";
        ChangeLook AccountChangeLook "account.look" Operate AccountPlace "Choose one's own language.";
    }
    session {
        End SessionEnd "session.end" Operate AccountPlace "End sessions of one's own.";
    }
    audit {
        View AuditView "audit.view" Read ServerPlace "See one's own audit entries.";
        ViewAll AuditViewAll "audit.view_all" Read ServerPlace "See everybody's audit entries.";
    }
}

impl PermissionId {
    /// Returns the row of the table.
    ///
    /// # Panics
    /// Never: the table has a row for each.
    pub fn row(self) -> &'static Row {
        TABLE
            .iter()
            .find(|row| row.id == self)
            .expect("the table is made from the same list")
    }

    /// Returns the stored name, as `container.start`.
    pub fn name(self) -> &'static str {
        self.row().name
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn stored_names_are_unique_and_begin_with_their_room() {
        let names: BTreeSet<_> = TABLE.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), TABLE.len());
        assert_eq!(PermissionId::ContainerStart.name(), "container.start");
    }
}
