//! Every option of a create and an exec: its effect, seen from inside the container.

mod devices;
mod exec;
mod input;
mod mounts;
mod namespaces;
mod resources;
mod security;
mod storage;
mod storage_inside;
mod users;

use std::fs;
use std::path::Path;

use engine_api::containers::{Container, ContainerConfig, HostConfig, WaitCondition};
use engine_client::{ClientError, LogOptions, RemoveOptions};
use serde_json::Value;

use crate::rig::Rig;

/// Runs a script to its end under a host configuration in JSON; returns its output and code.
async fn outcome(rig: &Rig, host: Value, script: &str) -> (String, i64) {
    let host: HostConfig = serde_json::from_value(host).unwrap();
    let config = ContainerConfig::default();
    let id = rig.create_with("option", script, config, host).await;
    rig.client.start_container(&id).await.unwrap();
    let wait = WaitCondition::NotRunning;
    let answer = rig.client.wait_container(&id, wait).await.unwrap();
    let output = rig.logs(&id, LogOptions::default()).await;
    let force = RemoveOptions {
        force: true,
        volumes: true,
    };
    rig.client.remove_container(&id, force).await.unwrap();
    (output, answer.status_code)
}

/// Runs a script that succeeds; returns its output without the last line break.
async fn output(rig: &Rig, host: Value, script: &str) -> String {
    let (output, code) = outcome(rig, host, script).await;
    assert_eq!(code, 0, "{script}: {output}");
    output.trim_end().to_owned()
}

/// Creates a container that must be refused; returns the status and the engine's words.
async fn refusal(rig: &Rig, host: Value) -> (u16, String) {
    let config = ContainerConfig {
        image: "busybox".to_owned(),
        cmd: Some(vec!["true".to_owned()]),
        ..ContainerConfig::default()
    };
    refusal_of(rig, config, host).await
}

async fn refusal_of(rig: &Rig, config: ContainerConfig, host: Value) -> (u16, String) {
    let shown = host.to_string();
    let body = engine_api::containers::CreateBody {
        config,
        host_config: serde_json::from_value(host).unwrap(),
        ..Default::default()
    };
    match rig.client.create_container(None, &body).await {
        Err(ClientError::Refused {
            status, message, ..
        }) => (status, message),
        other => panic!("{shown} was not refused: {other:?}"),
    }
}

/// Creates a container that is only looked at.
async fn inspected(rig: &Rig, host: Value) -> Container {
    let host: HostConfig = serde_json::from_value(host).unwrap();
    let config = ContainerConfig::default();
    let id = rig.create_with("shown", "true", config, host).await;
    let shown = rig.client.container(&id).await.unwrap();
    let force = RemoveOptions {
        force: true,
        volumes: true,
    };
    rig.client.remove_container(&id, force).await.unwrap();
    shown
}

/// Tells whether this machine has control groups of version 2 alone.
fn is_unified() -> bool {
    Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
}

/// Returns a field of this process's status: the engine's own bounds are the same.
fn own_status(field: &str) -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line[field.len()..].trim().to_owned()
}

/// Tells whether this machine lets limits be raised (`CAP_SYS_RESOURCE`).
fn can_raise_limits() -> bool {
    let bits = u64::from_str_radix(&own_status("CapBnd:"), 16).unwrap();
    bits & 1 << 24 != 0
}
