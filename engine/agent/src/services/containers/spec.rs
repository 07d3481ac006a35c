//! From a record to the runtime's work order, and the three files of `/etc` that every container
//! gets from its engine.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use engine_runtime::{
    Mount, MountKind, Network, Process, Root, SPEC_VERSION, Seccomp, Spec, TerminalSize, profile,
};

use super::registry::Site;
use super::{limits, mounts, process};
use crate::guard::Wish;
use crate::records::{ContainerRecord, ContainerStore};
use crate::services::error::{Result, ServiceError};

/// The files of `/etc`, made anew at each start.
const ETC: [&str; 3] = ["hostname", "hosts", "resolv.conf"];

/// Where a container sees its init, as with Docker.
const INIT_TARGET: &str = "/sbin/docker-init";

/// Returns what the runtime is to do, judged by the guard of the host.
///
/// # Errors
/// Names the option that cannot be, or that the host denies.
pub(super) fn work_order(
    site: &Site,
    record: &ContainerRecord,
    size: Option<TerminalSize>,
) -> Result<Spec> {
    let (config, host) = (&record.config, &record.host_config);
    let bundle = site.bundle(&record.id);
    let network = network(&host.network_mode);
    let asked_mounts = mounts::asked(host)?;
    let added = added_capabilities(site, host.cap_add.as_deref().unwrap_or_default())?;
    let extra: Vec<Mount> = asked_mounts
        .iter()
        .map(|asked| asked.mount.clone())
        .collect();
    let wish = Wish {
        added_capabilities: &added,
        host_network: network == Network::Host,
        mounts: &extra,
    };
    site.guard
        .judge(&wish)
        .map_err(|e| ServiceError::Forbidden(e.to_string()))?;

    Ok(Spec {
        version: SPEC_VERSION,
        id: record.id.to_string(),
        root: Root {
            lower: record.layers.clone(),
            upper: bundle.data().join("upper"),
            work: bundle.data().join("work"),
            readonly: host.readonly_rootfs,
        },
        process: first_process(record, size)?,
        hostname: config.hostname.clone(),
        domainname: config.domainname.clone(),
        network,
        mounts: etc_mounts(site, record).into_iter().chain(extra).collect(),
        shm_bytes: limits::shm_bytes(host)?,
        resources: limits::resources(host)?,
        cgroup: site.cgroup(&record.id),
        capabilities: capabilities(site, &added, host.cap_drop.as_deref().unwrap_or_default())?,
        seccomp: Seccomp::Default,
        masked_paths: profile::default_masked_paths(),
        readonly_paths: profile::default_readonly_paths(),
        log: limits::log(host)?,
        oom_score_adj: None,
    })
}

/// Writes the files of `/etc`, and makes directories of the host that Docker makes too.
///
/// # Errors
/// When the disk is full or fails.
pub(super) fn write_etc(site: &Site, record: &ContainerRecord) -> Result<()> {
    let failed = "prepare the container's files";
    for asked in mounts::asked(&record.host_config)? {
        if let (true, MountKind::Bind { source }) = (asked.make_source, &asked.mount.kind)
            && !source.exists()
        {
            fs::create_dir_all(source).map_err(ServiceError::failed(format!(
                "make the mount source {}",
                source.display()
            )))?;
        }
    }
    let dir = site.store.dir_of(&record.id).join("etc");
    fs::create_dir_all(&dir).map_err(ServiceError::failed(failed))?;
    for name in ETC {
        let text = match name {
            "hostname" => format!("{}\n", record.config.hostname),
            "hosts" => hosts(record),
            _ => resolv_conf(
                record,
                &fs::read_to_string("/etc/resolv.conf").unwrap_or_default(),
            ),
        };
        let path = dir.join(name);
        ContainerStore::write_passing(&path, text.as_bytes())
            .map_err(ServiceError::failed(failed))?;
        // Everybody inside may read them, whatever mask the engine runs with.
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .map_err(ServiceError::failed(failed))?;
    }
    Ok(())
}

/// Returns where a file of `/etc` lies on the host.
pub(super) fn etc_path(site: &Site, record: &ContainerRecord, name: &str) -> PathBuf {
    site.store.dir_of(&record.id).join("etc").join(name)
}

/// Reads capabilities as people write them: `net_admin`, `CAP_NET_ADMIN`.
///
/// # Errors
/// When the kernel knows none of that name, or this machine cannot give it.
pub(super) fn added_capabilities(site: &Site, asked: &[String]) -> Result<Vec<String>> {
    let defaults = profile::default_capabilities();
    let mut added = Vec::new();
    for name in asked {
        let name = capability(site, name)?;
        if name == "ALL" {
            let message = "HostConfig.CapAdd: ALL is not allowed by the profile of this host";
            return Err(ServiceError::Forbidden(message.to_owned()));
        }
        if defaults.contains(&name) || added.contains(&name) {
            continue;
        }
        if !site.powers.grantable.contains(&name) {
            return Err(ServiceError::BadRequest(format!(
                "HostConfig.CapAdd: this machine cannot give {name}, the engine itself lacks it"
            )));
        }
        added.push(name);
    }
    Ok(added)
}

