//! What a volume's files lie on: the options of the local driver, with Docker's names and words.

use std::collections::BTreeMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use engine_sys::mount::{self, Attributes};
use engine_sys::{Errno, SysError};

/// Every option of the driver.
const KNOWN: [&str; 4] = ["type", "o", "device", "size"];

/// File systems that other machines serve.
const REMOTE: [&str; 7] = ["nfs", "nfs3", "nfs4", "cifs", "smb3", "ceph", "9p"];

/// File systems of disks.
const OF_DISKS: [&str; 14] = [
    "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "exfat", "ntfs3", "iso9660", "udf",
    "squashfs", "erofs", "hfsplus",
];

/// Why options cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// There is no such option.
    #[error("invalid option: {0:?}")]
    Unknown(String),
    /// One option needs another.
    #[error("missing required option: {0:?}")]
    Missing(&'static str),
    /// A limit was asked for that nobody would keep.
    #[error("quota size requested but no quota support")]
    Size,
    /// A type that shows the kernel's state, or directories by another name.
    #[error(
        "the type {0:?} of a volume is not supported here: it is none (with o=bind), tmpfs, one that \
         another machine serves (nfs, nfs4, cifs, smb3, ceph, 9p) or one of a disk (ext4, xfs, btrfs …)"
    )]
    Type(String),
    /// `none` alone is nothing.
    #[error("the type \"none\" of a volume needs o=bind")]
    NoBind,
    /// A device is a path of the host.
    #[error("the device {0:?} of a volume must be an absolute path")]
    Device(String),
}

/// What a volume's files lie on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backing {
    /// The volume's own directory.
    Own,
    /// A directory of the host, seen where a container has the volume.
    Directory {
        /// Where it lies.
        path: PathBuf,
        /// Nothing may be written there.
        readonly: bool,
    },
    /// A file system, mounted on the volume's directory while a container uses it.
    Mounted(MountWish),
}

/// A file system as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountWish {
    /// Its type, as the kernel calls it.
    pub kind: String,
    /// What it is on: a device, a server's export; anything for memory.
    pub device: String,
    /// The words of `o`.
    pub options: String,
}

impl Backing {
    /// Reads the driver's options.
    ///
    /// # Errors
    /// See [`OptionError`].
    pub fn of(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        if let Some(unknown) = options.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            return Err(OptionError::Unknown(unknown.clone()));
        }
        if options.contains_key("size") {
            return Err(OptionError::Size);
        }
        let has = |key: &str| options.contains_key(key);
        let missing = |keys: [&'static str; 2]| keys.into_iter().find(|key| !has(key));
        for (key, needs) in [
            ("device", ["type", "type"]),
            ("type", ["device", "device"]),
            ("o", ["device", "type"]),
        ] {
            if let (true, Some(missing)) = (has(key), missing(needs)) {
                return Err(OptionError::Missing(missing));
            }
        }
        let text = |key: &str| options.get(key).cloned().unwrap_or_default();
        let (kind, device, words) = (text("type"), text("device"), text("o"));
        if options.is_empty() {
            return Ok(Self::Own);
        }
        let has_word = |wanted: &str| words.split(',').any(|word| word == wanted);
        if has_word("bind") || has_word("rbind") {
            if !device.starts_with('/') {
                return Err(OptionError::Device(device));
            }
            return Ok(Self::Directory {
                path: PathBuf::from(device),
                readonly: has_word("ro"),
            });
        }
        let is_on_disk = OF_DISKS.contains(&kind.as_str());
        if kind == "none" || kind.is_empty() {
            return Err(OptionError::NoBind);
        }
        if kind != "tmpfs" && !REMOTE.contains(&kind.as_str()) && !is_on_disk {
            return Err(OptionError::Type(kind));
        }
        if is_on_disk && !device.starts_with('/') {
            return Err(OptionError::Device(device));
        }
        Ok(Self::Mounted(MountWish {
            kind,
            device,
            options: words,
        }))
    }
}

impl MountWish {
    /// It lies in memory and begins empty each time.
    pub fn is_memory(&self) -> bool {
        self.kind == "tmpfs"
    }

    /// Nothing may be written there.
    pub fn is_readonly(&self) -> bool {
        self.options.split(',').any(|word| word == "ro")
    }

    /// It lies on a disk of the host.
    pub fn is_on_disk(&self) -> bool {
        OF_DISKS.contains(&self.kind.as_str())
    }

