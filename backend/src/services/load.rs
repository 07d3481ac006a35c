//! Load: two of an engine's samples become the numbers of one second.
//!
//! **Invariant:** pure. The formulas are those of Docker's own clients, so that two windows beside
//! each other show the same.

use engine_api::stats::{BlkioStats, MemoryStats, Stats};
use jiff::Timestamp;

/// One second of one container. Rates are per second, since the sample before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Load {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Per cent of one core.
    pub cpu_percent: f64,
    /// Per cent of the periods in which the limit held the container back.
    pub throttled_percent: f64,
    /// Memory in use without the file cache.
    pub memory_bytes: u64,
    /// File cache.
    pub cache_bytes: u64,
    /// Memory limit, 0 for none.
    pub memory_limit_bytes: u64,
    /// Bytes received, all interfaces; absent without a network of its own.
    pub received_bytes: Option<u64>,
    /// Bytes sent.
    pub sent_bytes: Option<u64>,
    /// Bytes read from block devices.
    pub read_bytes: u64,
    /// Bytes written to block devices.
    pub written_bytes: u64,
    /// Processes and threads.
    pub pids: u64,
}

impl Load {
    /// Compares a sample with the one before it.
    pub(super) fn between(before: &Stats, now: &Stats) -> Self {
        let seconds = seconds_between(before, now);
        let rate = |before: u64, now: u64| {
            let difference = now.saturating_sub(before);
            whole(float(difference) / seconds)
        };
        let network = |bytes: fn(&engine_api::stats::NetworkStats) -> u64| {
            let sum = |stats: &Stats| {
                stats
                    .networks
                    .as_ref()
                    .map(|networks| networks.values().map(bytes).sum::<u64>())
            };
            Some(rate(sum(before)?, sum(now)?))
        };
        let blocks = |word| {
            rate(
                block_bytes(&before.blkio_stats, word),
                block_bytes(&now.blkio_stats, word),
            )
        };
        let memory = &now.memory_stats;
        Self {
            at_ms: moment(&now.read).map_or(0, Timestamp::as_millisecond),
            cpu_percent: cpu_percent(before, now),
            throttled_percent: throttled_percent(before, now),
            memory_bytes: memory_bytes(memory),
            cache_bytes: named(memory, &["file", "total_cache", "cache"]),
            memory_limit_bytes: memory.limit.filter(|limit| *limit < NO_LIMIT).unwrap_or(0),
            received_bytes: network(|n| n.rx_bytes),
            sent_bytes: network(|n| n.tx_bytes),
            read_bytes: blocks("read"),
            written_bytes: blocks("write"),
            pids: now.pids_stats.current.unwrap_or(0),
        }
    }

    /// Forgets a memory limit that is the host's whole memory: an engine says so where there is none.
    pub(super) fn limited_below(self, host_memory: u64) -> Self {
        if self.memory_limit_bytes < host_memory {
            return self;
        }
        Self {
            memory_limit_bytes: 0,
            ..self
        }
    }
}

/// The kernel writes "no limit" as the greatest number of pages there could be.
const NO_LIMIT: u64 = 1 << 60;

fn cpu_percent(before: &Stats, now: &Stats) -> f64 {
    let (then, now) = (&before.cpu_stats, &now.cpu_stats);
    let used = now
        .cpu_usage
        .total_usage
        .saturating_sub(then.cpu_usage.total_usage);
    let (Some(system_then), Some(system_now)) = (then.system_cpu_usage, now.system_cpu_usage)
    else {
        return 0.0;
    };
    let passed = system_now.saturating_sub(system_then);
    if passed == 0 {
        return 0.0;
    }
    let n_listed = now.cpu_usage.percpu_usage.as_ref().map_or(1, Vec::len);
    let n_cpus = now
        .online_cpus
        .filter(|n| *n > 0)
        .map_or(float_len(n_listed), f64::from);
    float(used) / float(passed) * n_cpus * 100.0
}

fn throttled_percent(before: &Stats, now: &Stats) -> f64 {
    let (then, now) = (
        &before.cpu_stats.throttling_data,
        &now.cpu_stats.throttling_data,
    );
    let periods = now.periods.saturating_sub(then.periods);
    if periods == 0 {
        return 0.0;
    }
    float(now.throttled_periods.saturating_sub(then.throttled_periods)) / float(periods) * 100.0
}

/// Use without what the kernel would drop first: on version 1 of control groups the number has
/// another name.
fn memory_bytes(memory: &MemoryStats) -> u64 {
    let usage = memory.usage.unwrap_or(0);
    let inactive = named(memory, &["total_inactive_file", "inactive_file"]);
    if inactive < usage {
        usage - inactive
    } else {
        usage
    }
}

