//! Everything that is known of one container, in Docker's words.

use std::collections::BTreeMap;

use engine_api::containers::{Container, ContainerState, GraphDriver, ZERO_TIME};
use engine_api::options::{CREATE, fill_host_defaults};
use engine_api::ours::GantryFacts;
use engine_runtime::Phase;
use engine_storage::Snapshot;
use serde_json::Value;

use super::registry::{Containers, Site};
use super::view::{View, as_i64};
use super::{etc, limits, process, security, volumes};
use crate::clock::rfc3339;
use crate::records::ContainerRecord;
use crate::services::error::{Result, ServiceError};
use crate::tasks::blocking;

/// The driver's name that clients look for.
pub(crate) const DRIVER: &str = "overlay2";

impl Containers {
    /// Returns everything that is known of a container; with sizes if asked, which takes longer.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) async fn inspect(&self, reference: &str, with_size: bool) -> Result<Container> {
        let view = self.find(reference)?.view();
        let mut container = describe(&self.site, &view)?;
        if with_size {
            let dir = self.site.store.dir_of(&view.record.id);
            let size = blocking(move || Snapshot::at(&dir).usage())
                .await
                .map_err(ServiceError::failed("measure the container"))?;
            let bytes = i64::try_from(size.size_bytes).unwrap_or(i64::MAX);
            container.size_rw = Some(bytes);
            let below = self.images.bytes_of(&view.record.layers);
            let below = i64::try_from(below).unwrap_or(i64::MAX);
            container.size_root_fs = Some(bytes.saturating_add(below));
        }
        Ok(container)
    }
}

fn describe(site: &Site, view: &View) -> Result<Container> {
    let record = &view.record;
    let arguments = process::arguments(&record.config);
    let (path, args) = arguments
        .split_first()
        .map_or_else(Default::default, |(path, args)| {
            (path.clone(), args.to_vec())
        });
    let etc = |name: &str| match view.phase {
        Phase::Created => String::new(),
        _ => etc::path(site, record, name).display().to_string(),
    };
    Ok(Container {
        id: record.id.to_string(),
        created: rfc3339(record.created_ns),
        path,
        args,
        state: state(view),
        restart_count: view.life.restart_count,
        gantry: GantryFacts {
            last_stop: view.life.last_stop.clone(),
        },
        image: record.image_id.clone(),
        resolv_conf_path: etc("resolv.conf"),
        hostname_path: etc("hostname"),
        hosts_path: etc("hosts"),
        log_path: if limits::keeps_no_log(&record.host_config) {
            String::new()
        } else {
            site.bundle(&record.id).log().display().to_string()
        },
        name: format!("/{}", record.name),
        driver: DRIVER.to_owned(),
        platform: record.platform.clone(),
        exec_ids: (!view.exec_ids.is_empty()).then(|| view.exec_ids.clone()),
        app_armor_profile: security::read(&record.host_config)
            .ok()
            .and_then(|found| found.apparmor)
            .unwrap_or_default(),
        host_config_json: host_config(record)?,
        graph_driver: graph_driver(site, record),
        mounts: volumes::points(site, record),
        config: record.config.clone(),
        network_settings: site.networks.settings(record),
        ..Container::default()
    })
}

fn state(view: &View) -> ContainerState {
    let mut state = ContainerState {
        status: view.status().to_owned(),
        running: view.is_up(),
        paused: view.paused,
        restarting: view.restarting,
        health: view.health.as_deref().cloned(),
        started_at: ZERO_TIME.to_owned(),
        finished_at: ZERO_TIME.to_owned(),
        exit_code: view.exit_code(),
        ..ContainerState::default()
    };
    match &view.phase {
        Phase::Created | Phase::Starting => {}
        Phase::Running {
            pid,
            started_at_unix_ns,
        } => {
            state.pid = *pid;
            if let Some(last) = &view.life.last_stop {
                state.finished_at.clone_from(&last.finished_at);
            }
            state.started_at = rfc3339(as_i64(*started_at_unix_ns));
        }
        Phase::Exited(exit) => {
            state.oom_killed = exit.oom_killed;
            state.error = exit.error.clone().unwrap_or_default();
            if exit.started_at_unix_ns > 0 {
                state.started_at = rfc3339(as_i64(exit.started_at_unix_ns));
                state.finished_at = rfc3339(as_i64(exit.finished_at_unix_ns));
            }
        }
    }
    state
}

/// The stored definition, and the defaults of what has no effect yet.
fn host_config(record: &ContainerRecord) -> Result<Value> {
    let mut value = serde_json::to_value(&record.host_config)
        .map_err(ServiceError::failed("describe the container"))?;
    if let Some(members) = value.as_object_mut() {
        fill_host_defaults(members, CREATE);
        if record.host_config.log_config.kind.is_empty() {
            members.insert(
                "LogConfig".to_owned(),
                serde_json::json!({ "Type": "json-file", "Config": record.host_config.log_config.config }),
            );
        }
        if record.host_config.restart_policy.name.is_empty() {
            members.insert(
                "RestartPolicy".to_owned(),
                serde_json::json!({ "Name": "no", "MaximumRetryCount": 0 }),
            );
        }
        let host = &record.host_config;
        if host.runtime.is_empty() {
            members.insert("Runtime".to_owned(), "gantry".into());
        }
        // Of a record that was written before these were.
        for (name, mode) in [
            ("IpcMode", &host.ipc_mode),
            ("CgroupnsMode", &host.cgroupns_mode),
        ] {
            if mode.is_empty() {
                members.insert(name.to_owned(), "private".into());
            }
        }
        members.insert(
            "MaskedPaths".to_owned(),
            security::masked_paths(host)?.into(),
        );
        members.insert(
            "ReadonlyPaths".to_owned(),
            security::readonly_paths(host)?.into(),
        );
        if record.host_config.shm_size == 0 {
            members.insert(
                "ShmSize".to_owned(),
                engine_runtime::profile::SHM_BYTES.into(),
            );
        }
    }
    Ok(value)
}

fn graph_driver(site: &Site, record: &ContainerRecord) -> GraphDriver {
    let snapshot = Snapshot::at(&site.store.dir_of(&record.id));
    let lower: Vec<_> = record
        .layers
        .iter()
        .map(|layer| layer.display().to_string())
        .collect();
    let data = BTreeMap::from([
        ("LowerDir".to_owned(), lower.join(":")),
        (
            "UpperDir".to_owned(),
            snapshot.upper().display().to_string(),
        ),
        ("WorkDir".to_owned(), snapshot.work().display().to_string()),
    ]);
    GraphDriver {
        data: Some(data),
        name: DRIVER.to_owned(),
    }
}
