//! From a record to the runtime's work order.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use engine_api::containers::HostConfig;
use engine_runtime::cgroups::Cgroup;
use engine_runtime::{
    BindHow, Mount, MountKind, Process, Remap, Root, SPEC_VERSION, Seccomp, Source, Spec,
    TerminalSize,
};

use super::registry::Site;
use super::security::{self, Security};
use super::sharing::{self, Purpose};
use super::{
    capabilities, devices, etc, limits, mounts, networking, process, resources, storage, sysctls,
    volumes,
};
use crate::records::{ContainerRecord, ETC};
use crate::services::error::{Result, ServiceError};

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
    purpose: Purpose,
) -> Result<Spec> {
    let (config, host) = (&record.config, &record.host_config);
    let bundle = site.bundle(&record.id);
    let network = networking::network(site, record, purpose)?;
    let asked_mounts = volumes::asked(record)?;
    mounts::check_spread(&asked_mounts)?;
    let extra: Vec<Mount> = asked_mounts.into_iter().map(|asked| asked.mount).collect();
    let security = security::read(host)?;
    let capabilities = capabilities::of(&site.powers, host)?;
    let counted = storage::is_counted(site, host)?;
    let spec = Spec {
        version: SPEC_VERSION,
        id: record.id.to_string(),
        root: Root {
            lower: site.lowers(record),
            upper: bundle.data().join("upper"),
            work: bundle.data().join("work"),
            readonly: host.readonly_rootfs,
        },
        process: first_process(site, record, size, security.no_new_privileges)?,
        hostname: config.hostname.clone(),
        domainname: config.domainname.clone(),
        network,
        mounts: all_mounts(site, record, &extra),
        shm_bytes: limits::shm_bytes(host)?,
        resources: resources::resources(&site.layout, host)?,
        cgroup: cgroup(site, record)?,
        seccomp: seccomp(host, &security, &capabilities, counted)?,
        seccomp_profile: security.seccomp_profile,
        apparmor: security.apparmor,
        capabilities,
        masked_paths: security::masked_paths(host)?,
        readonly_paths: security::readonly_paths(host)?,
        log: limits::log(host)?,
        oom_score_adj: oom_score_adj(site, host)?,
        sharing: sharing::of(site, record, purpose)?,
        devices: devices::of(host)?,
        sysctls: sysctls::of(host)?,
        layout: Some(site.layout.clone()),
        writable_cgroups: host.privileged || security.writable_cgroups,
        writable_sysfs: host.privileged,
        counted,
        remap: record.remap,
    };
    site.guard
        .judge(&spec, &extra)
        .map_err(|e| ServiceError::Forbidden(e.to_string()))?;
    Ok(spec)
}

/// Returns everything that is mounted beside the standard ones, in the order that this is done.
fn all_mounts(site: &Site, record: &ContainerRecord, asked: &[Mount]) -> Vec<Mount> {
    let mut all = etc_mounts(site, record);
    all.extend_from_slice(asked);
    all.extend(volumes::mounts_of(site, record));
    volumes::order(&mut all);
    all
}

/// Opens what is to be mounted and judges that: init mounts nothing else. To be held until then.
///
/// # Errors
/// When a source is not there, or leads to what the host denies.
pub(super) fn hold_sources(
    site: &Site,
    record: &ContainerRecord,
    order: &mut Spec,
) -> Result<Vec<Source>> {
    let own = etc_mounts(site, record);
    let mut held = Vec::new();
    for mount in order.mounts.iter_mut().filter(|mount| !own.contains(mount)) {
        let MountKind::Bind { source, judged, .. } = &mut mount.kind else {
            continue;
        };
        let mut volumes = record.volumes.iter();
        if let Some(volume) = volumes.find(|volume| volume.target == mount.target) {
            let (path, opened) = site.volumes.open_source(&volume.name, &volume.subpath)?;
            *judged = Some(opened.identity());
            *source = path;
            held.push(opened);
            continue;
        }
        let opened = Source::open(source)
            .map_err(ServiceError::failed(format!("mount on {}", mount.target)))?;
        site.guard
            .judge_source(source, &opened)
            .map_err(|e| ServiceError::Forbidden(e.to_string()))?;
        *judged = Some(opened.identity());
        held.push(opened);
    }
    Ok(held)
}

