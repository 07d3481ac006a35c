//! The engine itself: who it is, what its host can do, what it holds.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZero;

use engine_api::system::{
    Commit, Component, Info, Platform, Plugins, RegistryConfig, RegistryIndex, Runtime, Swarm,
    Version,
};
use engine_api::usage::DiskUsage;
use engine_api::version::{NEWEST, OLDEST};
use engine_runtime::layout::Controller;
use engine_runtime::usage;

use crate::clock::rfc3339;
use crate::engine::Engine;
use crate::services::containers::{DRIVER, ListOptions};
use crate::services::error::{Result, ServiceError};
use crate::tasks::blocking;

/// Says who answers.
pub(crate) fn version(engine: &Engine) -> Version {
    let details = BTreeMap::from([
        ("ApiVersion".to_owned(), NEWEST.to_string()),
        ("MinAPIVersion".to_owned(), OLDEST.to_string()),
        ("Os".to_owned(), "linux".to_owned()),
        ("Arch".to_owned(), architecture().0.to_owned()),
    ]);
    Version {
        platform: Platform {
            name: "Gantry Engine".to_owned(),
        },
        components: vec![Component {
            name: "Engine".to_owned(),
            version: engine.version().to_owned(),
            details,
        }],
        version: engine.version().to_owned(),
        api_version: NEWEST.to_string(),
        min_api_version: OLDEST.to_string(),
        os: "linux".to_owned(),
        arch: architecture().0.to_owned(),
        kernel_version: kernel(),
        ..Version::default()
    }
}

/// Says what the engine and its host can do and hold.
///
/// # Errors
/// None so far; what cannot be read is left empty.
pub(crate) async fn info(engine: &Engine) -> Result<Info> {
    let (host, fds, os_release) = blocking(|| {
        let fds = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        (
            usage::read_host().ok(),
            fds,
            fs::read_to_string("/etc/os-release").unwrap_or_default(),
        )
    })
    .await;
    let counts = engine.containers.counts();
    let uname = rustix::system::uname();
    Ok(Info {
        id: engine_id(),
        containers: counts.all,
        containers_running: counts.running,
        containers_paused: counts.paused,
        containers_stopped: counts.all - counts.running - counts.paused,
        images: engine.images.count() as u64,
        driver: DRIVER.to_owned(),
        driver_status: vec![[
            "Mounted in".to_owned(),
            "the container's own namespace".to_owned(),
        ]],
        plugins: Plugins {
            network: ["bridge", "host", "null"].map(str::to_owned).into(),
            log: vec!["json-file".to_owned()],
            volume: vec!["local".to_owned()],
            ..Plugins::default()
        },
        ipv4_forwarding: fs::read("/proc/sys/net/ipv4/ip_forward")
            .is_ok_and(|text| text.starts_with(b"1")),
        n_fd: fds as u64,
        system_time: rfc3339(engine.clock.now_ns()),
        logging_driver: "json-file".to_owned(),
        n_events_listener: engine.events.n_listeners() as u64,
        kernel_version: kernel(),
        operating_system: os_field(&os_release, "PRETTY_NAME"),
        os_version: os_field(&os_release, "VERSION_ID"),
        os_type: "linux".to_owned(),
        architecture: architecture().1.to_owned(),
        index_server_address: "https://index.docker.io/v1/".to_owned(),
        registry_config: registries(engine),
        n_cpu: std::thread::available_parallelism().map_or(1, NonZero::get) as u64,
        mem_total: host.map_or(0, |host| host.memory_bytes),
        docker_root_dir: engine.config.data.display().to_string(),
        name: uname.nodename().to_string_lossy().into_owned(),
        server_version: engine.version().to_owned(),
        runtimes: [(
            "gantry".to_owned(),
            Runtime {
                path: "gantry-monitor".to_owned(),
            },
        )]
        .into(),
        default_runtime: "gantry".to_owned(),
        swarm: Swarm {
            local_node_state: "inactive".to_owned(),
            ..Swarm::default()
        },
        // Containers outlive the engine always, not as an option.
        live_restore_enabled: true,
        init_binary: String::new(),
        containerd_commit: Commit::default(),
        security_options: security_options(engine),
        warnings: warnings(engine),
        ..limits(engine)
    })
}

/// Says what stands between containers and the host.
fn security_options(engine: &Engine) -> Vec<String> {
    let users = engine.config.userns_remap.map(|_| "name=userns");
    ["name=seccomp,profile=builtin", "name=cgroupns"]
        .into_iter()
        .chain(users)
        .map(str::to_owned)
        .collect()
}

/// Says which limits this machine can keep.
fn limits(engine: &Engine) -> Info {
    let layout = &engine.containers.site.layout;
    let has = |controller| layout.has(controller);
    Info {
        memory_limit: has(Controller::Memory),
        swap_limit: layout.has_swap(),
        cpu_cfs_period: has(Controller::Cpu),
        cpu_cfs_quota: has(Controller::Cpu),
        cpu_shares: has(Controller::Cpu),
        cpu_set: has(Controller::Cpuset),
        pids_limit: has(Controller::Pids),
        cgroup_driver: "cgroupfs".to_owned(),
        cgroup_version: layout.version.to_string(),
        ..Info::default()
    }
}

