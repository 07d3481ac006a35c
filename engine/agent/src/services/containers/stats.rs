//! What a container uses: samples of its control group, in the shape clients compute with.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine_api::containers::ZERO_TIME;
use engine_api::stats::{
    BlkioEntry, BlkioStats, CpuStats, CpuUsage, MemoryStats, NetworkStats, OurStats, PidsStats,
    Pressure, Stall, Stats, ThrottlingData,
};
use engine_runtime::Phase;
use engine_runtime::cgroups::Cgroup;
use engine_runtime::pressure::{self, Stalls};
use engine_runtime::processes::{InterfaceCounters, InterfaceReader};
use engine_runtime::usage::{self, HostUsage, Limited, Usage};

use super::registry::{Containers, Site};
use super::view::View;
use crate::clock::rfc3339;
use crate::records::ContainerRecord;
use crate::services::error::Result;
use crate::tasks::blocking;

/// One look at a container that runs, and at its host.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    read_ns: i64,
    usage: Usage,
    host: Option<HostUsage>,
    /// Absent with the host's network, and without one.
    networks: Option<Vec<InterfaceCounters>>,
}

impl Containers {
    /// Returns one sample beside the one before; without numbers while it does not run.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) async fn sample(
        &self,
        reference: &str,
        before: Option<&Sample>,
    ) -> Result<(Stats, Option<Sample>)> {
        let view = self.find(reference)?.view();
        let sample = match view.phase {
            Phase::Running { pid, .. } => {
                let site = std::sync::Arc::clone(&self.site);
                let view = std::sync::Arc::clone(&view);
                blocking(move || {
                    let host = usage::read_host().ok();
                    Looker::new(&site, &view, pid)?.look(&site, host)
                })
                .await
            }
            _ => None,
        };
        let mut sample = sample;
        Ok((stats(&view, sample.as_mut(), before), sample))
    }
}

impl Sample {
    /// Tells whether it was taken less than `age` ago.
    pub(super) fn is_younger(&self, site: &Site, age: Duration) -> bool {
        let age_ns = site.clock.now_ns().saturating_sub(self.read_ns);
        u64::try_from(age_ns).is_ok_and(|age_ns| Duration::from_nanos(age_ns) < age)
    }
}

/// Looks at one life of one container, with files that stay open.
pub(super) struct Looker {
    pid: i32,
    /// As it was when it was begun: another has other limits.
    record: Arc<ContainerRecord>,
    usage: usage::Reader,
    /// Absent with the host's network, and without one.
    networks: Option<InterfaceReader>,
}

impl Looker {
    /// One that has looked at nothing yet.
    pub(super) fn new(site: &Site, view: &View, pid: i32) -> Option<Self> {
        let record = &view.record;
        let group = Cgroup::open(&site.layout, &site.cgroup(record)).ok()?;
        let host = &record.host_config;
        let networks = match host.network_mode.as_str() {
            "host" => None,
            // Nothing is connected later: who has only loopback need not be asked again.
            _ => InterfaceReader::of(pid)
                .ok()
                // A read that failed says nothing of the next one.
                .filter(|all| !all.read().is_ok_and(|found| found.is_empty())),
        };
        let limited = Limited {
            processors: host.nano_cpus != 0 || host.cpu_quota != 0,
            memory: host.memory != 0 || host.memory_swap != 0,
        };
        Some(Self {
            pid,
            record: Arc::clone(record),
            usage: usage::Reader::of_limited(group, limited),
            networks,
        })
    }

    /// Tells whether this is one for the life and the limits that the container has now.
    pub(super) fn is_of(&self, pid: i32, record: &Arc<ContainerRecord>) -> bool {
        self.pid == pid && Arc::ptr_eq(&self.record, record)
    }

    /// Takes back what is the same each time, for the next look.
    pub(super) fn reuse(&mut self, stats: Stats) {
        self.usage
            .reuse(stats.memory_stats.stats.unwrap_or_default());
    }

    /// Looks. One that has ended has no numbers any more.
    pub(super) fn look(&mut self, site: &Site, host: Option<HostUsage>) -> Option<Sample> {
        Some(Sample {
            usage: self.usage.read().ok()?,
            read_ns: site.clock.now_ns(),
            host,
            networks: self.networks.as_ref().and_then(|all| all.read().ok()),
        })
    }
}

