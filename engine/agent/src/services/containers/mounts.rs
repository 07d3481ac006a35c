//! Mounts: directories of the host and file systems in memory, in Docker's three ways to ask.

use std::path::{Component, Path, PathBuf};

use engine_api::containers::{HostConfig, MountPoint, MountRequest};
use engine_runtime::{Mount, MountKind};

use super::limits;
use crate::services::error::{Result, ServiceError};

/// The mode of a file system in memory that names none.
const TMPFS_MODE: u32 = 0o1777;

/// A mount, and whether Docker would make its source if it is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) mount: Mount,
    pub(super) make_source: bool,
}

/// Returns every mount that is asked for.
///
/// # Errors
/// Names the mount that is malformed or not supported yet.
pub(super) fn asked(host: &HostConfig) -> Result<Vec<Asked>> {
    let mut all = Vec::new();
    for bind in host.binds.as_deref().unwrap_or_default() {
        all.push(Asked {
            mount: from_bind(bind)?,
            make_source: true,
        });
    }
    for request in &host.mounts {
        all.push(Asked {
            mount: from_request(request)?,
            make_source: false,
        });
    }
    for (target, options) in &host.tmpfs {
        all.push(Asked {
            mount: from_tmpfs(target, options)?,
            make_source: false,
        });
    }
    for (n, one) in all.iter().enumerate() {
        if all[..n]
            .iter()
            .any(|other| other.mount.target == one.mount.target)
        {
            return Err(bad(format!("Duplicate mount point: {}", one.mount.target)));
        }
    }
    Ok(all)
}

/// Returns the mounts as inspect shows them.
pub(super) fn points(host: &HostConfig) -> Vec<MountPoint> {
    let asked = asked(host).unwrap_or_default();
    let point = |Asked { mount, .. }| match mount.kind {
        MountKind::Bind { source } => MountPoint {
            kind: "bind".to_owned(),
            source: source.display().to_string(),
            destination: mount.target,
            rw: !mount.readonly,
            propagation: "rprivate".to_owned(),
            ..MountPoint::default()
        },
        MountKind::Tmpfs { .. } => MountPoint {
            kind: "tmpfs".to_owned(),
            destination: mount.target,
            rw: !mount.readonly,
            ..MountPoint::default()
        },
    };
    asked.into_iter().map(point).collect()
}

/// `/host/path:/path[:ro]`
fn from_bind(bind: &str) -> Result<Mount> {
    let mut parts = bind.split(':');
    let (Some(source), Some(target), options, None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(bad(format!("invalid volume specification: '{bind}'")));
    };
    if !source.starts_with('/') {
        return Err(bad(format!(
            "HostConfig.Binds: volumes are not supported yet, and {source:?} is the name of one; \
             give an absolute path of the host"
        )));
    }
    let mut readonly = false;
    for option in options
        .unwrap_or_default()
        .split(',')
        .filter(|o| !o.is_empty())
    {
        match option {
            "ro" => readonly = true,
            // Labels of a security module that is not there, and what is so anyway.
            "rw" | "z" | "Z" | "private" | "rprivate" | "consistent" | "cached" | "delegated" => {}
            _ => {
                return Err(bad(format!(
                    "HostConfig.Binds: option {option:?} of {bind:?} is not supported yet"
                )));
            }
        }
    }
    Ok(Mount {
        kind: bind_of(source)?,
        target: target_of(target)?,
        readonly,
    })
}

fn from_request(request: &MountRequest) -> Result<Mount> {
    let target = target_of(&request.target)?;
    let readonly = request.read_only;
    match request.kind.as_str() {
        "bind" => {
            if request
                .bind_options
                .as_ref()
                .is_some_and(|options| !is_default_bind(options))
            {
                return Err(bad("HostConfig.Mounts: BindOptions is not supported yet"));
            }
            Ok(Mount {
                kind: bind_of(&request.source)?,
                target,
                readonly,
            })
        }
        "tmpfs" => {
            if !request.source.is_empty() {
                return Err(bad(
                    "HostConfig.Mounts: Source must not be given for a tmpfs",
                ));
            }
            let options = request.tmpfs_options.clone().unwrap_or_default();
            if !options.options.is_empty() {
                return Err(bad(
                    "HostConfig.Mounts: TmpfsOptions.Options is not supported yet",
                ));
            }
            let bytes = u64::try_from(options.size_bytes)
                .map_err(|_| bad("HostConfig.Mounts: TmpfsOptions.SizeBytes is negative"))?;
            let mode = if options.mode == 0 {
                TMPFS_MODE
            } else {
                options.mode
            };
            Ok(Mount {
                kind: MountKind::Tmpfs {
                    bytes,
                    mode: checked_mode(mode)?,
                },
                target,
                readonly,
            })
        }
        other => Err(bad(format!(
            "HostConfig.Mounts: mounts of type {other:?} are not supported yet"
        ))),
    }
}

