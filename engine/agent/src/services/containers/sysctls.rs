//! Kernel settings of a container's own namespaces.

use engine_api::containers::HostConfig;

use crate::services::error::{Result, ServiceError};

/// Settings of the IPC namespace by name; the rest of it begins with `fs.mqueue.`.
const IPC: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// Returns the settings as paths below `/proc/sys` with their values.
///
/// # Errors
/// Names the setting that belongs to no namespace of the container's own, and so to the host.
pub(super) fn of(host: &HostConfig) -> Result<Vec<(String, String)>> {
    let own_ipc = matches!(
        host.ipc_mode.as_str(),
        "" | "private" | "shareable" | "none"
    );
    let mut settings = Vec::new();
    for (name, value) in host.sysctls.iter().flatten() {
        let dotted = dotted(name);
        let refused = |why: &str| {
            Err(ServiceError::BadRequest(format!(
                "HostConfig.Sysctls: sysctl '{name}' is not allowed: {why}"
            )))
        };
        let is_ipc = IPC.contains(&dotted.as_str()) || dotted.starts_with("fs.mqueue.");
        if is_ipc && !own_ipc {
            return refused("it is not in a separate kernel namespace, since IpcMode shares one");
        }
        if !is_ipc && !dotted.starts_with("net.") {
            return refused("it belongs to no namespace of the container's own");
        }
        if !is_ipc && host.network_mode == "host" {
            return refused("it is not allowed in the host's network namespace");
        }
        // A dot inside a part, as in the name of a VLAN, is a slash in the dotted form.
        let parts: Vec<String> = dotted.split('.').map(|one| one.replace('/', ".")).collect();
        if parts
            .iter()
            .any(|part| matches!(part.as_str(), "" | "." | ".."))
        {
            return refused("it is no name of a setting");
        }
        if name.contains('\0') || value.contains(['\0', '\n']) {
            return refused("its value holds a zero byte or a line break");
        }
        settings.push((parts.join("/"), value.clone()));
    }
    Ok(settings)
}

/// Returns the name with dots between its parts; with slashes first, as sysctl(8) takes it too,
/// the two are exchanged.
fn dotted(name: &str) -> String {
    let is_slashed = name
        .find(['.', '/'])
        .is_some_and(|at| name[at..].starts_with('/'));
    if !is_slashed {
        return name.to_owned();
    }
    let exchange = |c: char| match c {
        '/' => '.',
        '.' => '/',
        other => other,
    };
    name.chars().map(exchange).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(ipc: &str, network: &str, name: &str) -> Result<String> {
        let host = HostConfig {
            ipc_mode: ipc.to_owned(),
            network_mode: network.to_owned(),
            sysctls: Some([(name.to_owned(), "1".to_owned())].into()),
            ..HostConfig::default()
        };
        of(&host).map(|mut all| all.remove(0).0)
    }

    #[test]
    fn names_in_both_forms_are_paths() {
        for (name, path) in [
            ("kernel.shmmax", "kernel/shmmax"),
            ("kernel/sem", "kernel/sem"),
            ("fs.mqueue.msg_max", "fs/mqueue/msg_max"),
            ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
            (
                "net.ipv4.conf.eth0/100.rp_filter",
                "net/ipv4/conf/eth0.100/rp_filter",
            ),
            (
                "net/ipv4/conf/eth0.100/rp_filter",
                "net/ipv4/conf/eth0.100/rp_filter",
            ),
        ] {
            assert_eq!(paths("private", "none", name).unwrap(), path);
        }
    }

    #[test]
    fn what_is_the_hosts_is_refused_by_name() {
        for (ipc, network, name) in [
            ("private", "none", "kernel.panic"),
            ("private", "none", "vm.swappiness"),
            ("private", "none", "kernel.shmmax.x"),
            ("host", "none", "kernel.shmmax"),
            ("container:a", "none", "fs.mqueue.msg_max"),
            ("private", "host", "net.ipv4.ip_forward"),
            ("private", "none", "net..x"),
            ("private", "none", "net.//.x"),
            ("private", "none", ""),
        ] {
            let error = paths(ipc, network, name).unwrap_err().to_string();
            assert!(error.contains(&format!("'{name}'")), "{error}");
        }
    }
}
