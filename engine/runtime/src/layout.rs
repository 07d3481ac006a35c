//! Where this machine keeps its control groups: version 1, version 2 or both at once.
//!
//! Read once at start from `/proc/self/mountinfo`; everything in `cgroups/` works on what is found
//! here. **Invariant:** nothing here changes the kernel's state.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use engine_sys::{SysError, cgroup};
use serde::{Deserialize, Serialize};

/// How the controllers are spread over the hierarchies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    /// Every controller on version 1.
    V1,
    /// Controllers on version 1 beside a version 2 tree that limits nothing we use.
    Hybrid,
    /// Version 2 alone.
    V2,
}

impl fmt::Display for Version {
    /// Writes what `info` shows as `CgroupVersion`: Docker calls a hybrid `1` too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 | Self::Hybrid => "1",
            Self::V2 => "2",
        })
    }
}

/// A controller that containers use, by its version 1 name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Controller {
    Cpu,
    Cpuacct,
    Cpuset,
    Memory,
    Pids,
    /// `io` on version 2.
    Blkio,
    /// Part of the core on version 2.
    Freezer,
    /// A BPF program on version 2.
    Devices,
}

impl Controller {
    const ALL: [Self; 8] = [
        Self::Cpu,
        Self::Cpuacct,
        Self::Cpuset,
        Self::Memory,
        Self::Pids,
        Self::Blkio,
        Self::Freezer,
        Self::Devices,
    ];

    /// Returns the name in version 1's mount options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cpuacct => "cpuacct",
            Self::Cpuset => "cpuset",
            Self::Memory => "memory",
            Self::Pids => "pids",
            Self::Blkio => "blkio",
            Self::Freezer => "freezer",
            Self::Devices => "devices",
        }
    }

    /// Returns the name in version 2's `cgroup.controllers`, if it has one there.
    pub fn unified_name(self) -> Option<&'static str> {
        match self {
            Self::Cpu | Self::Cpuset | Self::Memory | Self::Pids => Some(self.name()),
            Self::Blkio => Some("io"),
            Self::Cpuacct | Self::Freezer | Self::Devices => None,
        }
    }
}

/// One version 1 hierarchy with the controllers of ours that it carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hierarchy {
    pub mount: PathBuf,
    pub controllers: Vec<Controller>,
}

/// The control groups of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    pub version: Version,
    /// The version 1 hierarchies; empty on version 2.
    pub legacy: Vec<Hierarchy>,
    /// The version 2 tree, where one is mounted.
    pub unified: Option<PathBuf>,
    /// The controllers of ours that version 2 offers.
    pub unified_controllers: Vec<Controller>,
}

/// The control groups could not be found out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DetectError {
    #[error("failed to read where control groups are mounted")]
    Mounts(#[source] SysError),
    #[error("no control group file system is mounted")]
    NoneMounted,
}

impl Layout {
    /// Finds the control groups of this machine.
    ///
    /// # Errors
    /// [`DetectError::NoneMounted`] where nobody has mounted any.
    pub fn detect() -> Result<Self, DetectError> {
        let mounts =
            cgroup::read(Path::new("/proc/self/mountinfo")).map_err(DetectError::Mounts)?;
        let mut layout = Self::from_mounts(&mounts).ok_or(DetectError::NoneMounted)?;
        if let Some(root) = &layout.unified {
            let offered = cgroup::read(&root.join("cgroup.controllers")).unwrap_or_default();
            layout.unified_controllers = offered_controllers(&offered);
        }
        Ok(layout)
    }

    /// Reads the text of a `mountinfo` file; `None` when it shows no control groups.
    fn from_mounts(mountinfo: &str) -> Option<Self> {
        let mut legacy: Vec<Hierarchy> = Vec::new();
        let mut unified = None;
        for mount in mountinfo.lines().filter_map(parse_mount) {
            if mount.kind == "cgroup2" {
                unified.get_or_insert(mount.point);
                continue;
            }
            let controllers: Vec<Controller> = Controller::ALL
                .into_iter()
                .filter(|controller| mount.options.split(',').any(|o| o == controller.name()))
                .filter(|new| !legacy.iter().any(|known| known.controllers.contains(new)))
                .collect();
            if !controllers.is_empty() {
                legacy.push(Hierarchy {
                    mount: mount.point,
                    controllers,
                });
            }
        }
        let version = match (legacy.is_empty(), unified.is_some()) {
            (true, false) => return None,
            (true, true) => Version::V2,
            (false, true) => Version::Hybrid,
            (false, false) => Version::V1,
        };
        Some(Self {
            version,
            legacy,
            unified,
            unified_controllers: Vec::new(),
        })
    }