fn is_default_bind(options: &serde_json::Value) -> bool {
    options.as_object().is_some_and(|members| {
        members.iter().all(|(key, value)| match key.as_str() {
            "Propagation" => value == "rprivate" || value == "private" || value == "",
            _ => value == &serde_json::Value::Bool(false),
        })
    })
}

/// `size=64m,mode=1777`; what is so anyway may be said.
fn from_tmpfs(target: &str, options: &str) -> Result<Mount> {
    let (mut bytes, mut mode, mut readonly) = (0, TMPFS_MODE, false);
    for option in options.split(',').filter(|o| !o.is_empty()) {
        let unknown = || {
            bad(format!(
                "HostConfig.Tmpfs: option {option:?} of {target} is not supported yet"
            ))
        };
        match option.split_once('=') {
            Some(("size", value)) => bytes = limits::bytes(value).ok_or_else(unknown)?,
            Some(("mode", value)) => {
                mode = checked_mode(u32::from_str_radix(value, 8).map_err(|_| unknown())?)?;
            }
            None if option == "ro" => readonly = true,
            None if matches!(option, "rw" | "noexec" | "nosuid" | "nodev") => {}
            _ => return Err(unknown()),
        }
    }
    Ok(Mount {
        kind: MountKind::Tmpfs { bytes, mode },
        target: target_of(target)?,
        readonly,
    })
}

fn checked_mode(mode: u32) -> Result<u32> {
    if mode > 0o7777 {
        return Err(bad(format!(
            "the mode of a tmpfs must be at most 7777, and is {mode:o}"
        )));
    }
    Ok(mode)
}

fn bind_of(source: &str) -> Result<MountKind> {
    if !source.starts_with('/') || source.contains('\0') {
        return Err(bad(format!(
            "invalid mount source {source:?}: an absolute path of the host is needed"
        )));
    }
    Ok(MountKind::Bind {
        source: PathBuf::from(source),
    })
}

fn target_of(target: &str) -> Result<String> {
    let path = Path::new(target);
    let plain = path
        .components()
        .all(|c| matches!(c, Component::RootDir | Component::Normal(_)));
    if !path.is_absolute() || !plain || target.contains('\0') {
        return Err(bad(format!(
            "invalid mount target {target:?}: an absolute path without . and .. is needed"
        )));
    }
    if path == Path::new("/") {
        return Err(bad("invalid mount target \"/\": destination can't be '/'"));
    }
    Ok(path.components().collect::<PathBuf>().display().to_string())
}

fn bad(message: impl Into<String>) -> ServiceError {
    ServiceError::BadRequest(message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binds(list: &[&str]) -> Result<Vec<Asked>> {
        let binds = Some(list.iter().map(ToString::to_string).collect());
        asked(&HostConfig {
            binds,
            ..HostConfig::default()
        })
    }

    #[test]
    fn binds_are_read() {
        let mounts = binds(&["/a:/b", "/c:/d/:ro,z"]).unwrap();
        assert_eq!(mounts[0].mount.target, "/b");
        assert!(!mounts[0].mount.readonly);
        assert_eq!(mounts[1].mount.target, "/d");
        assert!(mounts[1].mount.readonly && mounts[1].make_source);
    }

    #[test]
    fn malformed_and_unsupported_binds_are_refused() {
        for bad in [
            "",
            "/a",
            "name:/b",
            "/a:b",
            "/a:/",
            "/a:/b/../c",
            "/a:/b:shared",
            "/a:/b:ro:x",
        ] {
            assert!(binds(&[bad]).is_err(), "{bad}");
        }
        assert!(binds(&["/a:/b", "/c:/b/"]).is_err(), "one place twice");
    }

    #[test]
    fn tmpfs_options_are_read() {
        let host = |options: &str| HostConfig {
            tmpfs: [("/run".to_owned(), options.to_owned())].into(),
            ..HostConfig::default()
        };
        let mounts = asked(&host("rw,noexec,size=64m,mode=755")).unwrap();
        assert_eq!(
            mounts[0].mount.kind,
            MountKind::Tmpfs {
                bytes: 64 << 20,
                mode: 0o755
            }
        );
        assert!(asked(&host("exec")).is_err());
        assert!(asked(&host("size=much")).is_err());
        assert!(asked(&host("mode=99999")).is_err());
    }
}