/// Who is privileged has no filter, unless one is named.
fn seccomp(
    host: &HostConfig,
    security: &Security,
    capabilities: &[String],
    counted: bool,
) -> Result<Seccomp> {
    let default = match host.privileged {
        true => Seccomp::Unconfined,
        false => Seccomp::Default,
    };
    if let Some(profile) = &security.seccomp_profile {
        engine_runtime::check_profile(profile, capabilities, counted).map_err(|e| {
            let why = engine_runtime::chain(&e);
            ServiceError::BadRequest(format!("HostConfig.SecurityOpt: seccomp: {why}"))
        })?;
    }
    Ok(security.seccomp.unwrap_or(default))
}

/// A lower value than the engine's own is the kernel's to refuse; it is told before.
fn oom_score_adj(site: &Site, host: &HostConfig) -> Result<Option<i32>> {
    let asked = i32::try_from(host.oom_score_adj)
        .ok()
        .filter(|asked| (-1_000..=1_000).contains(asked))
        .ok_or_else(|| {
            ServiceError::BadRequest(format!(
                "Invalid value {}, range for oom score adj is [-1000, 1000]",
                host.oom_score_adj
            ))
        })?;
    let own = engine_runtime::oom_score_adj();
    if asked < own && asked < 0 && !site.powers.can_raise_limits() {
        return Err(ServiceError::BadRequest(format!(
            "HostConfig.OomScoreAdj: this machine cannot give {asked}: the engine itself has {own} \
             and lacks CAP_SYS_RESOURCE to lower it"
        )));
    }
    Ok((asked != own).then_some(asked))
}

/// Returns the control group, whose parent somebody may have named.
fn cgroup(site: &Site, record: &ContainerRecord) -> Result<String> {
    let path = site.cgroup(record);
    Cgroup::open(&site.layout, &path).map_err(|_| {
        ServiceError::BadRequest(format!(
            "HostConfig.CgroupParent: {:?} is no path of control groups",
            record.host_config.cgroup_parent
        ))
    })?;
    Ok(path)
}

/// Makes the directories of a path that are missing; they belong to the container's root.
fn make_directories(path: &Path, remap: Option<Remap>) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|one| !one.exists()).collect();
    fs::create_dir_all(path)?;
    let Some(remap) = remap else { return Ok(()) };
    for made in missing {
        std::os::unix::fs::lchown(made, Some(remap.first), Some(remap.first))?;
    }
    Ok(())
}

/// Writes the files of `/etc`, and makes directories of the host that Docker makes too.
///
/// # Errors
/// When the disk is full or fails.
pub(super) fn write_etc(site: &Site, record: &ContainerRecord) -> Result<()> {
    for asked in volumes::asked(record)? {
        if let (true, MountKind::Bind { source, .. }) = (asked.make_source, &asked.mount.kind)
            && !source.exists()
        {
            make_directories(source, record.remap).map_err(ServiceError::failed(format!(
                "make the mount source {}",
                source.display()
            )))?;
        }
    }
    etc::write(site, record)
}

fn first_process(
    site: &Site,
    record: &ContainerRecord,
    size: Option<TerminalSize>,
    no_new_privileges: bool,
) -> Result<Process> {
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
        no_new_privileges,
        rlimits: limits::rlimits(&site.powers, host)?,
        size: size.or(process::size(host.console_size)),
        capabilities: None,
    })
}

/// Mounts what every container gets from its engine: files of `/etc`, and the init if asked for.
pub(super) fn etc_mounts(site: &Site, record: &ContainerRecord) -> Vec<Mount> {
    let etc = ETC.into_iter().map(|name| {
        let source = etc::path(site, record, name);
        (source, format!("/etc/{name}"), false)
    });
    let init = has_init(record).then(|| (init_program(&site.run), INIT_TARGET.to_owned(), true));
    let step = record.step_binds.iter();
    let step = step.map(|bind| (bind.source.clone(), bind.target.clone(), bind.readonly));
    etc.chain(init)
        .chain(step)
        .map(|(source, target, readonly)| Mount {
            kind: MountKind::Bind {
                source,
                judged: None,
                how: BindHow::default(),
            },
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
