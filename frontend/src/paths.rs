//! The URL vocabulary: every address of the product, once.
//!
//! Each path is a type. `PATTERN` is what the router mounts, `Display` is what a link shows, so a
//! link to a route that does not exist cannot be written.

use std::fmt;

/// Declares paths without parts.
macro_rules! fixed {
    ($($(#[$doc:meta])* $name:ident = $pattern:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name;

        impl $name {
            /// What the router mounts.
            pub const PATTERN: &'static str = $pattern;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($pattern)
            }
        }
    )*};
}

/// Declares paths about one thing: the given text before the thing's name and after it.
macro_rules! about {
    ($($(#[$doc:meta])* $name:ident = $before:literal, $part:literal, $after:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name<'a>(pub &'a str);

        impl $name<'_> {
            /// What the router mounts.
            pub const PATTERN: &'static str = concat!($before, "{", $part, "}", $after);
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}{}", $before, Segment(self.0), $after)
            }
        }
    )*};
}

fixed! {
    /// First page.
    Overview = "/";
    /// Log-in form and its post.
    Login = "/login";
    /// Post: ends the session.
    Logout = "/logout";
    /// Containers list; post creates one.
    Containers = "/containers";
    /// Create form.
    ContainerNew = "/containers/new";
    /// Post: reads a `docker run` line into the create form.
    ContainerPaste = "/containers/new/paste";
    /// Post: the `docker run` line of a half-filled form, as text.
    ContainerCommand = "/containers/new/command";
    /// Post: one action on many containers.
    ContainersBulk = "/containers/bulk";
    /// Logs of several containers as one; each is a `c` of the query.
    Logs = "/logs";
    /// Images list.
    Images = "/images";
    /// Post: starts a pull as a job.
    ImagePull = "/images/pull";
    /// The build form.
    ImageBuildNew = "/images/builds/new";
    /// Post (multipart): starts a build as a job.
    ImageBuilds = "/images/builds";
    /// Post: what is wrong with a Dockerfile, as a part of the form.
    ImageBuildCheck = "/images/builds/new/check";
    /// Post: the `docker build` line of a half-filled form, as text.
    ImageBuildCommand = "/images/builds/new/command";
    /// Post (multipart): starts a load as a job.
    ImageLoad = "/images/load";
    /// The images that nothing needs: what removing them frees. Post: removes them.
    ImagesPrune = "/images/prune";
    /// The tags of what is about to be pulled, for whoever types its name.
    ImagePullTags = "/images/pull/tags";
    /// Networks list; post creates one.
    Networks = "/networks";
    /// Create form.
    NetworkNew = "/networks/new";
    /// Who is connected with whom, as a picture.
    NetworksPicture = "/networks/picture";
    /// The networks that nobody is in. Post: removes them.
    NetworksPrune = "/networks/prune";
    /// The host's ports that lead to containers.
    Ports = "/ports";
    /// Registries that are kept; post adds one.
    Registries = "/registries";
    /// Jobs, everybody's.
    Jobs = "/jobs";
    /// Events list.
    Events = "/events";
    /// Audit list.
    Audit = "/audit";
    /// Accounts.
    People = "/people";
    /// One's own account.
    Account = "/account";
    /// Post: new password.
    AccountPassword = "/account/password";
    /// Post: language and theme.
    AccountLook = "/account/look";
    /// Post: which columns of a list, how close together.
    ListLook = "/account/lists";
    /// Post: ends the session of one's own that the form names, or all but this one.
    AccountSessions = "/account/sessions/end";
    /// Everything that has a name, for the palette.
    Search = "/search";
    /// Every part in every state, for whoever changes how they look.
    Gallery = "/gallery";
    /// The tab's shared socket; see [`crate::live`].
    LivePage = "/live/page";
}

