//! Limits: what a person asks for, checked, in the words of the runtime.

use std::num::NonZero;

use engine_api::containers::HostConfig;
use engine_runtime::{LogOptions, Resources, Rlimit, profile};

use crate::services::error::{Result, ServiceError};

/// Docker's smallest memory limit; with less a container cannot even start.
const MEMORY_MIN: i64 = 6 << 20;

/// The scheduler's period when a share of processors is asked for.
const CPU_PERIOD_US: u64 = 100_000;

/// The driver that keeps nothing.
const NO_LOG: &str = "none";

const LOG_MAX_FILES: u32 = 1_000;

/// Returns the limits of the control group.
///
/// # Errors
/// Names the option that is out of its range.
pub(super) fn resources(host: &HostConfig) -> Result<Resources> {
    let memory_bytes = memory(host.memory)?;
    let (cpu_quota_us, cpu_period_us) = cpu(host)?;
    Ok(Resources {
        memory_bytes,
        cpu_quota_us,
        cpu_period_us,
        cpu_shares: positive("HostConfig.CpuShares", host.cpu_shares)?,
        pids_limit: pids(host.pids_limit)?,
        ..Resources::default()
    })
}

/// Returns the limits of each process: the profile's, except those that are asked for.
///
/// # Errors
/// Names the limit that is unknown or upside down.
pub(super) fn rlimits(host: &HostConfig) -> Result<Vec<Rlimit>> {
    let mut limits = profile::default_rlimits();
    for asked in host.ulimits.as_deref().unwrap_or_default() {
        if !KNOWN_RLIMITS.contains(&asked.name.as_str()) {
            return Err(bad(format!(
                "HostConfig.Ulimits: unknown limit {:?}",
                asked.name
            )));
        }
        let (soft, hard) = (unlimited(asked.soft), unlimited(asked.hard));
        if soft > hard {
            return Err(bad(format!(
                "HostConfig.Ulimits: the soft limit of {} is above its hard limit",
                asked.name
            )));
        }
        limits.retain(|limit| limit.name != asked.name);
        limits.push(Rlimit {
            name: asked.name.clone(),
            soft,
            hard,
        });
    }
    Ok(limits)
}

/// Returns how much output is kept.
///
/// # Errors
/// Names the option that is unknown or malformed.
pub(super) fn log(host: &HostConfig) -> Result<LogOptions> {
    let config = &host.log_config;
    if config.kind == NO_LOG {
        if let Some(key) = config.config.keys().next() {
            return Err(bad(format!("unknown log opt '{key}' for none log driver")));
        }
        return Ok(LogOptions {
            max_files: 0,
            ..LogOptions::default()
        });
    }
    check_driver(&config.kind)?;
    let mut options = LogOptions::default();
    for (key, value) in &config.config {
        let invalid = || {
            bad(format!(
                "HostConfig.LogConfig.Config: invalid {key} {value:?}"
            ))
        };
        match key.as_str() {
            "max-size" => {
                options.max_bytes = bytes(value).filter(|n| *n > 0).ok_or_else(invalid)?;
            }
            "max-file" => {
                let n_files = value.parse::<u32>().map_err(|_| invalid())?;
                options.max_files = Some(n_files)
                    .filter(|n| (1..=LOG_MAX_FILES).contains(n))
                    .ok_or_else(invalid)?;
            }
            _ => {
                return Err(bad(format!(
                    "HostConfig.LogConfig.Config is not supported yet: {key}"
                )));
            }
        }
    }
    Ok(options)
}

/// Says whether a container's output is not kept at all.
pub(super) fn keeps_no_log(host: &HostConfig) -> bool {
    host.log_config.kind == NO_LOG
}

/// Both drivers that keep output here keep it in the same files; what others would send output
/// to is not here.
fn check_driver(kind: &str) -> Result<()> {
    const ELSEWHERE: [&str; 7] = [
        "awslogs", "etwlogs", "fluentd", "gcplogs", "gelf", "splunk", "syslog",
    ];
    match kind {
        "" | "json-file" | "local" => Ok(()),
        "journald" => Err(bad(
            "HostConfig.LogConfig.Type: the log driver \"journald\" is not supported: output is \
             kept in files of the engine (\"json-file\", \"local\") or not at all (\"none\")",
        )),
        kind if ELSEWHERE.contains(&kind) => Err(bad(format!(
            "HostConfig.LogConfig.Type: the log driver {kind:?} is not supported: this engine \
             sends no output to other machines; \"json-file\", \"local\" and \"none\" are"
        ))),
        kind => Err(bad(format!(
            "error looking up logging plugin {kind}: plugin {kind:?} not found"
        ))),
    }
}

