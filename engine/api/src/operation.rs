//! The list of everything one may ask an engine.
//!
//! The agent's router, the client, the permission of each call and the compatibility table are
//! made from this list or checked against it. An operation that is not here does not exist: its
//! path is answered with 404.

use crate::version::ApiVersion;

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Reads the head of the answer only.
    Head,
    /// Changes or makes.
    Post,
    /// Replaces.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// Returns the word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// What an operation does to the world, for policy and audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Looks and changes nothing.
    Read,
    /// Acts within a thing that exists: starts, stops, types into it.
    Operate,
    /// Makes or alters things.
    Change,
    /// Takes things away for good.
    Destroy,
}

/// How the answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One JSON document, or nothing.
    Json,
    /// Bytes that go on: frames, lines, progress.
    Stream,
    /// The connection becomes a byte stream in both directions.
    Upgrade,
}

/// One thing that may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its name, resource first, as `container.start`.
    pub name: &'static str,
    /// Its method.
    pub method: Method,
    /// Its path without a version; `{name}` of images may hold slashes.
    pub path: &'static str,
    /// What it does to the world.
    pub effect: Effect,
    /// How the answer comes.
    pub shape: Shape,
    /// The version of the API that brought it.
    pub since: ApiVersion,
}

macro_rules! operations {
    ($($id:ident $name:literal $method:ident $path:literal $effect:ident $shape:ident $minor:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($method), " ", $path, "`")]
            pub const $id: Operation = Operation {
                name: $name,
                method: Method::$method,
                path: $path,
                effect: Effect::$effect,
                shape: Shape::$shape,
                since: ApiVersion::v1($minor),
            };
        )*

        /// Every operation, in the order of the documentation.
        pub const ALL: &[Operation] = &[$($id),*];
    };
}