fn named(memory: &MemoryStats, names: &[&str]) -> u64 {
    let stats = memory.stats.as_ref();
    names
        .iter()
        .find_map(|name| stats?.get(*name).copied())
        .unwrap_or(0)
}

fn block_bytes(blocks: &BlkioStats, word: &str) -> u64 {
    let entries = blocks
        .io_service_bytes_recursive
        .as_deref()
        .unwrap_or_default();
    let of_word = entries
        .iter()
        .filter(|entry| entry.op.eq_ignore_ascii_case(word));
    of_word
        .map(|entry| entry.value)
        .fold(0, u64::saturating_add)
}

fn seconds_between(before: &Stats, now: &Stats) -> f64 {
    let passed = moment(&before.read)
        .zip(moment(&now.read))
        .map_or(1.0, |(before, now)| {
            now.duration_since(before).as_secs_f64()
        });
    // A clock that was set back makes no endless rates.
    if passed > 0.01 { passed } else { 1.0 }
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn float(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "a number of processors")]
fn float_len(n: usize) -> f64 {
    n as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a difference of counters by a positive time; `as` saturates"
)]
fn whole(rate: f64) -> u64 {
    rate.round() as u64
}

#[cfg(test)]
mod tests {
    use engine_api::stats::{BlkioEntry, NetworkStats};

    use super::*;

    fn sample(second: u64) -> Stats {
        let mut stats = Stats {
            read: format!("2026-01-01T00:00:{second:02}.000000000Z"),
            networks: Some([("eth0".to_owned(), NetworkStats::default())].into()),
            ..Stats::default()
        };
        stats.cpu_stats.online_cpus = Some(4);
        stats.cpu_stats.system_cpu_usage = Some(second * 4_000_000_000);
        stats.cpu_stats.cpu_usage.total_usage = second * 500_000_000;
        stats.cpu_stats.throttling_data.periods = second * 10;
        stats.cpu_stats.throttling_data.throttled_periods = second * 4;
        stats
    }

    #[test]
    fn half_a_core_is_fifty_per_cent() {
        let load = Load::between(&sample(1), &sample(3));
        assert!(
            (load.cpu_percent - 50.0).abs() < 1e-9,
            "{}",
            load.cpu_percent
        );
        assert!((load.throttled_percent - 40.0).abs() < 1e-9);
        assert_eq!(load.at_ms, 1_767_225_603_000);
    }

    #[test]
    fn memory_is_counted_as_docker_counts_it_on_both_layouts() {
        let mut v2 = sample(1);
        v2.memory_stats.usage = Some(100);
        v2.memory_stats.limit = Some(9_223_372_036_854_771_712);
        let stats = [("inactive_file".to_owned(), 30), ("file".to_owned(), 45)];
        v2.memory_stats.stats = Some(stats.into());
        let load = Load::between(&v2, &v2);
        assert_eq!(
            (load.memory_bytes, load.cache_bytes, load.memory_limit_bytes),
            (70, 45, 0)
        );

        let mut v1 = v2;
        let stats = [
            ("total_inactive_file".to_owned(), 40),
            ("inactive_file".to_owned(), 1),
        ];
        v1.memory_stats.stats = Some(stats.into());
        assert_eq!(Load::between(&v1, &v1).memory_bytes, 60);
    }

    #[test]
    fn counters_become_rates() {
        let (before, mut now) = (sample(1), sample(3));
        if let Some(eth0) = now.networks.as_mut().and_then(|all| all.get_mut("eth0")) {
            (eth0.rx_bytes, eth0.tx_bytes) = (2_000, 500);
        }
        let entry = |op: &str, value| BlkioEntry {
            op: op.to_owned(),
            value,
            ..BlkioEntry::default()
        };
        now.blkio_stats.io_service_bytes_recursive = Some(vec![
            entry("Read", 10),
            entry("read", 20),
            entry("Write", 8),
        ]);
        let load = Load::between(&before, &now);
        assert_eq!(
            (load.received_bytes, load.sent_bytes),
            (Some(1_000), Some(250))
        );
        assert_eq!((load.read_bytes, load.written_bytes), (15, 4));
    }

    #[test]
    fn a_container_that_was_started_again_has_no_negative_load() {
        let load = Load::between(&sample(9), &sample(1));
        assert!(load.cpu_percent.abs() < 1e-9 && load.read_bytes == 0);
    }

    #[test]
    fn the_hosts_whole_memory_is_no_limit() {
        let load = |memory_limit_bytes| Load {
            memory_limit_bytes,
            ..Load::default()
        };
        assert_eq!(load(8).limited_below(16), load(8));
        assert_eq!(load(16).limited_below(16), load(0));
    }
}
