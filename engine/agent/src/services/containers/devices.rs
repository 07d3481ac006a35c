//! Devices of the host: which are there, and what may be done with them.

use std::path::{Component, Path};

use engine_api::containers::{DeviceMapping, DeviceRequest, HostConfig};
use engine_runtime::cgroups::{Access, DeviceKind, DeviceRule};
use engine_runtime::{DeviceNode, Devices, devices};

use crate::services::error::{Result, ServiceError};

/// Returns the devices of a container beside those that every container has.
///
/// # Errors
/// Names the device that is not there or the rule that is malformed.
pub(super) fn of(host: &HostConfig) -> Result<Devices> {
    refuse_requests(host.device_requests.as_deref().unwrap_or_default())?;
    let mut found = Devices::default();
    for mapping in &host.devices {
        let access = access("HostConfig.Devices", &mapping.cgroup_permissions)?;
        let nodes = mapped(mapping)?;
        found
            .rules
            .extend(nodes.iter().map(|node| node.rule(access)));
        add(&mut found.nodes, nodes);
    }
    for rule in host.device_cgroup_rules.as_deref().unwrap_or_default() {
        found.rules.extend(rules(rule)?);
    }
    if host.privileged {
        add(&mut found.nodes, devices::all());
        found.rules.extend(every_device(Access::ALL));
    }
    found.rules = joined(&found.rules);
    Ok(found)
}

/// Adds nodes whose paths are free.
fn add(nodes: &mut Vec<DeviceNode>, more: Vec<DeviceNode>) {
    for node in more {
        if !nodes.iter().any(|known| known.path == node.path) {
            nodes.push(node);
        }
    }
}

/// No driver that chooses devices is there; Docker's own words.
fn refuse_requests(requests: &[DeviceRequest]) -> Result<()> {
    let Some(request) = requests.first() else {
        return Ok(());
    };
    let capabilities = request.capabilities.as_deref().unwrap_or_default();
    let sets: Vec<String> = capabilities
        .iter()
        .map(|set| format!("[{}]", set.join(" ")))
        .collect();
    Err(bad(format!(
        "could not select device driver {:?} with capabilities: [{}]",
        request.driver,
        sets.join(" ")
    )))
}

fn mapped(mapping: &DeviceMapping) -> Result<Vec<DeviceNode>> {
    let source = Path::new(&mapping.path_on_host);
    let inside = match mapping.path_in_container.as_str() {
        "" => &mapping.path_on_host,
        inside => inside,
    };
    let refused = |why: &str| {
        Err(bad(format!(
            "error gathering device information while adding custom device {:?}: {why}",
            mapping.path_on_host
        )))
    };
    if !source.is_absolute() || mapping.path_on_host.contains('\0') {
        return refused("it is not an absolute path");
    }
    let plain = Path::new(inside)
        .components()
        .all(|c| matches!(c, Component::RootDir | Component::Normal(_)));
    let is_kernels = ["/proc", "/sys"]
        .iter()
        .any(|kernel| Path::new(inside).starts_with(kernel));
    if !inside.starts_with('/') || inside == "/" || !plain || is_kernels || inside.contains('\0') {
        return refused(&format!("{inside:?} is no path for a device"));
    }
    match devices::at(source, inside) {
        Ok(nodes) => Ok(nodes),
        Err(devices::DeviceError::Look { source, .. }) => {
            let text = match source.kind() {
                std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
                _ => source.to_string(),
            };
            refused(&text)
        }
        Err(_) => refused("not a device node"),
    }
}

/// Reads letters of `rwm`; none means all three.
fn access(option: &str, letters: &str) -> Result<Access> {
    if letters.is_empty() {
        return Ok(Access::ALL);
    }
    if letters.len() > 3 || !letters.bytes().all(|b| b"rwm".contains(&b)) {
        return Err(bad(format!(
            "{option}: invalid device mode: {letters:?}, letters of rwm are needed"
        )));
    }
    Ok(Access {
        read: letters.contains('r'),
        write: letters.contains('w'),
        mknod: letters.contains('m'),
    })
}

