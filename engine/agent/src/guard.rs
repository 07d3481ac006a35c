//! What may never be created on this host, whoever asks. It is asked and never acts.
//!
//! The profile is small on purpose: it keeps containers away from the engine's own files and from
//! powers over the whole kernel. Who may ask for what below that is decided by the server.

use std::path::{Path, PathBuf};

use engine_runtime::Mount;
use engine_runtime::MountKind;

/// Capabilities that a container may be given beside the default ones. What is missing reaches
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

/// Why the host says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("the profile of this host does not allow capability {0}")]
    Capability(String),
    #[error(
        "the profile of this host does not allow capability {0} together with the host's network"
    )]
    CapabilityOverHost(String),
    #[error("the profile of this host does not allow to mount {0}, which belongs to the engine")]
    EnginePath(PathBuf),
}

/// What is judged of a container, as it will run.
pub(crate) struct Wish<'w> {
    /// Capabilities by name, beside the default ones.
    pub(crate) added_capabilities: &'w [String],
    pub(crate) host_network: bool,
    pub(crate) mounts: &'w [Mount],
}

/// The deny profile of this host.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    /// Directories of the engine; nothing in them is shown to a container.
    pub(crate) own: Vec<PathBuf>,
}

impl Guard {
    /// Judges a wish.
    ///
    /// # Errors
    /// Names the first thing that may not be.
    pub(crate) fn judge(&self, wish: &Wish<'_>) -> Result<(), Denied> {
        for name in wish.added_capabilities {
            if !ADDABLE.contains(&name.as_str()) {
                return Err(Denied::Capability(name.clone()));
            }
            if wish.host_network && OVER_NETWORK.contains(&name.as_str()) {
                return Err(Denied::CapabilityOverHost(name.clone()));
            }
        }
        for mount in wish.mounts {
            if let MountKind::Bind { source } = &mount.kind
                && self.own.iter().any(|own| is_within(source, own))
            {
                return Err(Denied::EnginePath(source.clone()));
            }
        }
        Ok(())
    }
}

/// Compares where the paths lead, as far as they exist, so that a link is no way round.
fn is_within(path: &Path, directory: &Path) -> bool {
    let leads_to = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    path.starts_with(directory) || leads_to(path).starts_with(leads_to(directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(capabilities: &[&str], host_network: bool, sources: &[PathBuf]) -> Result<(), Denied> {
        let data = std::env::temp_dir();
        let added: Vec<String> = capabilities.iter().map(ToString::to_string).collect();
        let mounts: Vec<Mount> = sources
            .iter()
            .map(|source| Mount {
                kind: MountKind::Bind {
                    source: source.clone(),
                },
                target: "/m".to_owned(),
                readonly: true,
            })
            .collect();
        let wish = Wish {
            added_capabilities: &added,
            host_network,
            mounts: &mounts,
        };
        Guard { own: vec![data] }.judge(&wish)
    }

    #[test]
    fn powers_over_the_kernel_are_denied() {
        assert_eq!(
            judge(&["CAP_NET_ADMIN", "CAP_SYS_NICE"], false, &[]),
            Ok(())
        );
        for name in [
            "CAP_SYS_ADMIN",
            "CAP_SYS_MODULE",
            "CAP_SYS_RAWIO",
            "CAP_BPF",
            "CAP_SYS_TIME",
        ] {
            assert_eq!(
                judge(&[name], false, &[]),
                Err(Denied::Capability(name.to_owned()))
            );
        }
        assert!(matches!(
            judge(&["CAP_NET_ADMIN"], true, &[]),
            Err(Denied::CapabilityOverHost(_))
        ));
    }

    #[test]
    fn the_engines_own_directories_are_denied_also_through_a_link() {
        let own = std::env::temp_dir();
        let elsewhere = PathBuf::from("/usr");
        assert_eq!(judge(&[], false, &[elsewhere]), Ok(()));
        assert!(judge(&[], false, &[own.join("containers")]).is_err());
        let links = tempfile::tempdir_in("/var").unwrap();
        let link = links.path().join("link");
        std::os::unix::fs::symlink(&own, &link).unwrap();
        assert!(judge(&[], false, &[link]).is_err());
    }
}
