//! Devices of the host, looked up by path, as nodes for a container.
//!
//! **Invariant:** only looks; `init` makes the nodes and `cgroups` lets them be opened.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use engine_sys::dir::device_parts;

use crate::cgroups::{Access, DeviceKind, DeviceRule};
use crate::profile;
use crate::spec::DeviceNode;

/// Directories of `/dev` that hold no devices of the host, or a container's own.
const OTHERS: [&str; 8] = [
    "pts",
    "shm",
    "fd",
    "mqueue",
    ".lxc",
    ".lxd-mounts",
    ".udev",
    "hugepages",
];
/// How deep directories of devices are looked into.
const DEPTH_MAX: usize = 8;

/// A path that leads to no device.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    #[error("{path}: not there or not readable")]
    Look {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{0}: not a device node")]
    NoDevice(PathBuf),
    #[error("{0}: not a block device")]
    NoBlockDevice(PathBuf),
}

/// Returns the device at `host` as a node at `inside`; of a directory, every device below it.
///
/// # Errors
/// When nothing is there, or no device.
pub fn at(host: &Path, inside: &str) -> Result<Vec<DeviceNode>, DeviceError> {
    let metadata = look(host)?;
    if !metadata.is_dir() {
        let node = node(&metadata, inside.to_owned());
        return Ok(vec![
            node.ok_or_else(|| DeviceError::NoDevice(host.to_owned()))?,
        ]);
    }
    let mut nodes = Vec::new();
    below(host, inside, DEPTH_MAX, &mut nodes);
    if nodes.is_empty() {
        return Err(DeviceError::NoDevice(host.to_owned()));
    }
    Ok(nodes)
}

/// Returns every device of the host, but terminals' own and what each container has anyway.
pub fn all() -> Vec<DeviceNode> {
    let mut nodes = Vec::new();
    below(Path::new("/dev"), "/dev", DEPTH_MAX, &mut nodes);
    let is_standard = |path: &str| {
        matches!(path, "/dev/console" | "/dev/ptmx")
            || profile::DEVICES.iter().any(|one| one.path == path)
    };
    nodes.retain(|node| !is_standard(&node.path));
    nodes
}

/// Returns the numbers of the block device at `path`.
///
/// # Errors
/// When nothing is there, or something else.
pub fn block_numbers(path: &Path) -> Result<(u32, u32), DeviceError> {
    let metadata = look(path)?;
    if !metadata.file_type().is_block_device() {
        return Err(DeviceError::NoBlockDevice(path.to_owned()));
    }
    Ok(device_parts(metadata.rdev()))
}

impl DeviceNode {
    /// Returns the rule that lets exactly this device be used.
    pub fn rule(&self, access: Access) -> DeviceRule {
        DeviceRule {
            kind: self.kind,
            major: Some(self.major),
            minor: Some(self.minor),
            access,
        }
    }
}

fn look(path: &Path) -> Result<Metadata, DeviceError> {
    fs::metadata(path).map_err(|source| DeviceError::Look {
        path: path.to_owned(),
        source,
    })
}

fn node(metadata: &Metadata, path: String) -> Option<DeviceNode> {
    let kind = metadata.file_type();
    let kind = match (kind.is_char_device(), kind.is_block_device()) {
        (true, _) => DeviceKind::Character,
        (_, true) => DeviceKind::Block,
        _ => return None,
    };
    let (major, minor) = device_parts(metadata.rdev());
    Some(DeviceNode {
        path,
        kind,
        major,
        minor,
        mode: metadata.mode() & 0o777,
        uid: metadata.uid(),
        gid: metadata.gid(),
    })
}

/// Collects the devices below a directory; links are left alone, what vanishes meanwhile too.
fn below(host: &Path, inside: &str, depth: usize, nodes: &mut Vec<DeviceNode>) {
    let entries = fs::read_dir(host).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let (Some(name), Ok(metadata)) = (name.to_str(), entry.metadata()) else {
            continue;
        };
        let inside = format!("{inside}/{name}");
        if metadata.is_dir() {
            if depth > 0 && !OTHERS.contains(&name) {
                below(&entry.path(), &inside, depth - 1, nodes);
            }
        } else {
            nodes.extend(node(&metadata, inside));
        }
    }
    nodes.sort_unstable_by(|one, other| one.path.cmp(&other.path));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_found_and_a_file_is_none() {
        let found = at(Path::new("/dev/null"), "/dev/nothing").unwrap();

        assert_eq!((found.len(), found[0].path.as_str()), (1, "/dev/nothing"));
        assert_eq!((found[0].major, found[0].minor), (1, 3));
        assert!(at(Path::new("/etc/passwd"), "/x").is_err());
        assert!(at(Path::new("/etc"), "/x").is_err(), "no device below it");
        assert!(block_numbers(Path::new("/dev/null")).is_err());
    }

    #[test]
    fn the_hosts_devices_leave_out_what_each_container_has() {
        let all = all();

        assert!(all.iter().any(|node| node.path == "/dev/kmsg"));
        assert!(!all.iter().any(|node| node.path == "/dev/null"));
        assert!(!all.iter().any(|node| node.path.starts_with("/dev/pts/")));
    }
}
