//! Limits of the control group: what a person asks for, checked by Docker's rules and against this
//! machine, in the words of the runtime.

use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use engine_api::containers::{HostConfig, ThrottleDevice, UpdateBody};
use engine_api::id::ContainerId;
use engine_runtime::cgroups::{self, Setting};
use engine_runtime::devices;
use engine_runtime::layout::{Controller, Layout, Version};
use engine_runtime::{BlockFlow, BlockLimit, BlockWeight, Resources, profile};

use super::limits::{bad, positive, signed};
use super::registry::Site;
use crate::services::error::{Result, ServiceError};
use crate::tasks::blocking;

/// Docker's smallest memory limit; with less a container cannot even start.
const MEMORY_MIN: u64 = 6 << 20;

/// The scheduler's period when a share of processors is asked for.
const CPU_PERIOD_US: u64 = 100_000;

const NO_SWAP_LIMIT: &str = "Your kernel does not support swap limit capabilities or the cgroup is \
                             not mounted. Memory limited without swap.";
const NO_OOM_LIMIT: &str = "OOM killer is disabled for the container, but no memory limit is set, \
                            this can result in the system running out of resources.";

/// Writes into the wish what Docker derives from it, and warns where Docker warns.
pub(super) fn settle(layout: &Layout, host: &mut HostConfig, warnings: &mut Vec<String>) {
    if host.memory_swappiness == Some(-1) {
        host.memory_swappiness = None;
    }
    if host.memory > 0 && host.memory_swap == 0 {
        host.memory_swap = host.memory.saturating_mul(2);
        if !layout.has_swap() {
            host.memory_swap = -1;
            warnings.push(NO_SWAP_LIMIT.to_owned());
        }
    }
    if host.oom_kill_disable == Some(true) && host.memory == 0 {
        warnings.push(NO_OOM_LIMIT.to_owned());
    }
}

/// Does to a changed wish what Docker does to it, and warns where Docker warns.
pub(super) fn settle_update(
    layout: &Layout,
    asked: &UpdateBody,
    host: &mut HostConfig,
    warnings: &mut Vec<String>,
) {
    // A limit of both that was asked for by itself is judged by what this machine has.
    if asked.memory > 0 && asked.memory_swap == 0 && host.memory_swap != -1 && !layout.has_swap() {
        host.memory_swap = -1;
        warnings.push(NO_SWAP_LIMIT.to_owned());
    }
}

/// Checks that this machine has the control files of what is asked for.
///
/// # Errors
/// Names the option whose file is missing.
pub(super) async fn check_support(
    site: &Arc<Site>,
    id: &ContainerId,
    host: &HostConfig,
) -> Result<()> {
    let asked = rare_settings(host);
    if asked.is_empty() {
        return Ok(());
    }
    let (layout, settings) = (site.layout.clone(), asked.clone());
    let scratch = format!("{}/probe-{}", site.cgroup_parent, id.short());
    let missing = blocking(move || {
        let settings: Vec<Setting> = settings.iter().map(|(setting, ..)| *setting).collect();
        cgroups::unsupported(&layout, &scratch, &settings)
    })
    .await
    .map_err(ServiceError::failed("look at this machine's control files"))?;
    match asked.iter().find(|(setting, ..)| missing.contains(setting)) {
        None => Ok(()),
        Some((_, option, what)) => {
            let version = if site.layout.version == Version::V2 {
                " (control groups version 2)"
            } else {
                ""
            };
            Err(bad(format!(
                "HostConfig.{option}: your kernel does not support {what} or the cgroup is not \
                 mounted{version}"
            )))
        }
    }
}

