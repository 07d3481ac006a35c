//! What a step does once every variable is replaced: the words that an executor acts by.

use std::fmt;

use crate::dockerfile::{Command, Healthcheck, RunNetwork};
use crate::mode::Mode;

/// One instruction, fully expanded and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Add(Transfer),
    /// Declared, and already in the scope: nothing is left to do.
    Arg(Vec<(String, Option<String>)>),
    Cmd(Command),
    Copy(Transfer),
    Entrypoint(Command),
    /// Already in the scope as well; an executor adds it to the image's configuration.
    Env(Vec<(String, String)>),
    /// Each port once, ranges written out.
    Expose(Vec<Port>),
    Healthcheck(Healthcheck),
    Label(Vec<(String, String)>),
    Maintainer(String),
    /// The trigger's text, for the image's configuration.
    Onbuild(String),
    Run(Run),
    Shell(Vec<String>),
    /// A signal's name or number, as the image's configuration has it.
    Stopsignal(String),
    User(String),
    Volume(Vec<String>),
    /// As written: relative to the working directory so far, see [`resolve`](crate::resolve).
    Workdir(String),
}

/// A command to run in a new container on top of the layers so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub command: Command,
    /// A file that must lie at [`Script::path`] while the command runs, and not in the layer.
    pub script: Option<Script>,
    pub mounts: Vec<Mount>,
    pub network: RunNetwork,
    /// The whole environment of the command: `ENV`, then declared arguments that no `ENV` hides,
    /// then the proxies that were passed. `PATH` is the executor's matter if it is not here.
    pub environment: Vec<(String, String)>,
    /// The arguments that belong to the cache key and to the history: the declared ones.
    pub arguments: Vec<(String, String)>,
}

/// The content of `RUN <<EOF` that begins with `#!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The file's name, without a slash.
    pub name: String,
    pub content: String,
}

impl Script {
    /// Where the command expects the file, executable.
    pub fn path(&self) -> String {
        format!("/dev/pipes/{}", self.name)
    }
}

/// `RUN --mount`. A target is absolute or relative to the working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mount {
    Bind {
        target: String,
        from: Origin,
        source: String,
        /// Whether it may be written; what is written is thrown away.
        writable: bool,
    },
    Cache {
        target: String,
        /// The cache's name; the target where none is given.
        id: String,
        sharing: Sharing,
        /// What a new cache begins with, if anything.
        from: Option<Origin>,
        source: String,
        read_only: bool,
        owner: MountOwner,
    },
    Tmpfs {
        target: String,
        size_bytes: Option<u64>,
    },
    Secret {
        /// No file when only `env` is asked for.
        target: Option<String>,
        id: String,
        /// The variable that carries the secret.
        env: Option<String>,
        required: bool,
        owner: MountOwner,
    },
    Ssh {
        /// The socket's path; `/run/buildkit/ssh_agent.N` where none is given.
        target: Option<String>,
        id: String,
        required: bool,
        owner: MountOwner,
    },
}

/// Owner and mode of what a mount makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MountOwner {
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
}

/// How several builds use one cache at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sharing {
    #[default]
    Shared,
    /// Each has its own.
    Private,
    /// One after the other.
    Locked,
}

/// Where files come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Context,
    /// A stage, by its place in [`Plan::stages`](crate::Plan).
    Stage(usize),
    /// An image, as it is named.
    Image(String),
}

/// `ADD` or `COPY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    pub from: Origin,
    /// At least one.
    pub sources: Vec<Source>,
    /// Absolute or relative to the working directory. With a slash at its end it is a directory, and
    /// with several sources it has that slash.
    pub target: String,
    pub owner: Option<Owner>,
    pub mode: Option<Mode>,
    /// The layer must not depend on those below.
    pub link: bool,
    /// The sources' directories are made below the target; a `/./` in a source says from where.
    pub parents: bool,
    /// Patterns of what is left out, for [`Ignore::of`](crate::context::Ignore::of).
    pub exclude: Vec<String>,
    /// What the one source from the net must be: `sha256:…`.
    pub checksum: Option<String>,
    pub keep_git_dir: bool,
    /// ADD: whether archives are unpacked; `None` is Docker's rule: local ones are, fetched ones not.
    /// COPY: always `Some(false)`.
    pub unpack: Option<bool>,
}

/// One source of a [`Transfer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A path below the origin's root, perhaps with wildcards ([`Glob`](crate::context::Glob)).
    Path(String),
    /// A file that is written in the Dockerfile itself.
    Inline { name: String, content: String },
    /// ADD only: `http://` or `https://`.
    Url(String),
    /// ADD only: a repository, with what stands behind `#`.
    Git(String),
}

/// `--chown`: names or numbers, looked up in the root that is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub user: String,
    /// Docker's rule without one: the user's number is the group's number.
    pub group: Option<String>,
}

/// One port of `EXPOSE`; shown as `80/tcp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    pub number: u16,
    pub protocol: Protocol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => "sctp",
        };
        write!(f, "{}/{protocol}", self.number)
    }
}
