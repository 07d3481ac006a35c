//! Resources written into control files; both versions, one function each.

use std::{fs, path::Path};

use engine_sys::{SysError, cgroup};

use super::{
    Cgroup,
    error::{CgroupError, Result},
};
use crate::{
    Resources,
    layout::{Controller, Version},
};

impl Cgroup {
    /// Writes every limit that `resources` sets; what is `None` stays as it is.
    ///
    /// # Errors
    /// [`CgroupError::Apply`] names the limit that the kernel refused,
    /// [`CgroupError::NoController`] the one that this machine cannot keep.
    pub fn apply(&self, resources: &Resources) -> Result<()> {
        match self.version() {
            Version::V2 => self.apply_unified(resources)?,
            Version::V1 | Version::Hybrid => self.apply_legacy(resources)?,
        }
        self.apply_block(resources)
    }

    fn apply_legacy(&self, resources: &Resources) -> Result<()> {
        use Controller::{Cpu, Cpuset, Memory, Pids};
        self.apply_legacy_memory(resources)?;
        if let Some(bytes) = resources.memory_reservation_bytes {
            self.set(Memory, "memory.soft_limit_in_bytes", &bytes.to_string())?;
        }
        if let Some(swappiness) = resources.swappiness {
            self.set(Memory, "memory.swappiness", &swappiness.to_string())?;
        }
        if resources.oom_kill_disable {
            self.set(Memory, "memory.oom_control", "1")?;
        }
        self.apply_realtime(resources)?;
        if let Some(shares) = resources.cpu_shares {
            self.set(Cpu, "cpu.shares", &shares.to_string())?;
        }
        if let Some(period) = resources.cpu_period_us {
            self.set(Cpu, "cpu.cfs_period_us", &period.to_string())?;
        }
        if let Some(quota) = resources.cpu_quota_us {
            self.set(Cpu, "cpu.cfs_quota_us", &quota.to_string())?;
        }
        if let Some(cpus) = &resources.cpuset_cpus {
            self.set(Cpuset, "cpuset.cpus", cpus)?;
        }
        if let Some(nodes) = &resources.cpuset_mems {
            self.set(Cpuset, "cpuset.mems", nodes)?;
        }
        if let Some(limit) = resources.pids_limit {
            self.set(Pids, "pids.max", &limit.to_string())?;
        }
        Ok(())
    }

    /// Writes memory and memory+swap in the order that the kernel allows: it refuses every moment
    /// in which memory+swap is below memory, so growing starts with swap and shrinking with memory.
    fn apply_legacy_memory(&self, resources: &Resources) -> Result<()> {
        const MEMORY: &str = "memory.limit_in_bytes";
        const SWAP: &str = "memory.memsw.limit_in_bytes";
        let memory = resources.memory_bytes.map(|bytes| bytes.to_string());
        let swap = resources.memory_swap_bytes.map(|bytes| bytes.to_string());
        match (memory, swap) {
            (None, None) => Ok(()),
            (Some(memory), None) => self.set(Controller::Memory, MEMORY, &memory),
            (None, Some(swap)) => self.set(Controller::Memory, SWAP, &swap),
            (Some(memory), Some(swap)) => match self.set(Controller::Memory, MEMORY, &memory) {
                Err(CgroupError::Apply { .. }) => {
                    self.set(Controller::Memory, SWAP, &swap)?;
                    self.set(Controller::Memory, MEMORY, &memory)
                }
                Ok(()) => self.set(Controller::Memory, SWAP, &swap),
                Err(other) => Err(other),
            },
        }
    }

    /// Writes real-time limits. A group gets of what its parent has, which begins with nothing: so
    /// each parent is given first what its groups need together.
    fn apply_realtime(&self, resources: &Resources) -> Result<()> {
        const RUNTIME: &str = "cpu.rt_runtime_us";
        const PERIOD: &str = "cpu.rt_period_us";
        /// The period of groups that nobody has given another.
        const PERIOD_US: u64 = 1_000_000;
        if let (Some(runtime), Some(dir)) = (
            resources.realtime_runtime_us,
            self.controller_dir(Controller::Cpu),
        ) {
            let period = resources.realtime_period_us.unwrap_or(PERIOD_US).max(1);
            let whole = runtime.unsigned_abs().saturating_mul(PERIOD_US);
            make_room(
                dir,
                self.path().split('/').count() - 1,
                whole.div_ceil(period),
            );
        }
        if let Some(period) = resources.realtime_period_us {
            self.set(Controller::Cpu, PERIOD, &period.to_string())?;
        }
        if let Some(runtime) = resources.realtime_runtime_us {
            self.set(Controller::Cpu, RUNTIME, &runtime.to_string())?;
        }
        Ok(())
    }

    fn apply_unified(&self, resources: &Resources) -> Result<()> {
        use Controller::{Cpu, Cpuset, Memory, Pids};
        if let Some(limit) = unified_swap(resources) {
            self.set(Memory, "memory.swap.max", &limit)?;
        }
        if let Some(bytes) = resources.memory_bytes {
            self.set(Memory, "memory.max", &bytes.to_string())?;
        }
        if let Some(bytes) = resources.memory_reservation_bytes {
            self.set(Memory, "memory.low", &bytes.to_string())?;
        }
        if let Some(shares) = resources.cpu_shares {
            self.set(Cpu, "cpu.weight", &weight(shares).to_string())?;
        }
        if resources.cpu_quota_us.is_some() || resources.cpu_period_us.is_some() {
            self.apply_unified_quota(resources.cpu_quota_us, resources.cpu_period_us)?;
        }
        if let Some(cpus) = &resources.cpuset_cpus {
            self.set(Cpuset, "cpuset.cpus", cpus)?;
        }
        if let Some(nodes) = &resources.cpuset_mems {
            self.set(Cpuset, "cpuset.mems", nodes)?;
        }
        if let Some(limit) = resources.pids_limit {
            self.set(Pids, "pids.max", &limit.to_string())?;
        }
        Ok(())
    }