    /// Tells whether limits of this kind can be kept here.
    pub fn has(&self, controller: Controller) -> bool {
        if self.version != Version::V2 {
            return self
                .legacy
                .iter()
                .any(|one| one.controllers.contains(&controller));
        }
        // CPU time is counted, groups freeze and device programs attach without a controller.
        controller.unified_name().is_none() || self.unified_controllers.contains(&controller)
    }

    /// Tells whether swap is counted, so that `MemorySwap` means something.
    pub fn has_swap(&self) -> bool {
        match self.version {
            Version::V2 => Path::new("/proc/swaps").exists() && self.has(Controller::Memory),
            Version::V1 | Version::Hybrid => self
                .legacy
                .iter()
                .any(|one| one.mount.join("memory.memsw.limit_in_bytes").exists()),
        }
    }
}

struct CgroupMount<'a> {
    kind: &'a str,
    point: PathBuf,
    options: &'a str,
}

/// Reads one line: `36 35 0:31 / /sys/fs/cgroup/cpu rw,… shared:9 - cgroup cgroup rw,cpu`.
fn parse_mount(line: &str) -> Option<CgroupMount<'_>> {
    let (mount, file_system) = line.split_once(" - ")?;
    let mut fields = file_system.split(' ');
    let kind = fields
        .next()
        .filter(|kind| matches!(*kind, "cgroup" | "cgroup2"))?;
    Some(CgroupMount {
        kind,
        point: PathBuf::from(unescape(mount.split(' ').nth(4)?)),
        options: fields.nth(1).unwrap_or_default(),
    })
}

/// Undoes the kernel's octal escapes of space, tab, newline and backslash.
fn unescape(path: &str) -> String {
    path.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}

fn offered_controllers(text: &str) -> Vec<Controller> {
    Controller::ALL
        .into_iter()
        .filter(|controller| {
            let name = controller.unified_name();
            text.split_whitespace().any(|word| Some(word) == name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIFIED: &str = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw";
    const PAIR: &str = "31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct";
    const MEMORY: &str = "32 24 0:28 / /sys/fs/cgroup/my\\040memory rw - cgroup none rw,memory";
    const NAMED: &str = "33 24 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd";

    #[test]
    fn version_2_alone() {
        let layout = Layout::from_mounts(UNIFIED).unwrap();

        assert_eq!(layout.version, Version::V2);
        assert_eq!(layout.unified.as_deref(), Some(Path::new("/sys/fs/cgroup")));
        assert!(layout.has(Controller::Devices) && !layout.has(Controller::Memory));
    }

    #[test]
    fn a_named_hierarchy_limits_nothing() {
        let layout = Layout::from_mounts(&[UNIFIED, NAMED].join("\n")).unwrap();

        assert_eq!(layout.version, Version::V2);
    }

    #[test]
    fn hybrid_with_a_shared_hierarchy() {
        let layout = Layout::from_mounts(&[PAIR, MEMORY, MEMORY, UNIFIED].join("\n")).unwrap();

        assert_eq!(layout.version, Version::Hybrid);
        assert_eq!(layout.legacy.len(), 2);
        assert_eq!(
            layout.legacy[0].controllers,
            [Controller::Cpu, Controller::Cpuacct]
        );
        assert_eq!(
            layout.legacy[1].mount,
            Path::new("/sys/fs/cgroup/my memory")
        );
        assert!(layout.has(Controller::Memory) && !layout.has(Controller::Pids));
    }

    #[test]
    fn version_1_alone_and_nothing() {
        assert_eq!(Layout::from_mounts(MEMORY).unwrap().version, Version::V1);
        assert_eq!(
            Layout::from_mounts("1 1 0:1 / / rw - ext4 /dev/vda rw"),
            None
        );
    }

    #[test]
    fn offered_controllers_by_their_new_names() {
        assert_eq!(
            offered_controllers("cpuset cpu io memory hugetlb pids rdma"),
            [
                Controller::Cpu,
                Controller::Cpuset,
                Controller::Memory,
                Controller::Pids,
                Controller::Blkio
            ]
        );
    }
}