/// Lists the settings that not every machine has: what, the option, Docker's name for it.
fn rare_settings(host: &HostConfig) -> Vec<(Setting, &'static str, &'static str)> {
    let has_swap = host.memory_swap > 0 || (host.memory_swap == -1 && host.memory == 0);
    let limits = [
        &host.blkio_device_read_bps,
        &host.blkio_device_write_bps,
        &host.blkio_device_read_iops,
        &host.blkio_device_write_iops,
    ];
    let has_realtime = host.cpu_realtime_period != 0 || host.cpu_realtime_runtime != 0;
    [
        (
            host.memory_reservation > 0,
            Setting::MemoryReservation,
            "MemoryReservation",
            "memory soft limit capabilities",
        ),
        (
            has_swap,
            Setting::Swap,
            "MemorySwap",
            "swap limit capabilities",
        ),
        (
            host.memory_swappiness.is_some(),
            Setting::Swappiness,
            "MemorySwappiness",
            "memory swappiness capabilities",
        ),
        (
            host.oom_kill_disable == Some(true),
            Setting::OomKillDisable,
            "OomKillDisable",
            "OomKillDisable",
        ),
        (
            has_realtime,
            Setting::Realtime,
            "CpuRealtimeRuntime",
            "CPU real-time scheduler limits",
        ),
        (
            host.blkio_weight > 0,
            Setting::BlockWeight,
            "BlkioWeight",
            "Block I/O weight",
        ),
        (
            !host.blkio_weight_device.is_empty(),
            Setting::BlockWeightDevice,
            "BlkioWeightDevice",
            "Block I/O weight_device",
        ),
        (
            limits.iter().any(|list| !list.is_empty()),
            Setting::BlockLimit,
            "BlkioDeviceReadBps, WriteBps, ReadIOps, WriteIOps",
            "Block I/O limits",
        ),
    ]
    .into_iter()
    .filter(|(is_asked, ..)| *is_asked)
    .map(|(_, setting, option, what)| (setting, option, what))
    .collect()
}

/// Returns the limits of the control group.
///
/// # Errors
/// Names the option that is out of its range, or that this machine cannot keep.
pub(super) fn resources(layout: &Layout, host: &HostConfig) -> Result<Resources> {
    let (cpu_quota_us, cpu_period_us) = cpu(host)?;
    let has_pids = layout.has(Controller::Pids) || host.pids_limit.is_some_and(|n| n > 0);
    let resources = Resources {
        cpu_quota_us,
        cpu_period_us,
        cpu_shares: shares(host.cpu_shares)?,
        cpuset_cpus: cpuset("CPUs", "cpus", &host.cpuset_cpus, "cpu/online")?,
        cpuset_mems: cpuset("memory nodes", "mems", &host.cpuset_mems, "node/online")?,
        pids_limit: pids(host.pids_limit)?.filter(|_| has_pids),
        oom_kill_disable: host.oom_kill_disable == Some(true),
        ..memory(layout, host)?
    };
    let resources = blocks(host, realtime(host, resources)?)?;
    check_controllers(layout, &resources)?;
    Ok(resources)
}

fn check_controllers(layout: &Layout, resources: &Resources) -> Result<()> {
    let has_cpu = resources.cpu_quota_us.is_some()
        || resources.cpu_period_us.is_some()
        || resources.cpu_shares.is_some();
    let has_cpuset = resources.cpuset_cpus.is_some() || resources.cpuset_mems.is_some();
    for (is_asked, controller, what) in [
        (
            resources.memory_bytes.is_some(),
            Controller::Memory,
            "memory limit capabilities",
        ),
        (has_cpu, Controller::Cpu, "CPU CFS scheduler"),
        (has_cpuset, Controller::Cpuset, "cpuset"),
        (
            resources.pids_limit.is_some(),
            Controller::Pids,
            "PIDs limit capabilities",
        ),
    ] {
        if is_asked && !layout.has(controller) {
            return Err(bad(format!(
                "your kernel does not support {what} or the cgroup is not mounted"
            )));
        }
    }
    Ok(())
}

fn memory(layout: &Layout, host: &HostConfig) -> Result<Resources> {
    let limit = positive("HostConfig.Memory", host.memory)?;
    if limit.is_some_and(|bytes| bytes < MEMORY_MIN) {
        return Err(bad("Minimum memory limit allowed is 6MB"));
    }
    let reservation = positive("HostConfig.MemoryReservation", host.memory_reservation)?;
    if reservation.is_some_and(|bytes| bytes < MEMORY_MIN) {
        return Err(bad("Minimum memory reservation allowed is 6MB"));
    }
    if let (Some(limit), Some(reservation)) = (limit, reservation)
        && limit < reservation
    {
        return Err(bad(
            "Minimum memory limit can not be less than memory reservation limit, see usage",
        ));
    }
    let swap = match (host.memory_swap, limit) {
        (0, _) => None,
        (-1, _) => Some(-1),
        (..-1, _) => {
            return Err(bad(format!(
                "HostConfig.MemorySwap must be -1 or more, and is {}",
                host.memory_swap
            )));
        }
        (_, None) => {
            return Err(bad(
                "You should always set the Memory limit when using Memoryswap limit, see usage",
            ));
        }
        (both, Some(_)) if both < host.memory => {
            return Err(bad(
                "Minimum memoryswap limit should be larger than memory limit, see usage",
            ));
        }
        (both, Some(_)) => Some(both),
    };
    let swappiness = match host.memory_swappiness {
        None | Some(-1) => None,
        Some(value @ 0..=100) => Some(value.unsigned_abs()),
        Some(value) => {
            return Err(bad(format!(
                "Invalid value: {value}, valid memory swappiness range is 0-100"
            )));
        }
    };
    Ok(Resources {
        memory_bytes: limit,
        // Where swap is not counted, the wish was settled to "no limit" and there is no file.
        memory_swap_bytes: swap.filter(|both| *both != -1 || layout.has_swap()),
        memory_reservation_bytes: reservation,
        swappiness,
        ..Resources::default()
    })
}

