//! What may never be created on this host, whoever asks. It is asked and never acts.
//!
//! Whoever reaches the socket is root, as with Docker, so by default the profile only keeps
//! containers away from the engine's own files where somebody names them: a mount of `/` shows them
//! still, as it shows everything, and whoever mounts the host's files is root there. With `--confined`
//! it denies everything that reaches beyond a container: privileges, host namespaces, devices, powers
//! over the whole kernel, and a mount that shows the engine's own files or its socket among others.
//! Who may ask for what below that is decided by the server.
//!
//! A source is judged by where its path leads, at the create for an early word, and once more when it
//! is opened to be mounted: what was opened is what is mounted, whoever changes the path meanwhile.

use std::path::{Path, PathBuf};

use engine_runtime::{Mount, MountKind, Namespace, Network, Seccomp, Source, Spec, profile};

/// Capabilities that a confined container may be given beside the default ones. What is missing reaches
/// beyond the container: modules, raw devices, the clock, the whole of the administration.
const ADDABLE: &[&str] = &[
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_LEASE",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_ADMIN",
    "CAP_NET_BROADCAST",
    "CAP_SYS_NICE",
    "CAP_SYS_PTRACE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TTY_CONFIG",
];

/// Capabilities over the network, harmless only in a network of the container's own.
const OVER_NETWORK: &[&str] = &["CAP_NET_ADMIN"];

/// What a volume lies on, where that is not the engine's own directory.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ground<'p> {
    /// A directory of the host.
    Directory(&'p Path),
    /// A file system on a device or in a file of the host.
    Disk(&'p Path),
    /// One that another machine serves.
    Remote,
}

/// Why the host says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("the profile of this host does not allow capability {0}")]
    Capability(String),
    #[error(
        "the profile of this host does not allow capability {0} together with the host's network"
    )]
    CapabilityOverHost(String),
    #[error("the profile of this host does not allow {0}")]
    Reach(&'static str),
    #[error("the profile of this host does not allow to mount {0}, which belongs to the engine")]
    EnginePath(PathBuf),
}

/// The deny profile of this host.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    /// Directories of the engine; neither they nor anything in them is mounted into a container.
    pub(crate) own: Vec<PathBuf>,
    /// The engine's socket: whoever has it is root.
    pub(crate) socket: PathBuf,
    /// Nothing that reaches beyond the container itself.
    pub(crate) confined: bool,
}

impl Guard {
    /// Judges a container as it would run; `asked` are those of its mounts that somebody asked for.
    ///
    /// # Errors
    /// Names the first thing that may not be.
    pub(crate) fn judge(&self, spec: &Spec, asked: &[Mount]) -> Result<(), Denied> {
        for mount in asked {
            if let MountKind::Bind { source, .. } = &mount.kind
                && self.shows_own(source)
            {
                return Err(Denied::EnginePath(source.clone()));
            }
        }
        if self.confined {
            judge_reach(spec)?;
        }
        Ok(())
    }