operations! {
    PING "system.ping" Get "/_ping" Read Json 24;
    PING_HEAD "system.ping_head" Head "/_ping" Read Json 24;
    VERSION "system.version" Get "/version" Read Json 24;
    INFO "system.info" Get "/info" Read Json 24;
    EVENTS "system.events" Get "/events" Read Stream 24;
    AUTH "system.auth" Post "/auth" Operate Json 24;

    CONTAINER_LIST "container.list" Get "/containers/json" Read Json 24;
    CONTAINER_CREATE "container.create" Post "/containers/create" Change Json 24;
    CONTAINER_INSPECT "container.inspect" Get "/containers/{id}/json" Read Json 24;
    CONTAINER_START "container.start" Post "/containers/{id}/start" Operate Json 24;
    CONTAINER_STOP "container.stop" Post "/containers/{id}/stop" Operate Json 24;
    CONTAINER_RESTART "container.restart" Post "/containers/{id}/restart" Operate Json 24;
    CONTAINER_KILL "container.kill" Post "/containers/{id}/kill" Operate Json 24;
    CONTAINER_PAUSE "container.pause" Post "/containers/{id}/pause" Operate Json 24;
    CONTAINER_UNPAUSE "container.unpause" Post "/containers/{id}/unpause" Operate Json 24;
    CONTAINER_UPDATE "container.update" Post "/containers/{id}/update" Change Json 24;
    CONTAINER_WAIT "container.wait" Post "/containers/{id}/wait" Read Stream 24;
    CONTAINER_REMOVE "container.remove" Delete "/containers/{id}" Destroy Json 24;
    CONTAINER_ATTACH "container.attach" Post "/containers/{id}/attach" Operate Upgrade 24;
    CONTAINER_LOGS "container.logs" Get "/containers/{id}/logs" Read Stream 24;
    CONTAINER_RESIZE "container.resize" Post "/containers/{id}/resize" Operate Json 24;
    CONTAINER_STATS "container.stats" Get "/containers/{id}/stats" Read Stream 24;
    CONTAINER_TOP "container.top" Get "/containers/{id}/top" Read Json 24;
    CONTAINER_PATH_STAT "container.path_stat" Head "/containers/{id}/archive" Read Json 24;
    CONTAINER_ARCHIVE "container.archive" Get "/containers/{id}/archive" Read Stream 24;
    CONTAINER_EXTRACT "container.extract" Put "/containers/{id}/archive" Change Json 24;
    CONTAINER_COMMIT "container.commit" Post "/commit" Change Json 24;
    CONTAINER_PRUNE "container.prune" Post "/containers/prune" Destroy Json 25;
    CONTAINER_CHANGES "container.changes" Get "/containers/{id}/changes" Read Json 24;
    CONTAINER_FILES "container.files" Get "/gantry/containers/{id}/files" Read Json 24;
    CONTAINER_EXPORT "container.export" Get "/containers/{id}/export" Read Stream 24;
    CONTAINER_RENAME "container.rename" Post "/containers/{id}/rename" Change Json 24;

    EXEC_CREATE "exec.create" Post "/containers/{id}/exec" Operate Json 24;
    EXEC_START "exec.start" Post "/exec/{id}/start" Operate Upgrade 24;
    EXEC_RESIZE "exec.resize" Post "/exec/{id}/resize" Operate Json 24;
    EXEC_INSPECT "exec.inspect" Get "/exec/{id}/json" Read Json 24;

    IMAGE_LIST "image.list" Get "/images/json" Read Json 24;
    IMAGE_CREATE "image.create" Post "/images/create" Change Stream 24;
    IMAGE_LOAD "image.load" Post "/images/load" Change Stream 24;
    IMAGE_SAVE_ALL "image.save_all" Get "/images/get" Read Stream 24;
    IMAGE_SAVE "image.save" Get "/images/{name}/get" Read Stream 24;
    IMAGE_PRUNE "image.prune" Post "/images/prune" Destroy Json 25;
    IMAGE_PRUNABLE "image.prunable" Get "/gantry/images/prunable" Read Json 24;
    IMAGE_INSPECT "image.inspect" Get "/images/{name}/json" Read Json 24;
    IMAGE_HISTORY "image.history" Get "/images/{name}/history" Read Json 24;
    IMAGE_LAYERS "image.layers" Get "/gantry/images/{name}/layers" Read Json 24;
    IMAGE_FILES "image.files" Get "/gantry/images/{name}/files" Read Json 24;
    IMAGE_FILE "image.file" Get "/gantry/images/{name}/file" Read Stream 24;
    IMAGE_PUSH "image.push" Post "/images/{name}/push" Change Stream 24;
    IMAGE_TAG "image.tag" Post "/images/{name}/tag" Change Json 24;
    IMAGE_REMOVE "image.remove" Delete "/images/{name}" Destroy Json 24;

    IMAGE_SEARCH "image.search" Get "/images/search" Read Json 24;
    DISTRIBUTION_INSPECT "distribution.inspect" Get "/distribution/{name}/json" Read Json 30;
    REGISTRY_REPOSITORIES "registry.repositories" Get "/gantry/registries/{name}/repositories" Read Json 24;
    REPOSITORY_DIGEST "repository.digest" Get "/gantry/repositories/{name}/digest" Read Json 24;
    REPOSITORY_TAGS "repository.tags" Get "/gantry/repositories/{name}/tags" Read Json 24;

    NETWORK_LIST "network.list" Get "/networks" Read Json 24;
    NETWORK_PRUNE "network.prune" Post "/networks/prune" Destroy Json 25;
    VOLUME_PRUNE "volume.prune" Post "/volumes/prune" Destroy Json 25;
    BUILD "build.create" Post "/build" Change Stream 24;
    BUILD_CHECK "build.check" Post "/gantry/build/check" Operate Json 24;
    BUILD_PRUNE "build.prune" Post "/build/prune" Destroy Json 31;
    DISK_USAGE "system.df" Get "/system/df" Read Json 25;
    NETWORK_CREATE "network.create" Post "/networks/create" Change Json 24;
    NETWORK_CONNECT "network.connect" Post "/networks/{id}/connect" Change Json 24;
    NETWORK_DISCONNECT "network.disconnect" Post "/networks/{id}/disconnect" Change Json 24;
    NETWORK_REMOVE "network.remove" Delete "/networks/{id}" Destroy Json 24;
    NETWORK_INSPECT "network.inspect" Get "/networks/{id}" Read Json 24;
    VOLUME_LIST "volume.list" Get "/volumes" Read Json 24;
    VOLUME_CREATE "volume.create" Post "/volumes/create" Change Json 24;
    VOLUME_INSPECT "volume.inspect" Get "/volumes/{name}" Read Json 24;
    VOLUME_REMOVE "volume.remove" Delete "/volumes/{name}" Destroy Json 24;
    VOLUME_FILES "volume.files" Get "/gantry/volumes/{name}/files" Read Json 24;
    VOLUME_CHANGE "volume.change" Post "/gantry/volumes/{name}/files" Change Json 24;
    VOLUME_PATH_STAT "volume.path_stat" Head "/gantry/volumes/{name}/archive" Read Json 24;
    VOLUME_ARCHIVE "volume.archive" Get "/gantry/volumes/{name}/archive" Read Stream 24;
    VOLUME_EXTRACT "volume.extract" Put "/gantry/volumes/{name}/archive" Change Json 24;
    VOLUME_FILE "volume.file" Get "/gantry/volumes/{name}/file" Read Stream 24;
    VOLUME_FILE_PUT "volume.file_put" Put "/gantry/volumes/{name}/file" Change Json 24;
    VOLUME_BACKUP "volume.backup" Get "/gantry/volumes/{name}/backup" Read Stream 24;
    VOLUME_RESTORE "volume.restore" Put "/gantry/volumes/{name}/backup" Change Json 24;
    VOLUME_CLONE "volume.clone" Post "/gantry/volumes/{name}/clone" Change Json 24;
    PLUGIN_LIST "plugin.list" Get "/plugins" Read Json 25;
}

