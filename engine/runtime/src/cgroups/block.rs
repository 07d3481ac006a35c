//! Shares and limits of block devices, in both versions' words.

use super::{Cgroup, error::Result};
use crate::{
    BlockFlow, Resources,
    layout::{Controller, Version},
};

/// Version 1's files of limits.
const LIMITS: [(BlockFlow, &str); 4] = [
    (BlockFlow::ReadBytes, "blkio.throttle.read_bps_device"),
    (BlockFlow::WriteBytes, "blkio.throttle.write_bps_device"),
    (BlockFlow::ReadOperations, "blkio.throttle.read_iops_device"),
    (
        BlockFlow::WriteOperations,
        "blkio.throttle.write_iops_device",
    ),
];

impl Cgroup {
    /// Writes the shares and limits of block devices.
    pub(super) fn apply_block(&self, resources: &Resources) -> Result<()> {
        match self.version() {
            Version::V2 => self.apply_unified_block(resources),
            Version::V1 | Version::Hybrid => self.apply_legacy_block(resources),
        }
    }

    fn apply_legacy_block(&self, resources: &Resources) -> Result<()> {
        // One scheduler's files stand for another's that this kernel no longer has.
        let pick = |old, bfq| match self.has_file(Controller::Blkio, old) {
            true => old,
            false => bfq,
        };
        if let Some(weight) = resources.block_weight {
            let file = pick("blkio.weight", "blkio.bfq.weight");
            self.set(Controller::Blkio, file, &weight.to_string())?;
        }
        for one in &resources.block_weights {
            let file = pick("blkio.weight_device", "blkio.bfq.weight_device");
            let value = format!("{}:{} {}", one.major, one.minor, one.weight);
            self.set(Controller::Blkio, file, &value)?;
        }
        for one in &resources.block_limits {
            let named = LIMITS.iter().find(|(what, _)| *what == one.what);
            let file = named.map_or("", |(_, file)| file);
            let value = format!("{}:{} {}", one.major, one.minor, one.rate);
            self.set(Controller::Blkio, file, &value)?;
        }
        Ok(())
    }

    fn apply_unified_block(&self, resources: &Resources) -> Result<()> {
        let has_bfq = self.has_file(Controller::Blkio, "io.bfq.weight");
        let (file, scaled): (_, fn(u16) -> u64) = match has_bfq {
            true => ("io.bfq.weight", u64::from),
            false => ("io.weight", unified_weight),
        };
        if let Some(weight) = resources.block_weight {
            let value = format!("default {}", scaled(weight));
            self.set(Controller::Blkio, file, &value)?;
        }
        for one in &resources.block_weights {
            let value = format!("{}:{} {}", one.major, one.minor, scaled(one.weight));
            self.set(Controller::Blkio, file, &value)?;
        }
        for one in &resources.block_limits {
            let key = match one.what {
                BlockFlow::ReadBytes => "rbps",
                BlockFlow::WriteBytes => "wbps",
                BlockFlow::ReadOperations => "riops",
                BlockFlow::WriteOperations => "wiops",
            };
            // Version 2 has no zero: it says "no limit" in a word.
            let rate = match one.rate {
                0 => "max".to_owned(),
                rate => rate.to_string(),
            };
            let value = format!("{}:{} {key}={rate}", one.major, one.minor);
            self.set(Controller::Blkio, "io.max", &value)?;
        }
        Ok(())
    }
}

/// Turns version 1's weight (10 to 1,000) into version 2's (1 to 10,000), end to end, as runc does.
fn unified_weight(weight: u16) -> u64 {
    1 + u64::from(weight.clamp(10, 1_000) - 10) * 9_999 / 990
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_meet_at_both_ends() {
        assert_eq!([10, 500, 1_000].map(unified_weight), [1, 4_950, 10_000]);
    }
}
