//! What a container sees around it: network, names, namespaces, the log.

use engine_api::containers::Empty;

use crate::domain::Rule;
use crate::services::drafts::row::*;
use crate::services::drafts::rules::{self, choice, mode, unless};
use crate::services::drafts::size::parse_size;

pub(in crate::services::drafts) const ROWS: &[Row] = &[
    text!(
        "network",
        long("network"),
        host_config.network_mode,
        unless("bridge", rules::network)
    ),
    text!(
        "hostname",
        short('h', "hostname"),
        config.hostname,
        rules::hostname
    ),
    text!(
        "domainname",
        long("domainname"),
        config.domainname,
        rules::hostname
    ),
    maybe_list!(
        "extra_hosts",
        long("add-host"),
        Kind::Lines,
        host_config.extra_hosts,
        rules::extra_host
    ),
    Row {
        field: "expose",
        member: "exposedports",
        flag: long("expose"),
        kind: Kind::Words,
        get: |body| body.config.exposed_ports.keys().cloned().collect(),
        set: |body, items| {
            let ports = each(items, port)?;
            body.config.exposed_ports = ports.into_iter().map(|port| (port, Empty {})).collect();
            Ok(())
        },
        ..PLAIN
    },
    text!(
        "pid_mode",
        long("pid"),
        host_config.pid_mode,
        mode(&["host"])
    ),
    text!(
        "ipc_mode",
        long("ipc"),
        host_config.ipc_mode,
        unless("private", mode(&["shareable", "host", "none"]))
    ),
    text!(
        "uts_mode",
        long("uts"),
        host_config.uts_mode,
        choice(&["host"])
    ),
    text!(
        "cgroupns_mode",
        long("cgroupns"),
        host_config.cgroupns_mode,
        unless("private", choice(&["host"]))
    ),
    text!(
        "userns_mode",
        long("userns"),
        host_config.userns_mode,
        rules::word
    ),
    text!(
        "cgroup_parent",
        long("cgroup-parent"),
        host_config.cgroup_parent,
        rules::word
    ),
    Row {
        field: "sysctls",
        member: "sysctls",
        flag: long("sysctl"),
        kind: Kind::Lines,
        get: |body| {
            let map = body.host_config.sysctls.iter().flatten();
            pairs(map, equals, sysctl)
        },
        set: |body, items| {
            let map: std::collections::BTreeMap<_, _> = map(items, sysctl)?;
            body.host_config.sysctls = (!map.is_empty()).then_some(map);
            Ok(())
        },
        ..PLAIN
    },
    Row {
        field: "log_driver",
        member: "logconfig",
        flag: long("log-driver"),
        get: |body| one(&body.host_config.log_config.kind),
        set: |body, items| {
            let rule = unless("json-file", choice(&["local", "none"]));
            body.host_config.log_config.kind = first(items, rule)?;
            Ok(())
        },
        ..PLAIN
    },
    Row {
        field: "log_max_size",
        flag: long("log-opt"),
        get: |body| log_option(body, "max-size"),
        set: |body, items| {
            let rule = |text: &str| {
                let is_size = parse_size(text).is_some_and(|bytes| bytes > 0);
                is_size.then(|| text.to_owned()).ok_or(Rule::Size)
            };
            set_log_option(body, "max-size", first(items, rule)?);
            Ok(())
        },
        said: |item| Some(format!("max-size={item}")),
        heard: |value| value.strip_prefix("max-size=").map(str::to_owned),
        ..PLAIN
    },
    Row {
        field: "log_max_files",
        flag: long("log-opt"),
        get: |body| log_option(body, "max-file"),
        set: |body, items| {
            let rule = |text: &str| rules::whole(text, 1, 1_000).map(|n| n.to_string());
            set_log_option(body, "max-file", first(items, rule)?);
            Ok(())
        },
        said: |item| Some(format!("max-file={item}")),
        heard: |value| value.strip_prefix("max-file=").map(str::to_owned),
        ..PLAIN
    },
];

fn log_option(body: &engine_api::containers::CreateBody, key: &str) -> Vec<String> {
    let options = &body.host_config.log_config.config;
    options.get(key).map(|value| one(value)).unwrap_or_default()
}

fn set_log_option(body: &mut engine_api::containers::CreateBody, key: &str, value: String) {
    let options = &mut body.host_config.log_config.config;
    if value.is_empty() {
        options.remove(key);
    } else {
        options.insert(key.to_owned(), value);
    }
}

/// `80` or `80/udp`.
fn port(word: &str) -> Result<String, Rule> {
    let (number, protocol) = word.split_once('/').unwrap_or((word, "tcp"));
    let number = rules::whole(number, 1, 65_535).map_err(|_| Rule::Port)?;
    if matches!(protocol, "tcp" | "udp" | "sctp") {
        Ok(format!("{number}/{protocol}"))
    } else {
        Err(Rule::Port)
    }
}

/// A setting of the kernel: a name with dots and its value.
fn sysctl(line: &str) -> Result<(String, String), Rule> {
    match rules::pair(line)? {
        (name, value) if !value.is_empty() && name.contains('.') => Ok((name, value)),
        _ => Err(Rule::Sysctl),
    }
}