    /// Mounts it on a directory of the host. One in memory belongs to `owner`, unless its options say
    /// otherwise. Blocks, for a server as long as the kernel waits for one.
    ///
    /// # Errors
    /// When the kernel or the server refuses it.
    pub fn mount(&self, target: &Path, owner: u32) -> Result<(), SysError> {
        let (mut attributes, mut parameters) = self.parse()?;
        let owner = owner.to_string();
        if self.is_memory() {
            for key in ["uid", "gid"] {
                if !parameters.iter().any(|(known, _)| known == key) {
                    parameters.push((key.to_owned(), owner.clone()));
                }
            }
        } else {
            parameters.insert(0, ("source".to_owned(), self.device.clone()));
        }
        if attributes.contains(Attributes::MOUNT_ATTR_RDONLY) && self.is_on_disk() {
            parameters.push(("ro".to_owned(), String::new()));
        }
        if !self.options.split(',').any(|word| word == "dev") {
            attributes.insert(Attributes::MOUNT_ATTR_NODEV);
        }
        let parameters: Vec<(&str, &str)> = parameters
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let made = mount::create(&self.kind, &parameters, attributes)?;
        let point = mount::open_source(target)?;
        mount::attach(&made, &point)
    }

    /// Takes the words of `o` apart: what belongs to the mount, and what to the file system.
    fn parse(&self) -> Result<(Attributes, Vec<(String, String)>), SysError> {
        let mut attributes = Attributes::empty();
        let mut parameters = Vec::new();
        for word in self.options.split(',').filter(|word| !word.is_empty()) {
            let flag = match word {
                "ro" => Some(Attributes::MOUNT_ATTR_RDONLY),
                "nosuid" => Some(Attributes::MOUNT_ATTR_NOSUID),
                "nodev" => Some(Attributes::MOUNT_ATTR_NODEV),
                "noexec" => Some(Attributes::MOUNT_ATTR_NOEXEC),
                "noatime" => Some(Attributes::MOUNT_ATTR_NOATIME),
                "nodiratime" => Some(Attributes::MOUNT_ATTR_NODIRATIME),
                "strictatime" => Some(Attributes::MOUNT_ATTR_STRICTATIME),
                "rw" | "suid" | "dev" | "exec" | "relatime" | "atime" | "diratime" | "defaults" => {
                    Some(Attributes::empty())
                }
                _ => None,
            };
            if let Some(flag) = flag {
                attributes.insert(flag);
                continue;
            }
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            let value = match key {
                // The kernel knows numbers only.
                "addr" if REMOTE.contains(&self.kind.as_str()) => address(value)?,
                _ => value.to_owned(),
            };
            parameters.push((key.to_owned(), value));
        }
        Ok((attributes, parameters))
    }
}

fn address(host: &str) -> Result<String, SysError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let found = (host, 0)
        .to_socket_addrs()
        .ok()
        .and_then(|mut all| all.next());
    found
        .map(|address| address.ip().to_string())
        .ok_or_else(|| SysError::new("look up", host, Errno::HOSTUNREACH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Backing, OptionError> {
        let pairs = pairs.iter();
        Backing::of(
            &pairs
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn options_are_read_as_docker_reads_them() {
        assert_eq!(of(&[]), Ok(Backing::Own));
        let bind = of(&[("type", "none"), ("o", "bind,ro"), ("device", "/srv")]);
        let path = PathBuf::from("/srv");
        assert_eq!(
            bind,
            Ok(Backing::Directory {
                path,
                readonly: true
            })
        );
        let nfs = of(&[
            ("type", "nfs"),
            ("o", "addr=10.0.0.1,rw"),
            ("device", ":/x"),
        ]);
        assert!(matches!(nfs, Ok(Backing::Mounted(wish)) if wish.kind == "nfs"));
        let memory = of(&[
            ("type", "tmpfs"),
            ("device", "tmpfs"),
            ("o", "size=1m,noexec"),
        ]);
        let Ok(Backing::Mounted(wish)) = memory else {
            panic!("it is mounted");
        };
        let (attributes, parameters) = wish.parse().unwrap();
        assert!(attributes.contains(Attributes::MOUNT_ATTR_NOEXEC));
        assert_eq!(parameters, [("size".to_owned(), "1m".to_owned())]);
    }

    #[test]
    fn what_has_no_effect_or_shows_the_host_is_refused() {
        for (pairs, says) in [
            (&[("colour", "red")][..], "invalid option: \"colour\""),
            (&[("type", "tmpfs")], "missing required option: \"device\""),
            (
                &[("device", "/dev/sdb")],
                "missing required option: \"type\"",
            ),
            (&[("o", "ro")], "missing required option: \"device\""),
            (
                &[("size", "1g")],
                "quota size requested but no quota support",
            ),
            (
                &[("type", "none"), ("device", "/x")],
                "the type \"none\" of a volume needs o=bind",
            ),
        ] {
            assert_eq!(of(pairs).unwrap_err().to_string(), says);
        }
        for kind in ["overlay", "proc", "sysfs", "cgroup2", "devtmpfs", "bpf"] {
            let refused = of(&[("type", kind), ("device", "x"), ("o", "lowerdir=/")]);
            assert!(matches!(refused, Err(OptionError::Type(_))), "{kind}");
        }
        let relative = of(&[("type", "none"), ("o", "bind"), ("device", "srv")]);
        assert!(matches!(relative, Err(OptionError::Device(_))));
    }
}
