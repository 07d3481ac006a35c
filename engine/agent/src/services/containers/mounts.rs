//! Mounts: directories of the host and file systems in memory, in Docker's three ways to ask.

use std::path::{Component, Path, PathBuf};

use engine_api::containers::{BindOptions, HostConfig, MountPoint, MountRequest, TmpfsOptions};
use engine_runtime::{BindHow, Mount, MountKind, Propagation, TmpfsHow, spreads};

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

/// Returns every mount that is asked for and is no volume.
///
/// # Errors
/// Names the mount that is malformed or not supported yet.
pub(super) fn asked(host: &HostConfig) -> Result<Vec<Asked>> {
    let mut all = Vec::new();
    for bind in host.binds.as_deref().unwrap_or_default() {
        let of_host = split_bind(bind)?
            .0
            .is_some_and(|source| source.starts_with('/'));
        if of_host {
            all.push(Asked {
                mount: from_bind(bind)?,
                make_source: true,
            });
        }
    }
    for request in host.mounts.iter().filter(|one| one.kind != "volume") {
        all.push(from_request(request)?);
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

/// Returns a mount as inspect shows it.
pub(super) fn point(mount: Mount) -> MountPoint {
    match mount.kind {
        MountKind::Bind { source, how, .. } => MountPoint {
            kind: "bind".to_owned(),
            source: source.display().to_string(),
            destination: mount.target,
            rw: !mount.readonly,
            propagation: propagation_word(how).to_owned(),
            ..MountPoint::default()
        },
        MountKind::Tmpfs { .. } => MountPoint {
            kind: "tmpfs".to_owned(),
            destination: mount.target,
            rw: !mount.readonly,
            ..MountPoint::default()
        },
    }
}

/// Takes `source:/path[:options]` or `/path` apart.
///
/// # Errors
/// When it is neither.
pub(super) fn split_bind(bind: &str) -> Result<(Option<&str>, &str, &str)> {
    let parts: Vec<&str> = bind.split(':').collect();
    match parts[..] {
        [target] if !target.is_empty() => Ok((None, target, "")),
        [source, target] if !source.is_empty() => Ok((Some(source), target, "")),
        [source, target, options] if !source.is_empty() => Ok((Some(source), target, options)),
        _ => Err(bad(format!("invalid volume specification: '{bind}'"))),
    }
}

/// `/host/path:/path[:ro]`
fn from_bind(bind: &str) -> Result<Mount> {
    let (source, target, options) = split_bind(bind)?;
    let (mut readonly, mut how) = (false, BindHow::default());
    for option in options.split(',').filter(|o| !o.is_empty()) {
        match option {
            "ro" => readonly = true,
            // Labels of a security module that is not there, and what is so anyway.
            "rw" | "z" | "Z" | "consistent" | "cached" | "delegated" => {}
            word => spread(word, &mut how).ok_or_else(|| {
                bad(format!(
                    "HostConfig.Binds: option {option:?} of {bind:?} is not supported yet"
                ))
            })?,
        }
    }
    Ok(Mount {
        kind: bind_of(source.unwrap_or_default(), how)?,
        target: target_of(target)?,
        readonly,
    })
}

/// Reads a word for how mounts spread.
fn spread(word: &str, how: &mut BindHow) -> Option<()> {
    how.recursive_propagation = word.starts_with('r');
    how.propagation = match word.strip_prefix('r').unwrap_or(word) {
        "private" => Propagation::Private,
        "slave" => Propagation::Slave,
        "shared" => Propagation::Shared,
        _ => return None,
    };
    Some(())
}

fn propagation_word(how: BindHow) -> &'static str {
    match (how.propagation, how.recursive_propagation) {
        (Propagation::Private, _) => "rprivate",
        (Propagation::Slave, true) => "rslave",
        (Propagation::Slave, false) => "slave",
        (Propagation::Shared, true) => "rshared",
        (Propagation::Shared, false) => "shared",
    }
}

/// Checks that the host's mounts spread as the container is to see them.
///
/// # Errors
/// Docker's words for a source whose mount does not.
pub(super) fn check_spread(all: &[Asked]) -> Result<()> {
    for asked in all {
        let MountKind::Bind { source, how, .. } = &asked.mount.kind else {
            continue;
        };
        let (is_shared, is_slave) = match how.propagation {
            Propagation::Private => continue,
            _ => spreads(source),
        };
        let path = source.display();
        if how.propagation == Propagation::Shared && !is_shared {
            return Err(bad(format!(
                "path {path} is mounted on the host but it is not a shared mount"
            )));
        }
        if how.propagation == Propagation::Slave && !is_shared && !is_slave {
            return Err(bad(format!(
                "path {path} is mounted on the host but it is not a shared or slave mount"
            )));
        }
    }
    Ok(())
}

/// Returns what asks for a bind again; `None` for what is none.
pub(super) fn bind_request(mount: &Mount) -> Option<MountRequest> {
    let MountKind::Bind { source, how, .. } = &mount.kind else {
        return None;
    };
    Some(MountRequest {
        kind: "bind".to_owned(),
        source: source.display().to_string(),
        target: mount.target.clone(),
        read_only: mount.readonly,
        bind_options: Some(BindOptions {
            propagation: propagation_word(*how).to_owned(),
            non_recursive: how.alone,
            create_mountpoint: true,
            read_only_non_recursive: how.shallow_readonly && mount.readonly,
            read_only_force_recursive: false,
        }),
        ..MountRequest::default()
    })
}

/// Reads a mount in the newer way to ask for one.
///
/// # Errors
/// Names what is malformed.
pub(super) fn from_request(request: &MountRequest) -> Result<Asked> {
    let target = target_of(&request.target)?;
    let mut make_source = false;
    let kind = match request.kind.as_str() {
        "bind" => {
            refuse_other_options(request, "bind")?;
            let options = request.bind_options.clone().unwrap_or_default();
            make_source = options.create_mountpoint;
            bind_of(&request.source, bind_how(&options, request.read_only)?)?
        }
        "tmpfs" => {
            refuse_other_options(request, "tmpfs")?;
            if !request.source.is_empty() {
                return Err(bad(
                    "HostConfig.Mounts: Source must not be given for a tmpfs",
                ));
            }
            tmpfs_of(&request.tmpfs_options.clone().unwrap_or_default())?
        }
        other => {
            return Err(bad(format!(
                "HostConfig.Mounts: mounts of type {other:?} are not supported yet"
            )));
        }
    };
    let mount = Mount {
        kind,
        target,
        readonly: request.read_only,
    };
    Ok(Asked { mount, make_source })
}

/// Options of one type of mount mean nothing to another.
///
/// # Errors
/// Names the options that were given.
pub(super) fn refuse_other_options(request: &MountRequest, kind: &str) -> Result<()> {
    let has_tmpfs = request.tmpfs_options.is_some() && kind != "tmpfs";
    let has_volume = request.volume_options.is_some() && kind != "volume";
    let has_bind = request.bind_options.is_some() && kind != "bind";
    for (is_given, option) in [
        (has_tmpfs, "TmpfsOptions"),
        (has_bind, "BindOptions"),
        (has_volume, "VolumeOptions"),
    ] {
        if is_given {
            return Err(bad(format!(
                "HostConfig.Mounts: {option} must not be given for a mount of type {kind}"
            )));
        }
    }
    Ok(())
}

fn bind_how(options: &BindOptions, readonly: bool) -> Result<BindHow> {
    let mut how = BindHow {
        alone: options.non_recursive,
        shallow_readonly: options.read_only_non_recursive,
        ..BindHow::default()
    };
    if !options.propagation.is_empty() && spread(&options.propagation, &mut how).is_none() {
        return Err(bad(format!(
            "HostConfig.Mounts: invalid propagation mode: {:?}",
            options.propagation
        )));
    }
    let deep = options.read_only_force_recursive;
    if (options.read_only_non_recursive || deep) && !readonly {
        return Err(bad(
            "HostConfig.Mounts: a mode of ReadOnly is given, and ReadOnly is not set",
        ));
    }
    if options.read_only_non_recursive && deep {
        return Err(bad(
            "HostConfig.Mounts: ReadOnlyForceRecursive and ReadOnlyNonRecursive cannot both be set",
        ));
    }
    // Docker's rule: a mount made below later would be writable otherwise.
    if deep && how.propagation != Propagation::Private {
        return Err(bad(
            "HostConfig.Mounts: ReadOnlyForceRecursive requires Propagation to be \"rprivate\"",
        ));
    }
    Ok(how)
}

fn tmpfs_of(options: &TmpfsOptions) -> Result<MountKind> {
    let bytes = u64::try_from(options.size_bytes)
        .map_err(|_| bad("HostConfig.Mounts: TmpfsOptions.SizeBytes is negative"))?;
    let mut wish = TmpfsWish::new(bytes);
    if options.mode != 0 {
        wish.set_mode(options.mode)?;
    }
    for option in &options.options {
        let text = option.join("=");
        wish.read(&text)
            .ok_or_else(|| bad(format!("HostConfig.Mounts: invalid tmpfs option {text:?}")))??;
    }
    Ok(wish.kind())
}

/// `size=64m,mode=1777,uid=1000,exec`
fn from_tmpfs(target: &str, options: &str) -> Result<Mount> {
    let mut wish = TmpfsWish::new(0);
    for option in options.split(',').filter(|o| !o.is_empty()) {
        wish.read(option).ok_or_else(|| {
            bad(format!(
                "HostConfig.Tmpfs: invalid tmpfs option {option:?} of {target}"
            ))
        })??;
    }
    Ok(Mount {
        target: target_of(target)?,
        readonly: wish.readonly,
        kind: wish.kind(),
    })
}

/// A file system in memory, as its options are read.
struct TmpfsWish {
    bytes: u64,
    mode: u32,
    readonly: bool,
    how: TmpfsHow,
}

impl TmpfsWish {
    fn new(bytes: u64) -> Self {
        Self {
            bytes,
            mode: TMPFS_MODE,
            readonly: false,
            how: TmpfsHow {
                inherit_mode: true,
                ..TmpfsHow::default()
            },
        }
    }

    /// Reads one option; `None` when it is not known or malformed.
    fn read(&mut self, option: &str) -> Option<Result<()>> {
        match option.split_once('=') {
            None => match option {
                "ro" => self.readonly = true,
                "rw" => self.readonly = false,
                "exec" => self.how.executable = true,
                "noexec" => self.how.executable = false,
                "suid" => self.how.set_user = true,
                "nosuid" => self.how.set_user = false,
                "dev" => self.how.devices = true,
                "nodev" => self.how.devices = false,
                _ => return None,
            },
            Some(("size", value)) if value.ends_with('%') => self.pass_on("size", value)?,
            Some(("size", value)) => self.bytes = limits::bytes(value)?,
            Some(("mode", value)) => {
                let mode = u32::from_str_radix(value, 8).ok()?;
                return Some(self.set_mode(mode));
            }
            Some((key @ ("uid" | "gid" | "nr_inodes" | "nr_blocks"), value)) => {
                self.pass_on(key, value)?;
            }
            Some(_) => return None,
        }
        Some(Ok(()))
    }

    /// Hands a number on to the file system, which knows its range.
    fn pass_on(&mut self, key: &str, value: &str) -> Option<()> {
        let digits = value.strip_suffix('%').unwrap_or(value);
        let number = digits.parse::<u32>().ok()?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) || (digits != value && number > 100) {
            return None;
        }
        let pair = (key.to_owned(), value.to_owned());
        self.how.parameters.push(pair);
        Some(())
    }

    fn set_mode(&mut self, mode: u32) -> Result<()> {
        self.mode = checked_mode(mode)?;
        self.how.inherit_mode = false;
        Ok(())
    }

    fn kind(self) -> MountKind {
        MountKind::Tmpfs {
            bytes: self.bytes,
            mode: self.mode,
            how: self.how,
        }
    }
}

