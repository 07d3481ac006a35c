//! How much of its machine a container may use.

use engine_api::containers::Ulimit;

use crate::domain::Rule;
use crate::services::drafts::row::*;
use crate::services::drafts::rules::{self, format_cpus};
use crate::services::drafts::size::format_size;

pub(in crate::services::drafts) const ROWS: &[Row] = &[
    number!(
        "memory",
        short('m', "memory"),
        host_config.memory,
        format_size,
        rules::memory
    ),
    number!(
        "memory_reservation",
        long("memory-reservation"),
        host_config.memory_reservation,
        format_size,
        rules::memory
    ),
    number!(
        "memory_swap",
        long("memory-swap"),
        host_config.memory_swap,
        format_size,
        rules::size_or_unlimited
    ),
    maybe_number!(
        "memory_swappiness",
        long("memory-swappiness"),
        host_config.memory_swappiness,
        within(0, 100)
    ),
    maybe_switch!(
        "oom_kill_disable",
        long("oom-kill-disable"),
        host_config.oom_kill_disable
    ),
    number!(
        "oom_score_adj",
        long("oom-score-adj"),
        host_config.oom_score_adj,
        |n: i64| n.to_string(),
        within(-1_000, 1_000)
    ),
    number!(
        "cpus",
        long("cpus"),
        host_config.nano_cpus,
        format_cpus,
        rules::cpus
    ),
    number!(
        "cpu_shares",
        short('c', "cpu-shares"),
        host_config.cpu_shares,
        |n: i64| n.to_string(),
        within(2, 262_144)
    ),
    number!(
        "cpu_period",
        long("cpu-period"),
        host_config.cpu_period,
        |n: i64| n.to_string(),
        within(1_000, 1_000_000)
    ),
    number!(
        "cpu_quota",
        long("cpu-quota"),
        host_config.cpu_quota,
        |n: i64| n.to_string(),
        within(-1, i64::MAX)
    ),
    number!(
        "cpu_rt_period",
        long("cpu-rt-period"),
        host_config.cpu_realtime_period,
        |n: i64| n.to_string(),
        within(1, i64::MAX)
    ),
    number!(
        "cpu_rt_runtime",
        long("cpu-rt-runtime"),
        host_config.cpu_realtime_runtime,
        |n: i64| n.to_string(),
        within(1, i64::MAX)
    ),
    text!(
        "cpuset_cpus",
        long("cpuset-cpus"),
        host_config.cpuset_cpus,
        cpuset
    ),
    text!(
        "cpuset_mems",
        long("cpuset-mems"),
        host_config.cpuset_mems,
        cpuset
    ),
    maybe_number!(
        "pids",
        long("pids-limit"),
        host_config.pids_limit,
        within(-1, 4_194_304)
    ),
    Row {
        field: "ulimits",
        member: "ulimits",
        flag: long("ulimit"),
        kind: Kind::Lines,
        get: |body| {
            let all = body.host_config.ulimits.iter().flatten();
            all.map(|one| speak(one, ulimit_text, ulimit)).collect()
        },
        set: |body, items| {
            body.host_config.ulimits = some(each(items, |item| hear(item, ulimit))?);
            Ok(())
        },
        ..PLAIN
    },
    switch!("read_only", long("read-only"), host_config.readonly_rootfs),
];

/// `0-3,6`
fn cpuset(text: &str) -> Result<String, Rule> {
    let is_list = text
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, ',' | '-'));
    if is_list && text.starts_with(|c: char| c.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err(Rule::Cpuset)
    }
}

/// `nofile=1024:4096`
fn ulimit(line: &str) -> Result<Ulimit, Rule> {
    let (name, limits) = line.trim().split_once('=').ok_or(Rule::Ulimit)?;
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let limit = |text| rules::whole(text, -1, i64::MAX).map_err(|_| Rule::Ulimit);
    Ok(Ulimit {
        name: rules::word(name)?,
        soft: limit(soft)?,
        hard: limit(hard)?,
    })
}

fn ulimit_text(limit: &Ulimit) -> String {
    format!("{}={}:{}", limit.name, limit.soft, limit.hard)
}