fn capabilities(site: &Site, added: &[String], dropped: &[String]) -> Result<Vec<String>> {
    let dropped = dropped
        .iter()
        .map(|name| capability(site, name))
        .collect::<Result<Vec<_>>>()?;
    let mut kept: Vec<String> = match dropped.iter().any(|name| name == "ALL") {
        true => Vec::new(),
        false => profile::default_capabilities(),
    };
    kept.extend(added.iter().cloned());
    kept.retain(|name| !dropped.contains(name) && site.powers.grantable.contains(name));
    Ok(kept)
}

fn capability(site: &Site, name: &str) -> Result<String> {
    let upper = name.to_ascii_uppercase();
    if upper == "ALL" {
        return Ok(upper);
    }
    let full = if upper.starts_with("CAP_") {
        upper
    } else {
        format!("CAP_{upper}")
    };
    if !site.powers.known.contains(&full) {
        return Err(ServiceError::BadRequest(format!(
            "invalid capability: {name:?}"
        )));
    }
    Ok(full)
}

fn first_process(record: &ContainerRecord, size: Option<TerminalSize>) -> Result<Process> {
    let (config, host) = (&record.config, &record.host_config);
    let cwd = if config.working_dir.is_empty() {
        "/"
    } else {
        &config.working_dir
    };
    Ok(Process {
        args: words(record),
        env: process::environment(config, &config.hostname),
        cwd: cwd.to_owned(),
        user: config.user.clone(),
        additional_groups: host.group_add.clone().unwrap_or_default(),
        terminal: config.tty,
        open_stdin: config.open_stdin,
        stdin_once: config.stdin_once,
        no_new_privileges: no_new_privileges(host.security_opt.as_deref().unwrap_or_default())?,
        rlimits: limits::rlimits(host)?,
        size: size.or(process::size(host.console_size)),
        capabilities: None,
    })
}

/// Reads the security options; the only one with an effect is `no-new-privileges`.
///
/// # Errors
/// Names any other.
pub(super) fn no_new_privileges(options: &[String]) -> Result<bool> {
    let mut on = false;
    for option in options {
        on = match option.as_str() {
            "no-new-privileges" | "no-new-privileges:true" | "no-new-privileges=true" => true,
            "no-new-privileges:false" | "no-new-privileges=false" => false,
            other => {
                return Err(ServiceError::BadRequest(format!(
                    "HostConfig.SecurityOpt is not supported yet: {other:?} was asked for, only \
                     \"no-new-privileges\" has an effect"
                )));
            }
        };
    }
    Ok(on)
}

fn network(mode: &str) -> Network {
    if mode == "host" {
        Network::Host
    } else {
        Network::None
    }
}

/// Mounts what every container gets from its engine: files of `/etc`, and the init if asked for.
pub(super) fn etc_mounts(site: &Site, record: &ContainerRecord) -> Vec<Mount> {
    let etc = ETC.into_iter().map(|name| {
        let source = etc_path(site, record, name);
        (source, format!("/etc/{name}"), false)
    });
    let init = has_init(record).then(|| (init_program(&site.run), INIT_TARGET.to_owned(), true));
    etc.chain(init)
        .map(|(source, target, readonly)| Mount {
            kind: MountKind::Bind { source },
            target,
            readonly,
        })
        .collect()
}

/// Names the file of the init that containers see, below the engine's passing directory.
pub(crate) fn init_program(run: &Path) -> PathBuf {
    run.join("docker-init")
}

fn has_init(record: &ContainerRecord) -> bool {
    record.host_config.init == Some(true)
}

/// Returns the words to execute, behind the init if there is one.
fn words(record: &ContainerRecord) -> Vec<String> {
    let mut words = process::arguments(&record.config);
    if has_init(record) {
        words.splice(0..0, [INIT_TARGET.to_owned(), "--".to_owned()]);
    }
    words
}

fn hosts(record: &ContainerRecord) -> String {
    let (config, host) = (&record.config, &record.host_config);
    let mut text = String::from(
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n\
         ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n",
    );
    for entry in host.extra_hosts.as_deref().unwrap_or_default() {
        if let Some((name, address)) = entry.split_once(':') {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{address}\t{name}");
        }
    }
    // Without a network of its own, the container's name leads to itself.
    let full = match config.domainname.as_str() {
        "" => String::new(),
        domain => format!("{}.{domain} ", config.hostname),
    };
    let _ = writeln!(text, "127.0.0.1\t{full}{}", config.hostname);
    text
}

/// What is asked for replaces what the host has, kind by kind.
fn resolv_conf(record: &ContainerRecord, of_host: &str) -> String {
    let host = &record.host_config;
    let mut text = String::new();
    let mut kind = |word: &str, asked: &[String], one_line: bool| {
        if asked.is_empty() {
            let lines = of_host
                .lines()
                .filter(|line| line.split_whitespace().next() == Some(word));
            for line in lines {
                let _ = writeln!(text, "{line}");
            }
        } else if one_line {
            let _ = writeln!(text, "{word} {}", asked.join(" "));
        } else {
            for value in asked {
                let _ = writeln!(text, "{word} {value}");
            }
        }
    };
    kind("nameserver", &host.dns, false);
    kind("search", &host.dns_search, true);
    kind("options", &host.dns_options, true);
    text
}
