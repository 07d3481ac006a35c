//! Places: what a permission is valid for.
//!
//! A permit carries the place it was decided for, so "checked A, acted on B" cannot be written.

use super::{AccountId, ContainerId, HostId, ImageId, JobId, NetworkId, RegistryId};

/// A kind of place; each permission names the one it is about.
pub trait Place: Clone + Send + Sync + std::fmt::Debug + 'static {
    /// The word for the kind.
    const KIND: &'static str;

    /// Returns the place in words, for the audit and for the engine.
    fn describe(&self) -> PlaceRef;
}

/// A place in words: its kind, its id, and the name people know it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceRef {
    /// The kind, as `container`.
    pub kind: &'static str,
    /// The id; empty for the server itself.
    pub id: String,
    /// The name at the time; empty when it has none.
    pub name: String,
}

/// The server as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerPlace;

/// A host and everything on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPlace {
    /// Which host.
    pub host: HostId,
}

/// A container of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPlace {
    /// The host it runs on.
    pub host: HostId,
    /// Which container.
    pub id: ContainerId,
    /// Its name when the permit was made.
    pub name: String,
}

/// An image of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePlace {
    /// The host that has it.
    pub host: HostId,
    /// Which image.
    pub id: ImageId,
    /// Its first tag when the permit was made; empty when it has none.
    pub name: String,
}

/// A network of containers of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkPlace {
    /// The host that has it.
    pub host: HostId,
    /// Which network.
    pub id: NetworkId,
    /// Its name when the permit was made.
    pub name: String,
}

/// A job of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPlace {
    /// The host it works on.
    pub host: HostId,
    /// Which job.
    pub id: JobId,
}

/// A registry that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryPlace {
    /// Which.
    pub id: RegistryId,
    /// Its name when the permit was made.
    pub name: String,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPlace {
    /// Whose.
    pub id: AccountId,
    /// Its name when the permit was made.
    pub name: String,
}

fn named(kind: &'static str, id: &str, name: &str) -> PlaceRef {
    PlaceRef {
        kind,
        id: id.to_owned(),
        name: name.to_owned(),
    }
}

impl Place for ServerPlace {
    const KIND: &'static str = "server";

    fn describe(&self) -> PlaceRef {
        named(Self::KIND, "", "")
    }
}

impl Place for HostPlace {
    const KIND: &'static str = "host";

    fn describe(&self) -> PlaceRef {
        named(Self::KIND, self.host.as_str(), self.host.as_str())
    }
}

impl Place for ContainerPlace {
    const KIND: &'static str = "container";

    fn describe(&self) -> PlaceRef {
        named(Self::KIND, self.id.as_str(), &self.name)
    }
}

impl Place for ImagePlace {
    const KIND: &'static str = "image";

    fn describe(&self) -> PlaceRef {
        named(Self::KIND, self.id.as_str(), &self.name)
    }
}

impl Place for NetworkPlace {
    const KIND: &'static str = "network";

    fn describe(&self) -> PlaceRef {
        named(Self::KIND, self.id.as_str(), &self.name)
    }
}

impl Place for JobPlace {
    const KIND: &'static str = "job";

    fn describe(&self) -> PlaceRef {
        named(Self::KIND, self.id.as_str(), "")
    }
}

impl Place for RegistryPlace {
    const KIND: &'static str = "registry";

    fn describe(&self) -> PlaceRef {
        named(Self::KIND, self.id.as_str(), &self.name)
    }
}

impl Place for AccountPlace {
    const KIND: &'static str = "account";

    fn describe(&self) -> PlaceRef {
        named(Self::KIND, self.id.as_str(), &self.name)
    }
}