impl Operation {
    /// Returns the operation of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|operation| operation.name == name)
    }

    /// Takes the parameter out of a path without version, still percent-encoded; an empty text
    /// when the path has none. `None` when the path is another operation's.
    pub fn parameter<'p>(&self, path: &'p str) -> Option<&'p str> {
        let Some((before, after)) = self.path.split_once('{') else {
            return (path == self.path).then_some("");
        };
        let (name, after) = after.split_once('}')?;
        let value = path.strip_prefix(before)?.strip_suffix(after)?;
        let fits = !value.is_empty() && (name == "name" || !value.contains('/'));
        fits.then_some(value)
    }
}

/// Finds what a request asks for, and its parameter; `path` is without version and query.
pub fn find<'p>(method: &str, path: &'p str) -> Option<(&'static Operation, &'p str)> {
    ALL.iter()
        .filter(|operation| operation.method.as_str() == method)
        .find_map(|operation| Some((operation, operation.parameter(path)?)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_routes_are_unique() {
        let names: BTreeSet<_> = ALL.iter().map(|o| o.name).collect();
        let routes: BTreeSet<_> = ALL.iter().map(|o| (o.method.as_str(), o.path)).collect();
        assert_eq!((names.len(), routes.len()), (ALL.len(), ALL.len()));
    }

    #[test]
    fn each_operation_is_found_by_its_own_path() {
        for operation in ALL {
            let path = operation
                .path
                .replace("{id}", "web")
                .replace("{name}", "a/b:c");
            let (found, parameter) = find(operation.method.as_str(), &path).unwrap();
            assert_eq!(found.name, operation.name, "{path}");
            assert_eq!(
                parameter.is_empty(),
                !operation.path.contains('{'),
                "{path}"
            );
        }
    }

    #[test]
    fn a_path_of_nobody_is_not_found() {
        for path in [
            "/",
            "/nothing",
            "/containers//json",
            "/containers/a/b/json",
            "/images//json",
        ] {
            assert_eq!(find("GET", path), None, "{path}");
        }
        assert_eq!(
            find("DELETE", "/containers/json").map(|(o, _)| o.name),
            Some("container.remove")
        );
    }

    #[test]
    fn reading_is_never_a_changing_method_except_wait() {
        for operation in ALL.iter().filter(|o| o.effect == Effect::Read) {
            let reads = matches!(operation.method, Method::Get | Method::Head);
            assert!(reads || *operation == CONTAINER_WAIT, "{}", operation.name);
        }
    }
}