fn checked_mode(mode: u32) -> Result<u32> {
    if mode > 0o7777 {
        return Err(bad(format!(
            "the mode of a tmpfs must be at most 7777, and is {mode:o}"
        )));
    }
    Ok(mode)
}

fn bind_of(source: &str, how: BindHow) -> Result<MountKind> {
    if !source.starts_with('/') || source.contains('\0') {
        return Err(bad(format!(
            "invalid mount source {source:?}: an absolute path of the host is needed"
        )));
    }
    Ok(MountKind::Bind {
        source: PathBuf::from(source),
        judged: None,
        how,
    })
}

/// Reads where a container is to have something: absolute, and clean by its text.
///
/// # Errors
/// When it is no such path, or the root.
pub(super) fn target_of(target: &str) -> Result<String> {
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
            "/a:b",
            "/a:/",
            "/a:/b/../c",
            "/a:/b:sharing",
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
                mode: 0o755,
                how: TmpfsHow::default(),
            }
        );
        let mounts = asked(&host("exec,suid,uid=7,size=50%")).unwrap();
        let MountKind::Tmpfs { how, .. } = &mounts[0].mount.kind else {
            panic!("it is a tmpfs");
        };
        assert!(how.executable && how.set_user && !how.devices && how.inherit_mode);
        assert_eq!(how.parameters.len(), 2);
        for odd in [
            "huge=always",
            "uid=-1",
            "uid=99999999999",
            "size=101%",
            "mpol",
        ] {
            assert!(asked(&host(odd)).is_err(), "{odd}");
        }
        assert!(asked(&host("size=much")).is_err());
        assert!(asked(&host("mode=99999")).is_err());
    }
}
