//! What a container uses: samples of its control group, in the shape clients compute with.

use std::collections::BTreeMap;

use engine_api::containers::ZERO_TIME;
use engine_api::stats::{
    BlkioEntry, BlkioStats, CpuStats, CpuUsage, MemoryStats, NetworkStats, PidsStats, Stats,
    ThrottlingData,
};
use engine_runtime::Phase;
use engine_runtime::cgroups::Cgroup;
use engine_runtime::processes::{self, InterfaceCounters};
use engine_runtime::usage::{self, HostUsage, Usage};

use super::registry::{Containers, Site};
use super::view::View;
use crate::clock::rfc3339;
use crate::services::error::Result;
use crate::tasks::blocking;

/// One look at a container that runs, and at its host.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    read_ns: i64,
    usage: Usage,
    host: Option<HostUsage>,
    /// Absent with the host's network.
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
                blocking(move || look(&site, &view, pid)).await
            }
            _ => None,
        };
        Ok((stats(&view, sample.as_ref(), before), sample))
    }
}

/// One that ends meanwhile has no numbers any more.
fn look(site: &Site, view: &View, pid: i32) -> Option<Sample> {
    let record = &view.record;
    let group = Cgroup::open(&site.layout, &site.cgroup(record)).ok()?;
    let usage = usage::read(&group).ok()?;
    let networks = match record.host_config.network_mode.as_str() {
        "host" => None,
        _ => processes::network_counters(pid).ok(),
    };
    Some(Sample {
        read_ns: site.clock.now_ns(),
        usage,
        host: usage::read_host().ok(),
        networks,
    })
}

fn stats(view: &View, sample: Option<&Sample>, before: Option<&Sample>) -> Stats {
    let time = |sample: Option<&Sample>| {
        sample.map_or_else(|| ZERO_TIME.to_owned(), |sample| rfc3339(sample.read_ns))
    };
    let mut stats = Stats {
        name: format!("/{}", view.record.name),
        id: view.record.id.to_string(),
        read: time(sample),
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

fn memory(sample: &Sample) -> MemoryStats {
    let memory = &sample.usage.memory;
    let of_host = sample.host.map(|host| host.memory_bytes);
    MemoryStats {
        usage: Some(memory.usage_bytes),
        max_usage: memory.max_usage_bytes,
        stats: Some(memory.stats.clone()),
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