/// Says where this machine gives less than a container would otherwise get.
fn warnings(engine: &Engine) -> Vec<String> {
    let site = &engine.containers.site;
    let mut warnings = Vec::new();
    let layout = &site.layout;
    if layout.version != engine_runtime::layout::Version::V2 {
        warnings.push(format!(
            "Control groups are of version 1 here ({:?} layout)",
            layout.version
        ));
    }
    for (controller, what) in [
        (Controller::Memory, "memory limits have"),
        (Controller::Cpu, "CPU limits have"),
        (Controller::Pids, "limits of processes have"),
    ] {
        if !layout.has(controller) {
            warnings.push(format!(
                "This kernel offers no controller, so {what} no effect"
            ));
        }
    }
    if !layout.has_swap() {
        warnings.push("No swap limit support".to_owned());
    }
    if std::env::consts::ARCH == "x86_64" {
        // A filter sees numbers, and this one stands in memory behind a pointer.
        warnings.push(
            "No security module closes socketcall(AF_ALG) and (AF_VSOCK) to 32-bit programs in containers: keep \
             the kernel current, or without the module af_alg"
                .to_owned(),
        );
    }
    let powers = &site.powers;
    let lacking: Vec<_> = powers
        .known
        .iter()
        .filter(|name| !powers.grantable.contains(name))
        .cloned()
        .collect();
    if !lacking.is_empty() {
        warnings.push(format!(
            "This machine does not let the engine grant {}: what containers get is intersected \
             with that",
            lacking.join(", ")
        ));
    }
    warnings
}

fn registries(engine: &Engine) -> RegistryConfig {
    let config = &engine.config;
    let docker = RegistryIndex {
        name: "docker.io".to_owned(),
        mirrors: config.registry_mirrors.clone(),
        secure: true,
        official: true,
    };
    let insecure = config.insecure_registries.iter().map(|name| {
        let index = RegistryIndex {
            name: name.clone(),
            ..RegistryIndex::default()
        };
        (name.clone(), index)
    });
    RegistryConfig {
        insecure_registry_cidrs: vec!["::1/128".to_owned(), "127.0.0.0/8".to_owned()],
        index_configs: insecure.chain([("docker.io".to_owned(), docker)]).collect(),
        mirrors: config.registry_mirrors.clone(),
    }
}

/// The machine's own id: one engine a host, and the same after each start.
fn engine_id() -> String {
    fs::read_to_string("/etc/machine-id").map_or_else(|_| String::new(), |id| id.trim().to_owned())
}

fn kernel() -> String {
    rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned()
}

/// The name of the processor as images call it, and as the kernel does.
fn architecture() -> (&'static str, &'static str) {
    match std::env::consts::ARCH {
        "x86_64" => ("amd64", "x86_64"),
        "aarch64" => ("arm64", "aarch64"),
        other => (other, other),
    }
}

fn os_field(os_release: &str, key: &str) -> String {
    let value = os_release
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    value.unwrap_or("Linux").trim_matches('"').to_owned()
}

/// Returns how much room everything takes; with `kinds`, only of those.
///
/// # Errors
/// When a kind is unknown, or something cannot be measured.
pub(crate) async fn disk_usage(engine: &Engine, kinds: &[String]) -> Result<DiskUsage> {
    const KINDS: [&str; 4] = ["container", "image", "volume", "build-cache"];
    if let Some(unknown) = kinds.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
        let message = format!("unknown object type: {unknown}");
        return Err(ServiceError::BadRequest(message));
    }
    let wanted = |kind: &str| kinds.is_empty() || kinds.iter().any(|asked| asked == kind);
    let mut usage = DiskUsage::default();
    if wanted("image") {
        let uses = engine.containers.image_uses();
        usage.images = Some(engine.images.list_for_usage(&uses)?);
        usage.layers_size = i64::try_from(engine.images.layers_bytes()).unwrap_or(i64::MAX);
    }
    if wanted("container") {
        let all = ListOptions {
            all: true,
            with_size: true,
            ..ListOptions::default()
        };
        usage.containers = Some(engine.containers.list(&all).await?);
    }
    if wanted("volume") {
        usage.volumes = Some(engine.volumes.list_for_usage().await);
    }
    if wanted("build-cache") {
        usage.build_cache = Some(engine.builds.kept().await?);
    }
    Ok(usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_name_is_read() {
        let text = "NAME=\"X\"\nPRETTY_NAME=\"Debian 12\"\nVERSION_ID=\"12\"\n";
        assert_eq!(os_field(text, "PRETTY_NAME"), "Debian 12");
        assert_eq!(os_field(text, "VERSION_ID"), "12");
        assert_eq!(os_field("", "PRETTY_NAME"), "Linux");
    }
}