    /// Version 2 keeps both in one file; `max 100000` is its way to say without limit.
    fn apply_unified_quota(&self, quota: Option<i64>, period: Option<u64>) -> Result<()> {
        let quota = match quota {
            Some(quota) if quota > 0 => quota.to_string(),
            Some(_) => "max".to_owned(),
            None => self.kept_quota()?,
        };
        let value = match period {
            Some(period) => format!("{quota} {period}"),
            None => quota,
        };
        self.set(Controller::Cpu, "cpu.max", &value)
    }

    fn kept_quota(&self) -> Result<String> {
        let Some(dir) = self.controller_dir(Controller::Cpu) else {
            return Ok("max".to_owned());
        };
        let text = cgroup::read(&dir.join("cpu.max")).map_err(|source| CgroupError::Read {
            group: self.path().to_owned(),
            what: "the CPU quota",
            source,
        })?;
        Ok(text.split_whitespace().next().unwrap_or("max").to_owned())
    }

    /// Tells whether the group has a control file.
    pub(super) fn has_file(&self, controller: Controller, file: &str) -> bool {
        self.controller_dir(controller)
            .is_some_and(|dir| dir.join(file).exists())
    }

    pub(super) fn set(
        &self,
        controller: Controller,
        file: &'static str,
        value: &str,
    ) -> Result<()> {
        let no_controller = || CgroupError::NoController {
            setting: file,
            controller: controller.name(),
        };
        let dir = self.controller_dir(controller).ok_or_else(no_controller)?;
        cgroup::write(&dir.join(file), value).map_err(|source: SysError| {
            // The directory is there, its controller's file is not.
            if source.is_not_found() && dir.exists() {
                return no_controller();
            }
            CgroupError::Apply {
                group: self.path().to_owned(),
                setting: file,
                value: value.to_owned(),
                source,
            }
        })
    }
}

/// Gives the parents of `dir`, as many as there are below the root, room for its real-time limit.
///
/// What fails here is told by the group's own limit.
fn make_room(dir: &Path, n_parents: usize, needed_us: u64) {
    let limit = |dir: &Path| {
        let text = cgroup::read(&dir.join("cpu.rt_runtime_us"));
        text.ok().and_then(|text| text.trim().parse::<u64>().ok())
    };
    let (Some(parent), true) = (dir.parent(), n_parents > 0) else {
        return;
    };
    let groups = fs::read_dir(parent).into_iter().flatten().flatten();
    let others: u64 = groups
        .map(|entry| entry.path())
        .filter(|path| path != dir)
        .filter_map(|path| limit(&path))
        .sum();
    let needed_us = needed_us.saturating_add(others);
    if limit(parent).unwrap_or(0) < needed_us {
        make_room(parent, n_parents - 1, needed_us);
        let _ = cgroup::write(&parent.join("cpu.rt_runtime_us"), &needed_us.to_string());
    }
}

/// Turns Docker's memory+swap into version 2's swap alone.
fn unified_swap(resources: &Resources) -> Option<String> {
    let both = resources.memory_swap_bytes?;
    if both < 0 {
        return Some("max".to_owned());
    }
    let both = both.unsigned_abs();
    Some(both.saturating_sub(resources.memory_bytes?).to_string())
}

/// Turns version 1 shares (2 to 262,144, default 1,024) into a version 2 weight (1 to 10,000,
/// default 100) by the curve that runc and crun agreed on in 2025, which maps default to default:
/// `10 ^ (log2(shares)^2 / 612 + 125 * log2(shares) / 612 - 7 / 34)`.
fn weight(shares: u64) -> u64 {
    if shares == 0 {
        return 100;
    }
    let log = f64::from(u32::try_from(shares.clamp(2, 262_144)).unwrap_or(1024)).log2();
    let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
    let weight = 10_f64.powf(exponent).ceil();
    (1_u32..=10_000)
        .find(|whole| f64::from(*whole) >= weight)
        .map_or(10_000, u64::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn weights_meet_the_ends_and_the_default() {
        assert_eq!([2, 1024, 262_144].map(weight), [1, 100, 10_000]);
        assert_eq!(weight(0), 100);
        assert_eq!(weight(u64::MAX), 10_000);
    }

    #[test]
    fn swap_alone_is_both_less_memory() {
        let resources = |memory, both| Resources {
            memory_bytes: memory,
            memory_swap_bytes: both,
            ..Resources::default()
        };

        assert_eq!(
            unified_swap(&resources(Some(100), Some(100))).as_deref(),
            Some("0")
        );
        assert_eq!(
            unified_swap(&resources(Some(100), Some(300))).as_deref(),
            Some("200")
        );
        assert_eq!(
            unified_swap(&resources(Some(100), Some(-1))).as_deref(),
            Some("max")
        );
        assert_eq!(unified_swap(&resources(Some(100), None)), None);
        assert_eq!(unified_swap(&resources(None, Some(300))), None);
    }

    proptest! {
        #[test]
        fn more_shares_never_weigh_less(shares in 0_u64..300_000) {
            prop_assume!(shares >= 2);
            prop_assert!(weight(shares) <= weight(shares + 1));
        }
    }
}