fn cpu(host: &HostConfig) -> Result<(Option<i64>, Option<u64>)> {
    let quota = match host.cpu_quota {
        // The kernel's own word for "no quota".
        -1 => None,
        quota => positive("HostConfig.CpuQuota", quota)?,
    };
    let period = positive("HostConfig.CpuPeriod", host.cpu_period)?;
    let Some(nano_cpus) = positive("HostConfig.NanoCpus", host.nano_cpus)? else {
        if quota.is_some_and(|us| us < 1_000) {
            return Err(bad("CPU cfs quota can not be less than 1ms (i.e. 1000)"));
        }
        if period.is_some_and(|us| !(1_000..=1_000_000).contains(&us)) {
            return Err(bad(
                "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s \
                 (i.e. 1000000)",
            ));
        }
        return Ok((quota.map(signed), period));
    };
    if period.is_some() {
        return Err(bad(
            "Conflicting options: Nano CPUs and CPU Period cannot both be set",
        ));
    }
    if quota.is_some() {
        return Err(bad(
            "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
        ));
    }
    let n_cpus = std::thread::available_parallelism().map_or(1, NonZero::get) as u64;
    if !(10_000_000..=n_cpus * 1_000_000_000).contains(&nano_cpus) {
        return Err(bad(format!(
            "range of CPUs is from 0.01 to {n_cpus}.00, as there are only {n_cpus} CPUs available"
        )));
    }
    let quota_us = nano_cpus * CPU_PERIOD_US / 1_000_000_000;
    Ok((Some(signed(quota_us)), Some(CPU_PERIOD_US)))
}

fn shares(shares: i64) -> Result<Option<u64>> {
    match positive("HostConfig.CpuShares", shares)? {
        Some(..2) => Err(bad("the minimum allowed cpu-shares is 2")),
        Some(262_145..) => Err(bad("the maximum allowed cpu-shares is 262144")),
        shares => Ok(shares),
    }
}

fn realtime(host: &HostConfig, resources: Resources) -> Result<Resources> {
    let runtime = positive("HostConfig.CpuRealtimeRuntime", host.cpu_realtime_runtime)?;
    let period = positive("HostConfig.CpuRealtimePeriod", host.cpu_realtime_period)?;
    if let (Some(runtime), Some(period)) = (runtime, period)
        && runtime > period
    {
        return Err(bad(
            "cpu real-time runtime cannot be higher than cpu real-time period",
        ));
    }
    Ok(Resources {
        realtime_runtime_us: runtime.map(signed),
        realtime_period_us: period,
        ..resources
    })
}

/// Without a word, the profile's limit; -1 is none at all.
fn pids(limit: Option<i64>) -> Result<Option<u64>> {
    match limit {
        None | Some(0) => Ok(Some(profile::PIDS_LIMIT)),
        Some(-1) => Ok(None),
        Some(n) => positive("HostConfig.PidsLimit", n),
    }
}

/// Checks a list such as `0-2,5` against what the host has.
fn cpuset(things: &str, kind: &str, asked: &str, file: &str) -> Result<Option<String>> {
    if asked.is_empty() {
        return Ok(None);
    }
    let wanted = ranges(asked).ok_or_else(|| {
        bad(format!(
            "Invalid value {asked} for cpuset {kind}: a list such as 0-2,5 is needed"
        ))
    })?;
    let there = std::fs::read_to_string(Path::new("/sys/devices/system").join(file));
    // A kernel without memory nodes has the one.
    let there = there.unwrap_or_else(|_| "0".to_owned());
    let there = there.trim();
    let available = ranges(there).unwrap_or_default();
    let is_there = |n: u32| available.iter().any(|(a, z)| (*a..=*z).contains(&n));
    if wanted.iter().any(|(a, z)| !(*a..=*z).all(is_there)) {
        return Err(bad(format!(
            "Requested {things} are not available - requested {asked}, available: {there}"
        )));
    }
    Ok(Some(asked.to_owned()))
}

