//! Changing limits while processes run under them: all of a change, or nothing.

use std::path::PathBuf;

use engine_sys::{Errno, SysError, cgroup};

use super::{
    Cgroup,
    error::{CgroupError, Result},
};
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
    (Controller::Blkio, &["blkio.weight", "blkio.bfq.weight"]),
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
    (Controller::Blkio, &["io.weight", "io.bfq.weight"]),
];

impl Cgroup {
    /// Writes the limits that `resources` sets; when the kernel refuses one of them, those written
    /// before are put back.
    ///
    /// # Errors
    /// As [`Cgroup::apply`], for the first limit that is refused.
    pub fn change(&self, resources: &Resources) -> Result<()> {
        let former = self.limits();
        if let (Version::V2, Some(bytes)) = (self.version(), resources.memory_bytes) {
            self.shrink_to(bytes)?;
        }
        self.apply(resources).inspect_err(|_| {
            // Twice: memory and memory with swap depend on each other, and either may be first.
            for _ in 0..2 {
                put_back(&former);
            }
        })
    }

    /// Lets the kernel take back memory until no more than `bytes` are held.
    ///
    /// Version 1 refuses a limit that it cannot bring about; version 2 would kill for it. The high
    /// mark makes it try without killing, and is put back.
    fn shrink_to(&self, bytes: u64) -> Result<()> {
        const MARK: &str = "memory.high";
        let Some(dir) = self.controller_dir(Controller::Memory) else {
            return Ok(());
        };
        let read = |file: &str| {
            cgroup::read(&dir.join(file)).map_err(|source| CgroupError::Read {
                group: self.path().to_owned(),
                what: "the memory in use",
                source,
            })
        };
        let former = read(MARK)?;
        self.set(Controller::Memory, MARK, &bytes.to_string())?;
        let held = read("memory.current");
        self.set(Controller::Memory, MARK, former.trim())?;
        if held?.trim().parse::<u64>().is_ok_and(|held| held <= bytes) {
            return Ok(());
        }
        Err(CgroupError::Apply {
            group: self.path().to_owned(),
            setting: "memory.max",
            value: bytes.to_string(),
            source: SysError::new("write", dir.join("memory.max").display(), Errno::BUSY),
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
            // A weight has a line for each device that has its own.
            for line in text.lines() {
                let _ = cgroup::write(path, line);
            }
        }
    }
}
