//! What this machine's control files can keep, looked up in a group made for the question.

use std::time::Duration;

use super::{Cgroup, error::Result};
use crate::layout::{Controller, Layout, Version};

/// A setting that not every machine has, though it has the controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    MemoryReservation,
    Swap,
    Swappiness,
    OomKillDisable,
    Realtime,
    BlockWeight,
    BlockWeightDevice,
    BlockLimit,
}

impl Setting {
    /// Returns the controller and the files of which one keeps the setting.
    fn files(self, version: Version) -> (Controller, &'static [&'static str]) {
        let unified = version == Version::V2;
        let (controller, legacy, new): (_, &[&str], &[&str]) = match self {
            Self::MemoryReservation => (
                Controller::Memory,
                &["memory.soft_limit_in_bytes"],
                &["memory.low"],
            ),
            Self::Swap => (
                Controller::Memory,
                &["memory.memsw.limit_in_bytes"],
                &["memory.swap.max"],
            ),
            Self::Swappiness => (Controller::Memory, &["memory.swappiness"], &[]),
            Self::OomKillDisable => (Controller::Memory, &["memory.oom_control"], &[]),
            Self::Realtime => (Controller::Cpu, &["cpu.rt_runtime_us"], &[]),
            Self::BlockWeight => (
                Controller::Blkio,
                &["blkio.weight", "blkio.bfq.weight"],
                &["io.weight", "io.bfq.weight"],
            ),
            Self::BlockWeightDevice => (
                Controller::Blkio,
                &["blkio.weight_device", "blkio.bfq.weight_device"],
                &["io.weight", "io.bfq.weight"],
            ),
            Self::BlockLimit => (
                Controller::Blkio,
                &["blkio.throttle.read_bps_device"],
                &["io.max"],
            ),
        };
        (controller, if unified { new } else { legacy })
    }
}

/// Returns those of `settings` that a group of this machine cannot keep.
///
/// `scratch` is the path of a group that is made for the question and removed.
///
/// # Errors
/// When the group cannot be made.
pub fn unsupported(layout: &Layout, scratch: &str, settings: &[Setting]) -> Result<Vec<Setting>> {
    if settings.is_empty() {
        return Ok(Vec::new());
    }
    let group = Cgroup::create(layout, scratch)?;
    let is_kept = |setting: &Setting| {
        let (controller, files) = setting.files(layout.version);
        files.iter().any(|file| group.has_file(controller, file))
    };
    let missing = settings.iter().copied().filter(|one| !is_kept(one));
    let missing = missing.collect();
    group.remove(Duration::from_secs(1))?;
    Ok(missing)
}