/// Reads a list of numbers and ranges; numbers beyond any machine's are refused.
fn ranges(text: &str) -> Option<Vec<(u32, u32)>> {
    const MOST: u32 = 8_192;
    let number = |digits: &str| {
        let is_plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let value = digits.parse::<u32>().ok()?;
        (is_plain && value < MOST).then_some(value)
    };
    text.split(',')
        .map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some((first, last))
        })
        .collect()
}

fn blocks(host: &HostConfig, resources: Resources) -> Result<Resources> {
    let weight = |option: &str, weight: i64| match u16::try_from(weight) {
        Ok(weight @ 10..=1_000) => Ok(weight),
        _ => Err(bad(format!(
            "HostConfig.{option}: Range of blkio weight is from 10 to 1000, and {weight} was asked \
             for"
        ))),
    };
    let block_weight = match host.blkio_weight {
        0 => None,
        asked => Some(weight("BlkioWeight", asked)?),
    };
    let mut block_weights = Vec::new();
    for one in &host.blkio_weight_device {
        let (major, minor) = block_device("BlkioWeightDevice", &one.path)?;
        block_weights.push(BlockWeight {
            major,
            minor,
            weight: weight("BlkioWeightDevice", one.weight)?,
        });
    }
    let mut block_limits = Vec::new();
    let mut limit = |option: &str, list: &[ThrottleDevice], what: BlockFlow| -> Result<()> {
        for one in list {
            let (major, minor) = block_device(option, &one.path)?;
            block_limits.push(BlockLimit {
                major,
                minor,
                what,
                rate: one.rate,
            });
        }
        Ok(())
    };
    limit(
        "BlkioDeviceReadBps",
        &host.blkio_device_read_bps,
        BlockFlow::ReadBytes,
    )?;
    limit(
        "BlkioDeviceWriteBps",
        &host.blkio_device_write_bps,
        BlockFlow::WriteBytes,
    )?;
    limit(
        "BlkioDeviceReadIOps",
        &host.blkio_device_read_iops,
        BlockFlow::ReadOperations,
    )?;
    limit(
        "BlkioDeviceWriteIOps",
        &host.blkio_device_write_iops,
        BlockFlow::WriteOperations,
    )?;
    Ok(Resources {
        block_weight,
        block_weights,
        block_limits,
        ..resources
    })
}