/// Puts figures in the shape that clients compute with. The kernel's own names of memory are taken
/// out of the sample: whoever comes after needs its times only.
pub(super) fn stats(view: &View, sample: Option<&mut Sample>, before: Option<&Sample>) -> Stats {
    let time = |sample: Option<&Sample>| {
        sample.map_or_else(|| ZERO_TIME.to_owned(), |sample| rfc3339(sample.read_ns))
    };
    let mut stats = Stats {
        name: format!("/{}", view.record.name),
        id: view.record.id.to_string(),
        read: time(sample.as_deref()),
        preread: time(before),
        precpu_stats: before.map(cpu).unwrap_or_default(),
        ..Stats::default()
    };
    if let Some(sample) = sample {
        stats.cpu_stats = cpu(sample);
        stats.memory_stats = memory(sample);
        stats.pids_stats = PidsStats {
            current: Some(sample.usage.pids.current),
            limit: sample.usage.pids.limit,
        };
        stats.blkio_stats = blkio(sample);
        stats.ours = Some(ours(sample));
        stats.networks = sample
            .networks
            .as_deref()
            .filter(|n| !n.is_empty())
            .map(networks);
    }
    stats
}

fn cpu(sample: &Sample) -> CpuStats {
    let cpu = &sample.usage.cpu;
    CpuStats {
        cpu_usage: CpuUsage {
            total_usage: cpu.total_ns,
            percpu_usage: (!cpu.per_cpu_ns.is_empty()).then(|| cpu.per_cpu_ns.clone()),
            usage_in_kernelmode: cpu.system_ns,
            usage_in_usermode: cpu.user_ns,
        },
        system_cpu_usage: sample.host.map(|host| host.cpu_total_ns),
        online_cpus: sample.host.map(|host| host.online_cpus),
        throttling_data: ThrottlingData {
            periods: cpu.periods,
            throttled_periods: cpu.throttled_periods,
            throttled_time: cpu.throttled_ns,
        },
    }
}

fn memory(sample: &mut Sample) -> MemoryStats {
    let memory = &mut sample.usage.memory;
    let of_host = sample.host.map(|host| host.memory_bytes);
    MemoryStats {
        usage: Some(memory.usage_bytes),
        max_usage: memory.max_usage_bytes,
        stats: Some(std::mem::take(&mut memory.stats)),
        failcnt: memory.failures,
        // Without a limit of its own the machine's memory is the limit.
        limit: memory.limit_bytes.into_iter().chain(of_host).min(),
    }
}

fn blkio(sample: &Sample) -> BlkioStats {
    let entries = |counts: &[usage::BlockCount]| {
        let entry = |count: &usage::BlockCount| BlkioEntry {
            major: count.major,
            minor: count.minor,
            op: count.operation.clone(),
            value: count.value,
        };
        Some(counts.iter().map(entry).collect())
    };
    BlkioStats {
        io_service_bytes_recursive: entries(&sample.usage.block.bytes),
        io_serviced_recursive: entries(&sample.usage.block.operations),
        ..BlkioStats::default()
    }
}

fn ours(sample: &Sample) -> OurStats {
    let stall = |stall: pressure::Stall| Stall {
        avg10: stall.last_10_s,
        avg60: stall.last_60_s,
        avg300: stall.last_300_s,
        total: stall.total_us,
    };
    let told = |stalls: Option<Stalls>| {
        stalls.map(|stalls| Pressure {
            some: stall(stalls.some),
            full: stalls.full.map(stall),
        })
    };
    let pressure = &sample.usage.pressure;
    OurStats {
        oom_kills: sample.usage.oom_kills,
        cpu_pressure: told(pressure.cpu),
        memory_pressure: told(pressure.memory),
        io_pressure: told(pressure.io),
    }
}

fn networks(interfaces: &[InterfaceCounters]) -> BTreeMap<String, NetworkStats> {
    interfaces
        .iter()
        .map(|one| {
            let stats = NetworkStats {
                rx_bytes: one.received.bytes,
                rx_packets: one.received.packets,
                rx_errors: one.received.errors,
                rx_dropped: one.received.dropped,
                tx_bytes: one.sent.bytes,
                tx_packets: one.sent.packets,
                tx_errors: one.sent.errors,
                tx_dropped: one.sent.dropped,
            };
            (one.name.clone(), stats)
        })
        .collect()
}