/// Reads a rule such as `c 10:* rwm`; `a` stands for both kinds.
fn rules(text: &str) -> Result<Vec<DeviceRule>> {
    let refused = || {
        bad(format!(
            "invalid device cgroup rule format: '{text}'; one such as 'c 10:* rwm' is needed"
        ))
    };
    let number = |text: &str| match text {
        "*" => Ok(None),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.parse::<u32>().map(Some).map_err(|_| refused())
        }
        _ => Err(refused()),
    };
    let words: Vec<&str> = text.split(' ').collect();
    let [kind, numbers, letters] = words[..] else {
        return Err(refused());
    };
    let (major, minor) = numbers.split_once(':').ok_or_else(refused)?;
    let (major, minor) = (number(major)?, number(minor)?);
    if letters.is_empty() {
        return Err(refused());
    }
    let access = access("HostConfig.DeviceCgroupRules", letters)?;
    let kinds: &[DeviceKind] = match kind {
        "c" => &[DeviceKind::Character],
        "b" => &[DeviceKind::Block],
        "a" => &[DeviceKind::Character, DeviceKind::Block],
        _ => return Err(refused()),
    };
    let rule = |kind: &DeviceKind| DeviceRule {
        kind: *kind,
        major,
        minor,
        access,
    };
    Ok(kinds.iter().map(rule).collect())
}

fn every_device(access: Access) -> [DeviceRule; 2] {
    [DeviceKind::Character, DeviceKind::Block].map(|kind| DeviceRule {
        kind,
        major: None,
        minor: None,
        access,
    })
}

/// Joins rules about the same devices to one that allows what each allows, as version 1 does.
fn joined(rules: &[DeviceRule]) -> Vec<DeviceRule> {
    let mut all: Vec<DeviceRule> = Vec::new();
    for rule in rules {
        let same = |one: &&mut DeviceRule| {
            (one.kind, one.major, one.minor) == (rule.kind, rule.major, rule.minor)
        };
        match all.iter_mut().find(same) {
            None => all.push(*rule),
            Some(known) => {
                known.access.read |= rule.access.read;
                known.access.write |= rule.access.write;
                known.access.mknod |= rule.access.mknod;
            }
        }
    }
    all
}

fn bad(message: String) -> ServiceError {
    ServiceError::BadRequest(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(rules: &[&str]) -> Result<Vec<String>> {
        let host = HostConfig {
            device_cgroup_rules: Some(rules.iter().map(ToString::to_string).collect()),
            ..HostConfig::default()
        };
        Ok(of(&host)?.rules.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn rules_are_read_and_those_about_the_same_are_joined() {
        let rules = words(&["c 10:* r", "c 10:* wm", "a 7:1 m"]).unwrap();
        assert_eq!(rules, ["c 10:* rwm", "c 7:1 m", "b 7:1 m"]);
    }

    #[test]
    fn malformed_rules_are_refused() {
        for rule in [
            "",
            "c 10:*",
            "d 1:1 r",
            "c 1 r",
            "c 1:1 x",
            "c 1:1 rwmr",
            "c -1:1 r",
            "c 99999999999:1 r",
            "c 1:1  r",
            "c :1 r",
        ] {
            assert!(words(&[rule]).is_err(), "{rule:?}");
        }
    }

    fn device(source: &str, inside: &str, letters: &str) -> Result<Devices> {
        of(&HostConfig {
            devices: vec![DeviceMapping {
                path_on_host: source.to_owned(),
                path_in_container: inside.to_owned(),
                cgroup_permissions: letters.to_owned(),
            }],
            ..HostConfig::default()
        })
    }

    #[test]
    fn a_device_keeps_its_numbers_under_another_path() {
        let found = device("/dev/full", "/dev/brimming", "r").unwrap();
        assert_eq!(found.nodes[0].path, "/dev/brimming");
        assert_eq!(found.rules[0].to_string(), "c 1:7 r");
    }

    #[test]
    fn what_is_no_device_is_refused_by_name() {
        for (source, inside, letters) in [
            ("/dev/nothing-here", "", ""),
            ("/etc/passwd", "", ""),
            ("dev/full", "", ""),
            ("/dev/full", "/proc/x", ""),
            ("/dev/full", "/a/../b", ""),
            ("/dev/full", "", "rwx"),
        ] {
            assert!(
                device(source, inside, letters).is_err(),
                "{source} {inside}"
            );
        }
    }
}