fn block_device(option: &str, path: &str) -> Result<(u32, u32)> {
    devices::block_numbers(Path::new(path)).map_err(|e| {
        bad(format!(
            "HostConfig.{option}: {}",
            engine_runtime::chain(&e)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        Layout::detect().unwrap()
    }

    #[test]
    fn a_memory_limit_without_swap_accounting_is_given_with_dockers_warning() {
        let layout = Layout {
            version: Version::V1,
            legacy: Vec::new(),
            unified: None,
            unified_controllers: Vec::new(),
        };
        let said = |asked: UpdateBody, swap: i64| {
            let mut host = HostConfig {
                memory_swap: swap,
                ..HostConfig::default()
            };
            let mut warnings = Vec::new();
            settle_update(&layout, &asked, &mut host, &mut warnings);
            (host.memory_swap, warnings)
        };
        let memory = UpdateBody {
            memory: 64 << 20,
            ..UpdateBody::default()
        };
        assert_eq!(
            said(memory.clone(), 0),
            (-1, vec![NO_SWAP_LIMIT.to_owned()])
        );
        assert_eq!(said(memory, -1), (-1, Vec::new()));
        assert_eq!(said(UpdateBody::default(), 0), (0, Vec::new()));
    }

    #[test]
    fn numbers_out_of_range_are_refused_by_name() {
        let refused =
            |host: HostConfig| resources(&layout(), &host).map_err(|e| e.to_string()).err();
        let host = HostConfig::default;
        for (host, word) in [
            (
                HostConfig {
                    memory: 1 << 20,
                    ..host()
                },
                "memory",
            ),
            (
                HostConfig {
                    memory: -1,
                    ..host()
                },
                "Memory",
            ),
            (
                HostConfig {
                    nano_cpus: 1,
                    ..host()
                },
                "CPUs",
            ),
            (
                HostConfig {
                    nano_cpus: i64::MAX,
                    ..host()
                },
                "CPUs",
            ),
            (
                HostConfig {
                    cpu_quota: 10,
                    ..host()
                },
                "quota",
            ),
            (
                HostConfig {
                    cpu_period: 10,
                    ..host()
                },
                "period",
            ),
            (
                HostConfig {
                    nano_cpus: 500_000_000,
                    cpu_quota: 5_000,
                    ..host()
                },
                "Conflicting",
            ),
            (
                HostConfig {
                    pids_limit: Some(-2),
                    ..host()
                },
                "PidsLimit",
            ),
        ] {
            assert!(
                refused(host).is_some_and(|text| text.contains(word)),
                "{word}"
            );
        }
    }

    #[test]
    fn half_a_processor_is_half_a_period() {
        let host = HostConfig {
            nano_cpus: 500_000_000,
            ..HostConfig::default()
        };
        let resources = resources(&layout(), &host).unwrap();
        assert_eq!(
            (resources.cpu_quota_us, resources.cpu_period_us),
            (Some(50_000), Some(100_000))
        );
        assert_eq!(resources.pids_limit, Some(profile::PIDS_LIMIT));
    }

    #[test]
    fn memory_and_swap_follow_dockers_table() {
        let check = |memory: i64, swap: i64| {
            let mut host = HostConfig {
                memory: memory << 20,
                memory_swap: if swap > 0 { swap << 20 } else { swap },
                ..HostConfig::default()
            };
            let mut warnings = Vec::new();
            settle(&layout(), &mut host, &mut warnings);
            resources(&layout(), &host).map(|found| found.memory_swap_bytes)
        };
        if !layout().has_swap() {
            return;
        }
        assert_eq!(check(0, 0).unwrap(), None);
        assert_eq!(check(64, 0).unwrap(), Some(128 << 20));
        assert_eq!(check(64, -1).unwrap(), Some(-1));
        assert_eq!(check(64, 64).unwrap(), Some(64 << 20));
        assert!(check(64, 32).is_err(), "less than the memory");
        assert!(check(0, 64).is_err(), "without a memory limit");
        assert!(check(64, -2).is_err());
    }

    #[test]
    fn lists_of_processors_are_read_and_bounded() {
        assert_eq!(ranges("0-2,5"), Some(vec![(0, 2), (5, 5)]));
        for odd in ["", ",", "a", "2-1", "0-", "-1", "0-4294967295", "+1", "1 "] {
            assert_eq!(ranges(odd), None, "{odd:?}");
        }
        assert!(cpuset("CPUs", "cpus", "8000", "cpu/online").is_err());
        assert_eq!(
            cpuset("CPUs", "cpus", "0", "cpu/online").unwrap(),
            Some("0".to_owned())
        );
    }

    #[test]
    fn reservations_swappiness_and_weights_have_dockers_ranges() {
        let host = HostConfig::default;
        for (host, words) in [
            (
                HostConfig {
                    memory_reservation: 1 << 20,
                    ..host()
                },
                "Minimum memory reservation allowed is 6MB",
            ),
            (
                HostConfig {
                    memory: 8 << 20,
                    memory_reservation: 16 << 20,
                    ..host()
                },
                "can not be less than memory reservation",
            ),
            (
                HostConfig {
                    memory_swappiness: Some(101),
                    ..host()
                },
                "valid memory swappiness range is 0-100",
            ),
            (
                HostConfig {
                    blkio_weight: 5,
                    ..host()
                },
                "Range of blkio weight is from 10 to 1000",
            ),
            (
                HostConfig {
                    blkio_weight: 70_000,
                    ..host()
                },
                "Range of blkio weight is from 10 to 1000",
            ),
            (
                HostConfig {
                    cpu_shares: 1,
                    ..host()
                },
                "the minimum allowed cpu-shares is 2",
            ),
            (
                HostConfig {
                    blkio_device_read_bps: vec![ThrottleDevice {
                        path: "/dev/null".to_owned(),
                        rate: 1,
                    }],
                    ..host()
                },
                "not a block device",
            ),
        ] {
            let error = resources(&layout(), &host).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