about! {
    /// The one-time set-up page.
    Setup = "/setup/", "token", "";
    /// One container.
    Container = "/containers/", "id", "";
    /// Its log.
    ContainerLogs = "/containers/", "id", "/logs";
    /// Its log as a file.
    ContainerLogsDownload = "/containers/", "id", "/logs/download";
    /// Its load.
    ContainerStats = "/containers/", "id", "/stats";
    /// A shell in it.
    ContainerTerminal = "/containers/", "id", "/terminal";
    /// Its files: the directory or file that `path` of the query names.
    ContainerFiles = "/containers/", "id", "/files";
    /// A file as itself, a directory as an archive; `path` as above.
    ContainerFilesDownload = "/containers/", "id", "/files/download";
    /// Post: an edited text.
    ContainerFilesSave = "/containers/", "id", "/files/save";
    /// Post: a new folder in the directory `path`.
    ContainerFilesFolder = "/containers/", "id", "/files/folder";
    /// Post (multipart): files for the directory `path`.
    ContainerFilesUpload = "/containers/", "id", "/files/upload";
    /// Post: the bytes of the file `name` for the directory `path`.
    ContainerFilesPut = "/containers/", "id", "/files/put";
    /// What it changed against its image.
    ContainerChanges = "/containers/", "id", "/changes";
    /// Its processes.
    ContainerProcesses = "/containers/", "id", "/processes";
    /// Everything the engine knows about it; post shows the values that are masked else.
    ContainerInspect = "/containers/", "id", "/inspect";
    /// Post.
    ContainerStart = "/containers/", "id", "/start";
    /// Post.
    ContainerStop = "/containers/", "id", "/stop";
    /// Post.
    ContainerRestart = "/containers/", "id", "/restart";
    /// Post.
    ContainerPause = "/containers/", "id", "/pause";
    /// Post.
    ContainerUnpause = "/containers/", "id", "/unpause";
    /// Post.
    ContainerKill = "/containers/", "id", "/kill";
    /// Post.
    ContainerRename = "/containers/", "id", "/rename";
    /// The create form, filled from it.
    ContainerDuplicate = "/containers/", "id", "/duplicate";
    /// The form of what it is; post shows what would change, and changes it.
    ContainerEdit = "/containers/", "id", "/edit";
    /// Asks first; post removes.
    ContainerRemove = "/containers/", "id", "/remove";
    /// Asks first; post removes the account.
    PersonRemove = "/people/", "id", "/remove";
    /// One image and its layers.
    Image = "/images/", "id", "";
    /// What each of its layers did, and what of it is wasted.
    ImageLayers = "/images/", "id", "/layers";
    /// Its files as they are after `layer` of the query, counted from 1: the directory or file `path`.
    ImageFiles = "/images/", "id", "/files";
    /// A file of it as itself; `path` and `layer` as above.
    ImageFilesDownload = "/images/", "id", "/files/download";
    /// Post: asks the registry what the name `tag` of the query stands for by now.
    ImageCheck = "/images/", "id", "/check";
    /// Post: another name for it.
    ImageTag = "/images/", "id", "/tag";
    /// Post: starts a push as a job.
    ImagePush = "/images/", "id", "/push";
    /// It, as an archive with its names.
    ImageSave = "/images/", "id", "/download";
    /// Asks first; post removes.
    ImageRemove = "/images/", "id", "/remove";
    /// One network and who is in it.
    Network = "/networks/", "id", "";
    /// Post: connects a container to it.
    NetworkConnect = "/networks/", "id", "/connect";
    /// Post: disconnects the container that `container` of the query names.
    NetworkDisconnect = "/networks/", "id", "/disconnect";
    /// Asks first; post removes.
    NetworkRemove = "/networks/", "id", "/remove";
    /// One registry and its repositories.
    Registry = "/registries/", "id", "";
    /// The tags of the repository that `repository` of the query names.
    RegistryTags = "/registries/", "id", "/tags";
    /// Its form; post changes it.
    RegistryEdit = "/registries/", "id", "/edit";
    /// Post: logs in to it.
    RegistryTest = "/registries/", "id", "/test";
    /// Asks first; post removes.
    RegistryRemove = "/registries/", "id", "/remove";
    /// One job.
    Job = "/jobs/", "id", "";
    /// Post.
    JobCancel = "/jobs/", "id", "/cancel";
    /// Socket; see [`crate::live`].
    LiveLogs = "/live/containers/", "id", "/logs";
    /// Socket; see [`crate::live`].
    LiveStats = "/live/containers/", "id", "/stats";
    /// Socket; see [`crate::live`].
    LiveTerminal = "/live/containers/", "id", "/terminal";
}

impl Logs {
    /// Returns the address of these containers' logs.
    pub fn of<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
        let query: Vec<_> = ids
            .into_iter()
            .map(|id| format!("c={}", Value(id)))
            .collect();
        format!("{Logs}?{}", query.join("&"))
    }
}

/// An address about one path inside a container.
pub fn inside(address: &impl fmt::Display, path: &str) -> String {
    format!("{address}?path={}", Value(path))
}

/// An address about one path inside an image as it is after a layer, counted from 1.
pub fn inside_layer(address: &impl fmt::Display, path: &str, layer: usize) -> String {
    format!("{}&layer={layer}", inside(address, path))
}

/// One path segment, percent-encoded.
struct Segment<'a>(&'a str);

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        encode(self.0, f)
    }
}

/// A query value, percent-encoded.
pub struct Value<'a>(pub &'a str);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        encode(self.0, f)
    }
}

fn encode(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':') {
            write!(f, "{}", char::from(byte))?;
        } else {
            write!(f, "%{byte:02X}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_fits_its_pattern() {
        assert_eq!(ContainerLogs::PATTERN, "/containers/{id}/logs");
        assert_eq!(ContainerLogs("ab12").to_string(), "/containers/ab12/logs");
    }

    #[test]
    fn a_hostile_path_stays_one_value() {
        let address = inside(&ContainerFiles("ab12"), "/a&b=c#d/\n<e>");
        assert_eq!(
            address,
            "/containers/ab12/files?path=%2Fa%26b%3Dc%23d%2F%0A%3Ce%3E"
        );
    }

    #[test]
    fn a_hostile_name_stays_one_segment() {
        assert_eq!(Image("../a b?c").to_string(), "/images/..%2Fa%20b%3Fc");
    }
}
