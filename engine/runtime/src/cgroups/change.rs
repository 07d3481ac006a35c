//! Changing limits while processes run under them: all of a change, or nothing.

use std::path::PathBuf;

use engine_sys::cgroup;

use super::{Cgroup, error::Result};
use crate::Resources;
use crate::layout::{Controller, Version};

/// The files that a change may write in version 1, by controller.
const LEGACY: &[(Controller, &[&str])] = &[
    (
        Controller::Memory,
        &[
            "memory.memsw.limit_in_bytes",
            "memory.limit_in_bytes",
            "memory.soft_limit_in_bytes",
            "memory.swappiness",
        ],
    ),
    (
        Controller::Cpu,
        &["cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us"],
    ),
    (Controller::Cpuset, &["cpuset.cpus", "cpuset.mems"]),
    (Controller::Pids, &["pids.max"]),
];

/// And in version 2.
const UNIFIED: &[(Controller, &[&str])] = &[
    (
        Controller::Memory,
        &["memory.swap.max", "memory.max", "memory.low"],
    ),
    (Controller::Cpu, &["cpu.weight", "cpu.max"]),
    (Controller::Cpuset, &["cpuset.cpus", "cpuset.mems"]),
    (Controller::Pids, &["pids.max"]),
];

impl Cgroup {
    /// Writes the limits that `resources` sets; when the kernel refuses one of them, those written
    /// before are put back.
    ///
    /// # Errors
    /// As [`Cgroup::apply`], for the first limit that is refused.
    pub fn change(&self, resources: &Resources) -> Result<()> {
        let former = self.limits();
        self.apply(resources).inspect_err(|_| {
            // Twice: memory and memory with swap depend on each other, and either may be first.
            for _ in 0..2 {
                put_back(&former);
            }
        })
    }

    /// Reads every limit that can be changed; one that is not there is left out.
    fn limits(&self) -> Vec<(PathBuf, String)> {
        let files = match self.version() {
            Version::V2 => UNIFIED,
            Version::V1 | Version::Hybrid => LEGACY,
        };
        let mut limits = Vec::new();
        for (controller, names) in files {
            let Some(dir) = self.controller_dir(*controller) else {
                continue;
            };
            let paths = names.iter().map(|name| dir.join(name));
            limits.extend(paths.filter_map(|path| {
                let text = cgroup::read(&path).ok()?;
                Some((path, text.trim().to_owned()))
            }));
        }
        limits
    }
}

/// The first failure is the one to report; what cannot be put back stays.
fn put_back(former: &[(PathBuf, String)]) {
    for (path, text) in former {
        let is_as_before = cgroup::read(path).is_ok_and(|now| now.trim() == text);
        if !is_as_before {
            let _ = cgroup::write(path, text);
        }
    }
}