/// Returns the size of `/dev/shm`.
///
/// # Errors
/// When it is negative.
pub(super) fn shm_bytes(host: &HostConfig) -> Result<u64> {
    Ok(positive("HostConfig.ShmSize", host.shm_size)?.unwrap_or(profile::SHM_BYTES))
}

/// Reads a size with an optional unit: `64m`, `1G`, `512kb`.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit {
        "" | "b" => 0,
        "k" | "kb" => 10,
        "m" | "mb" => 20,
        "g" | "gb" => 30,
        "t" | "tb" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

const KNOWN_RLIMITS: &[&str] = &[
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

fn memory(bytes: i64) -> Result<Option<u64>> {
    match positive("HostConfig.Memory", bytes)? {
        Some(_) if bytes < MEMORY_MIN => Err(bad("Minimum memory limit allowed is 6MB")),
        limit => Ok(limit),
    }
}

fn cpu(host: &HostConfig) -> Result<(Option<i64>, Option<u64>)> {
    let quota = positive("HostConfig.CpuQuota", host.cpu_quota.max(0))?;
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
    if quota.is_some() || period.is_some() {
        return Err(bad(
            "Conflicting options: Nano CPUs and CPU Quota or Period cannot both be set",
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

/// Without a word, the profile's limit; -1 is none at all.
fn pids(limit: Option<i64>) -> Result<Option<u64>> {
    match limit {
        None | Some(0) => Ok(Some(profile::PIDS_LIMIT)),
        Some(-1) => Ok(None),
        Some(n) => positive("HostConfig.PidsLimit", n),
    }
}

/// Zero says nothing; a negative number is refused.
fn positive(option: &str, value: i64) -> Result<Option<u64>> {
    match u64::try_from(value) {
        Ok(0) => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(bad(format!(
            "{option} must not be negative, and is {value}"
        ))),
    }
}

fn unlimited(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn bad(message: impl Into<String>) -> ServiceError {
    ServiceError::BadRequest(message.into())
}

#[cfg(test)]
mod tests {
    use engine_api::containers::{LogConfig, Ulimit};

    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused_by_name() {
        let refused = |host: HostConfig| resources(&host).map_err(|e| e.to_string()).err();
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
        let resources = resources(&host).unwrap();
        assert_eq!(
            (resources.cpu_quota_us, resources.cpu_period_us),
            (Some(50_000), Some(100_000))
        );
        assert_eq!(resources.pids_limit, Some(profile::PIDS_LIMIT));
    }

    #[test]
    fn log_options_are_read_and_unknown_ones_refused() {
        let host = |kind: &str, config: &[(&str, &str)]| HostConfig {
            log_config: LogConfig {
                kind: kind.to_owned(),
                config: config
                    .iter()
                    .map(|(k, v)| (k.to_string(), v.to_string()))
                    .collect(),
            },
            ..HostConfig::default()
        };
        let options = log(&host("json-file", &[("max-size", "1m"), ("max-file", "2")])).unwrap();
        assert_eq!((options.max_bytes, options.max_files), (1 << 20, 2));
        assert!(log(&host("syslog", &[])).is_err());
        assert!(log(&host("", &[("labels", "a")])).is_err());
        assert!(log(&host("", &[("max-size", "0")])).is_err());
        assert!(log(&host("", &[("max-file", "0")])).is_err());
    }

    #[test]
    fn an_asked_limit_replaces_the_profiles() {
        let host = |soft, hard| HostConfig {
            ulimits: Some(vec![Ulimit {
                name: "nofile".to_owned(),
                soft,
                hard,
            }]),
            ..HostConfig::default()
        };
        let limits = rlimits(&host(10, 20)).unwrap();
        let nofile: Vec<_> = limits
            .iter()
            .filter(|limit| limit.name == "nofile")
            .collect();
        assert_eq!((nofile.len(), nofile[0].soft, nofile[0].hard), (1, 10, 20));
        assert!(rlimits(&host(20, 10)).is_err());
    }

    #[test]
    fn sizes_are_read_with_units() {
        for (text, value) in [
            ("64m", 64 << 20),
            ("1G", 1 << 30),
            ("512", 512),
            ("2kb", 2048),
        ] {
            assert_eq!(bytes(text), Some(value), "{text}");
        }
        for bad in [
            "",
            "m",
            "-1m",
            "1x",
            "1.5m",
            "99999999999999999999g",
            "20000000t",
        ] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }
}
