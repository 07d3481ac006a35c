//! Whose namespaces a container lives in.

use engine_api::containers::{ContainerConfig, HostConfig};
use engine_runtime::{Member, Namespace, Phase, Sharing};

use super::registry::{Containers, Site};
use super::users;
use crate::records::ContainerRecord;
use crate::services::error::{Result, ServiceError};

/// How another container is named.
const OF: &str = "container:";

/// What the answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To see whether it could be; containers that are shared with need not run.
    Check,
    /// To start.
    Start,
}

impl Containers {
    /// Writes the defaults into the wish, and ids in the place of other containers' names.
    ///
    /// # Errors
    /// Names the mode that is unknown, and the container that is not there.
    pub(super) fn settle_sharing(
        &self,
        config: &ContainerConfig,
        host: &mut HostConfig,
    ) -> Result<()> {
        for (mode, default) in [
            (&mut host.ipc_mode, "private"),
            (&mut host.cgroupns_mode, "private"),
        ] {
            if mode.is_empty() {
                default.clone_into(mode);
            }
        }
        for mode in [&mut host.ipc_mode, &mut host.pid_mode] {
            if let Some(reference) = mode.strip_prefix(OF) {
                *mode = format!("{OF}{}", self.find(reference)?.id);
            }
        }
        if !matches!(host.userns_mode.as_str(), "" | "host") {
            return Err(bad(format!(
                "HostConfig.UsernsMode: invalid userns mode: {:?}; it is \"host\", or nothing \
                 for what the engine is set to (--userns-remap)",
                host.userns_mode
            )));
        }
        if host.uts_mode == "host" && !(config.hostname.is_empty() && config.domainname.is_empty())
        {
            return Err(bad("conflicting options: hostname and the UTS mode"));
        }
        Ok(())
    }
}

/// Returns the namespaces of a container.
///
/// # Errors
/// Names the mode that is unknown, and the container that does not run or does not share.
pub(super) fn of(site: &Site, record: &ContainerRecord, purpose: Purpose) -> Result<Sharing> {
    let host = &record.host_config;
    let ipc = match host.ipc_mode.as_str() {
        "" | "private" | "shareable" | "none" => Namespace::Own,
        "host" => Namespace::Host,
        mode => member(site, record, ("IPC", mode), purpose)?,
    };
    let pid = match host.pid_mode.as_str() {
        "" | "private" => Namespace::Own,
        "host" => Namespace::Host,
        mode => member(site, record, ("PID", mode), purpose)?,
    };
    let uts = match host.uts_mode.as_str() {
        "" | "private" => Namespace::Own,
        "host" => Namespace::Host,
        mode => return Err(bad(format!("HostConfig.UTSMode: invalid UTS mode: {mode}"))),
    };
    let cgroup = match host.cgroupns_mode.as_str() {
        "" | "private" => Namespace::Own,
        "host" => Namespace::Host,
        mode => {
            return Err(bad(format!(
                "HostConfig.CgroupnsMode: invalid cgroup namespace mode: {mode}"
            )));
        }
    };
    Ok(Sharing {
        pid,
        ipc,
        uts,
        cgroup,
    })
}

fn member(
    site: &Site,
    record: &ContainerRecord,
    (kind, mode): (&str, &str),
    purpose: Purpose,
) -> Result<Namespace> {
    let Some(id) = mode.strip_prefix(OF) else {
        return Err(bad(format!("invalid {kind} mode: {mode}")));
    };
    let none = || ServiceError::NoSuchContainer(id.to_owned());
    let view = site.by_id(id).ok_or_else(none)?.view();
    let theirs = &view.record.host_config;
    if kind == "IPC" && theirs.ipc_mode != "shareable" {
        return Err(ServiceError::Conflict(format!(
            "cannot join IPC of container {id}: non-shareable IPC (hint: use IpcMode:shareable for \
             the donor container)"
        )));
    }
    users::check_together(record, &view.record)?;
    match (&view.phase, purpose) {
        (Phase::Running { pid, .. }, _) => Ok(Namespace::Of(Member {
            pid: *pid,
            cgroup: site.cgroup(&view.record),
        })),
        (_, Purpose::Check) => Ok(Namespace::Of(Member {
            pid: 0,
            cgroup: String::new(),
        })),
        (_, Purpose::Start) => Err(ServiceError::Conflict(format!(
            "cannot join {kind} of a non running container: {id}"
        ))),
    }
}

fn bad(message: impl Into<String>) -> ServiceError {
    ServiceError::BadRequest(message.into())
}
