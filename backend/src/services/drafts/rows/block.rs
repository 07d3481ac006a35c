//! How fast a container may read and write disks, and the devices it sees.

use engine_api::containers::{DeviceMapping, ThrottleDevice, WeightDevice};

use crate::domain::Rule;
use crate::services::drafts::row::*;
use crate::services::drafts::rules;
use crate::services::drafts::size::{format_size, parse_size};

pub(in crate::services::drafts) const ROWS: &[Row] = &[
    number!(
        "blkio_weight",
        long("blkio-weight"),
        host_config.blkio_weight,
        |n: i64| n.to_string(),
        within(10, 1_000)
    ),
    things!(
        "blkio_weight_device",
        long("blkio-weight-device"),
        host_config.blkio_weight_device,
        |one: &WeightDevice| format!("{}:{}", one.path, one.weight),
        weight
    ),
    things!(
        "device_read_bps",
        long("device-read-bps"),
        host_config.blkio_device_read_bps,
        bytes_text,
        bytes
    ),
    things!(
        "device_write_bps",
        long("device-write-bps"),
        host_config.blkio_device_write_bps,
        bytes_text,
        bytes
    ),
    things!(
        "device_read_iops",
        long("device-read-iops"),
        host_config.blkio_device_read_iops,
        operations_text,
        operations
    ),
    things!(
        "device_write_iops",
        long("device-write-iops"),
        host_config.blkio_device_write_iops,
        operations_text,
        operations
    ),
    things!(
        "devices",
        long("device"),
        host_config.devices,
        device_text,
        device
    ),
    maybe_list!(
        "device_rules",
        long("device-cgroup-rule"),
        Kind::Lines,
        host_config.device_cgroup_rules,
        device_rule
    ),
];

fn split(line: &str) -> Result<(&str, &str), Rule> {
    let (path, value) = line.trim().rsplit_once(':').ok_or(Rule::DeviceRate)?;
    if path.starts_with('/') {
        Ok((path, value))
    } else {
        Err(Rule::DeviceRate)
    }
}

fn weight(line: &str) -> Result<WeightDevice, Rule> {
    let (path, value) = split(line)?;
    Ok(WeightDevice {
        path: path.to_owned(),
        weight: rules::whole(value, 0, 1_000)?,
    })
}

fn bytes(line: &str) -> Result<ThrottleDevice, Rule> {
    let (path, value) = split(line)?;
    let rate = parse_size(value).and_then(|bytes| u64::try_from(bytes).ok());
    Ok(ThrottleDevice {
        path: path.to_owned(),
        rate: rate.ok_or(Rule::DeviceRate)?,
    })
}

fn bytes_text(one: &ThrottleDevice) -> String {
    let rate = i64::try_from(one.rate).map_or_else(|_| one.rate.to_string(), format_size);
    format!("{}:{rate}", one.path)
}

fn operations(line: &str) -> Result<ThrottleDevice, Rule> {
    let (path, value) = split(line)?;
    Ok(ThrottleDevice {
        path: path.to_owned(),
        rate: value.parse().map_err(|_| Rule::DeviceRate)?,
    })
}

fn operations_text(one: &ThrottleDevice) -> String {
    format!("{}:{}", one.path, one.rate)
}

/// `/dev/fuse`, `/dev/sda:/dev/xvda`, `/dev/sda:/dev/xvda:r`, `/dev/fuse:rw`
fn device(line: &str) -> Result<DeviceMapping, Rule> {
    let is_access = |word: &str| !word.is_empty() && word.chars().all(|c| "rwm".contains(c));
    let parts: Vec<&str> = line.trim().split(':').collect();
    let (host, inside, access) = match parts[..] {
        [host] => (host, host, "rwm"),
        [host, access] if is_access(access) => (host, host, access),
        [host, inside] => (host, inside, "rwm"),
        [host, inside, access] if is_access(access) => (host, inside, access),
        _ => return Err(Rule::Device),
    };
    if !host.starts_with('/') || !inside.starts_with('/') {
        return Err(Rule::Device);
    }
    Ok(DeviceMapping {
        path_on_host: host.to_owned(),
        path_in_container: inside.to_owned(),
        cgroup_permissions: access.to_owned(),
    })
}

fn device_text(one: &DeviceMapping) -> String {
    let (host, inside) = (&one.path_on_host, &one.path_in_container);
    match (host == inside, one.cgroup_permissions.as_str()) {
        (true, "rwm") => host.clone(),
        (true, access) => format!("{host}:{access}"),
        (false, "rwm") => format!("{host}:{inside}"),
        (false, access) => format!("{host}:{inside}:{access}"),
    }
}

/// `c 10:229 rwm`
fn device_rule(line: &str) -> Result<String, Rule> {
    let line = line.trim();
    let parts: Vec<&str> = line.split(' ').collect();
    match parts[..] {
        ["a" | "b" | "c", numbers, access]
            if numbers.contains(':') && access.chars().all(|c| "rwm".contains(c)) =>
        {
            Ok(line.to_owned())
        }
        _ => Err(Rule::DeviceRule),
    }
}
