//! Limits: what a person asks for, checked, in the words of the runtime.

use engine_api::containers::HostConfig;
use engine_runtime::{LogOptions, Rlimit, profile, rlimit_most};

use super::registry::Powers;
use crate::services::error::{Result, ServiceError};

/// The driver that keeps nothing.
const NO_LOG: &str = "none";

const LOG_MAX_FILES: u32 = 1_000;

/// Returns the limits of each process: the profile's, except those that are asked for.
///
/// # Errors
/// Names the limit that is unknown, upside down or beyond what this machine can give.
pub(super) fn rlimits(powers: &Powers, host: &HostConfig) -> Result<Vec<Rlimit>> {
    let mut limits = profile::default_rlimits();
    for asked in host.ulimits.as_deref().unwrap_or_default() {
        if !KNOWN_RLIMITS.contains(&asked.name.as_str()) {
            return Err(bad(format!(
                "HostConfig.Ulimits: unknown limit {:?}",
                asked.name
            )));
        }
        let (soft, hard) = (
            unlimited(&asked.name, asked.soft)?,
            unlimited(&asked.name, asked.hard)?,
        );
        if soft > hard {
            return Err(bad(format!(
                "HostConfig.Ulimits: the soft limit of {} is above its hard limit",
                asked.name
            )));
        }
        let most = rlimit_most(&asked.name);
        if hard > most && !powers.can_raise_limits() {
            return Err(bad(format!(
                "HostConfig.Ulimits: this machine cannot give {} a hard limit of {}: the engine \
                 itself has {most} and lacks CAP_SYS_RESOURCE to raise it",
                asked.name, asked.hard
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

/// Returns the size of `/dev/shm`; zero means that there is none.
///
/// # Errors
/// When it is negative.
pub(super) fn shm_bytes(host: &HostConfig) -> Result<u64> {
    let asked = positive("HostConfig.ShmSize", host.shm_size)?;
    if host.ipc_mode == "none" {
        return Ok(0);
    }
    Ok(asked.unwrap_or(profile::SHM_BYTES))
}

/// Reads a size with an optional unit: `64m`, `1G`, `512kb`, `1.5 GiB`.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.strip_prefix(' ').unwrap_or(unit) {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        "p" | "pb" | "pib" => 50,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let part_of = 10_u128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let part = (part.parse::<u128>().ok()?.checked_mul(1 << shift)?) / part_of;
    let whole = whole.parse::<u64>().ok()?.checked_mul(1 << shift)?;
    whole.checked_add(u64::try_from(part).ok()?)
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

/// Zero says nothing; a negative number is refused.
pub(super) fn positive(option: &str, value: i64) -> Result<Option<u64>> {
    match u64::try_from(value) {
        Ok(0) => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(bad(format!(
            "{option} must not be negative, and is {value}"
        ))),
    }
}

/// Docker's -1 is "without limit".
fn unlimited(name: &str, value: i64) -> Result<u64> {
    match value {
        -1 => Ok(u64::MAX),
        value => u64::try_from(value).map_err(|_| {
            bad(format!(
                "HostConfig.Ulimits: {name} must be -1 or more, and is {value}"
            ))
        }),
    }
}

pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn bad(message: impl Into<String>) -> ServiceError {
    ServiceError::BadRequest(message.into())
}

#[cfg(test)]
mod tests {
    use engine_api::containers::{LogConfig, Ulimit};

    use super::*;

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
        let limits = rlimits(&Powers::default(), &host(10, 20)).unwrap();
        let nofile: Vec<_> = limits
            .iter()
            .filter(|limit| limit.name == "nofile")
            .collect();
        assert_eq!((nofile.len(), nofile[0].soft, nofile[0].hard), (1, 10, 20));
        assert!(rlimits(&Powers::default(), &host(20, 10)).is_err());
        assert!(rlimits(&Powers::default(), &host(-2, 10)).is_err());
    }

    #[test]
    fn sizes_are_read_with_units() {
        for (text, value) in [
            ("64m", 64 << 20),
            ("1G", 1 << 30),
            ("512", 512),
            ("2kb", 2048),
            ("1.5 MiB", 3 << 19),
        ] {
            assert_eq!(bytes(text), Some(value), "{text}");
        }
        for bad in ["", "m", "-1m", "1x", "99999999999999999999g", "20000000t"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }
}