    /// Judges what a volume is to lie on.
    ///
    /// # Errors
    /// When that is the engine's own, or reaches beyond a container.
    pub(crate) fn judge_volume(&self, ground: Ground<'_>) -> Result<(), Denied> {
        match ground {
            Ground::Disk(_) if self.confined => Err(Denied::Reach("devices of the host")),
            Ground::Remote if self.confined => Err(Denied::Reach("file systems of other machines")),
            Ground::Directory(path) | Ground::Disk(path) if self.shows_own(path) => {
                Err(Denied::EnginePath(path.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Judges what a source turned out to be when it was opened.
    ///
    /// # Errors
    /// When it is, or shows, what is the engine's.
    pub(crate) fn judge_source(&self, asked: &Path, opened: &Source) -> Result<(), Denied> {
        match self.may_show(opened.location()) {
            true => Ok(()),
            false => Err(Denied::EnginePath(asked.to_owned())),
        }
    }

    /// Tells whether a place on the host, with no link on the way to it, may be mounted.
    pub(crate) fn may_show(&self, location: &Path) -> bool {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let is_own = |own: &PathBuf| location.starts_with(own) || location.starts_with(real(own));
        let holds = |own: &PathBuf| own.starts_with(location) || real(own).starts_with(location);
        let own = &self.own;
        let shows = self.confined && (own.iter().any(holds) || holds(&self.socket));
        !own.iter().any(is_own) && !shows
    }

    /// Tells whether a mount of this source shows what is the engine's.
    fn shows_own(&self, source: &Path) -> bool {
        let is_own = self.own.iter().any(|own| is_within(source, own));
        let holds = |own: &PathBuf| is_within(own, source);
        is_own || self.confined && (self.own.iter().any(holds) || holds(&self.socket))
    }
}

/// Refuses what reaches beyond the container.
fn judge_reach(spec: &Spec) -> Result<(), Denied> {
    let defaults = profile::default_capabilities();
    for name in spec
        .capabilities
        .iter()
        .filter(|name| !defaults.contains(name))
    {
        if !ADDABLE.contains(&name.as_str()) {
            return Err(Denied::Capability(name.clone()));
        }
        if spec.network == Network::Host && OVER_NETWORK.contains(&name.as_str()) {
            return Err(Denied::CapabilityOverHost(name.clone()));
        }
    }
    let is_hosts = |one: &Namespace| *one == Namespace::Host;
    let hides_less =
        |paths: &[String], default: Vec<String>| default.iter().any(|path| !paths.contains(path));
    let shows = hides_less(&spec.masked_paths, profile::default_masked_paths())
        || hides_less(&spec.readonly_paths, profile::default_readonly_paths());
    for (is_so, what) in [
        (is_hosts(&spec.sharing.pid), "the host's processes"),
        (is_hosts(&spec.sharing.ipc), "the host's IPC namespace"),
        (is_hosts(&spec.sharing.uts), "the host's name"),
        (is_hosts(&spec.sharing.cgroup), "the host's control groups"),
        (
            spec.seccomp != Seccomp::Default,
            "another system call filter",
        ),
        (!spec.devices.rules.is_empty(), "devices of the host"),
        (shows, "more of /proc and /sys"),
        (spec.writable_sysfs, "a writable /sys"),
        (spec.writable_cgroups, "writable control groups"),
    ] {
        if is_so {
            return Err(Denied::Reach(what));
        }
    }
    Ok(())
}

/// Compares where the paths lead, as far as they exist, so that a link is no way round.
fn is_within(path: &Path, directory: &Path) -> bool {
    let leads_to = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    path.starts_with(directory) || leads_to(path).starts_with(leads_to(directory))
}

#[cfg(test)]
mod tests {
    use engine_runtime::{BindHow, LogOptions, Process, Resources, Root, SPEC_VERSION, Sharing};

    use super::*;

    fn spec() -> Spec {
        Spec {
            version: SPEC_VERSION,
            id: "a".to_owned(),
            root: Root {
                lower: Vec::new(),
                upper: "/containers/a/upper".into(),
                work: "/containers/a/work".into(),
                readonly: false,
            },
            process: Process::default(),
            hostname: String::new(),
            domainname: String::new(),
            network: Network::None,
            mounts: Vec::new(),
            shm_bytes: 1,
            resources: Resources::default(),
            cgroup: "gantry/a".to_owned(),
            capabilities: profile::default_capabilities(),
            seccomp: Seccomp::Default,
            masked_paths: profile::default_masked_paths(),
            readonly_paths: profile::default_readonly_paths(),
            log: LogOptions::default(),
            oom_score_adj: None,
            seccomp_profile: None,
            apparmor: None,
            remap: None,
            sharing: Sharing::default(),
            devices: engine_runtime::Devices::default(),
            sysctls: Vec::new(),
            layout: None,
            writable_cgroups: false,
            writable_sysfs: false,
            counted: false,
        }
    }

    fn judge(confined: bool, spec: &Spec) -> Result<(), Denied> {
        let guard = Guard {
            own: vec![std::env::temp_dir()],
            socket: "/run/gantry-test/engine.sock".into(),
            confined,
        };
        guard.judge(spec, &spec.mounts)
    }

    fn with_capability(name: &str, network: Network) -> Spec {
        let mut spec = spec();
        spec.capabilities.push(name.to_owned());
        spec.network = network;
        spec
    }

    #[test]
    fn powers_over_the_kernel_are_denied_where_containers_are_confined() {
        for name in ["CAP_NET_ADMIN", "CAP_SYS_NICE"] {
            assert_eq!(judge(true, &with_capability(name, Network::None)), Ok(()));
        }
        for name in ["CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_BPF", "CAP_SYS_TIME"] {
            let wish = with_capability(name, Network::None);
            assert_eq!(judge(true, &wish), Err(Denied::Capability(name.to_owned())));
            assert_eq!(judge(false, &wish), Ok(()));
        }
        assert!(matches!(
            judge(true, &with_capability("CAP_NET_ADMIN", Network::Host)),
            Err(Denied::CapabilityOverHost(_))
        ));
    }

    #[test]
    fn what_reaches_beyond_a_container_is_denied_where_they_are_confined() {
        let changes: [fn(&mut Spec); 6] = [
            |spec| spec.sharing.pid = Namespace::Host,
            |spec| spec.sharing.ipc = Namespace::Host,
            |spec| spec.seccomp = Seccomp::Unconfined,
            |spec| spec.masked_paths.clear(),
            |spec| spec.writable_sysfs = true,
            |spec| spec.writable_cgroups = true,
        ];
        assert_eq!(judge(true, &spec()), Ok(()));
        for change in changes {
            let mut spec = spec();
            change(&mut spec);
            assert!(matches!(judge(true, &spec), Err(Denied::Reach(_))));
            assert_eq!(judge(false, &spec), Ok(()));
        }
    }

    fn judge_mount(confined: bool, source: PathBuf) -> Result<(), Denied> {
        let mut spec = spec();
        spec.mounts.push(Mount {
            kind: MountKind::Bind {
                source,
                judged: None,
                how: BindHow::default(),
            },
            target: "/m".to_owned(),
            readonly: true,
        });
        judge(confined, &spec)
    }

    #[test]
    fn a_confined_mount_shows_nothing_of_the_engine() {
        for source in [
            "/",
            "/run",
            "/run/gantry-test",
            "/run/gantry-test/engine.sock",
        ] {
            let denied = Err(Denied::EnginePath(source.into()));
            assert_eq!(judge_mount(true, source.into()), denied);
            assert_eq!(judge_mount(false, source.into()), Ok(()));
        }
        assert_eq!(judge_mount(true, "/usr".into()), Ok(()));
        assert_eq!(judge_mount(true, "/run/gantry-test/other".into()), Ok(()));
    }

    #[test]
    fn the_engines_own_directories_are_denied_also_through_a_link() {
        let own = std::env::temp_dir();
        let judge = |source: PathBuf| judge_mount(false, source);
        assert_eq!(judge(PathBuf::from("/usr")), Ok(()));
        assert!(judge(own.join("containers")).is_err());
        let links = tempfile::tempdir_in("/var").unwrap();
        let link = links.path().join("link");
        std::os::unix::fs::symlink(&own, &link).unwrap();
        assert!(judge(link).is_err());
    }
}
