//! A create: from what was asked to a container on disk, in steps that each leave their undo.

use std::sync::Arc;

use engine_api::body;
use engine_api::containers::{ContainerConfig, CreateAnswer, CreateBody, HostConfig};
use engine_api::id::{ContainerId, ContainerName};
use engine_api::options::{self, CREATE};
use engine_runtime::Phase;
use engine_storage::Snapshot;

use super::command::Beginning;
use super::registry::{Containers, Site};
use super::sharing::Purpose;
use super::steps::Undo;
use super::{copy_up, health, process, resources, restarts, spec, storage, users, volumes};
use crate::faults;
use crate::ids;
use crate::records::{ContainerRecord, LifeRecord, NewRecord, StepBind};
use crate::services::error::{Result, ServiceError};
use crate::services::images::{ImageForContainer, LayersHeld};
use crate::services::networks::Networks;
use crate::services::volumes::Wish;
use crate::tasks::blocking;

/// How many made-up names are tried before giving up.
const NAME_ATTEMPTS: u32 = 20;

/// The longest host name that the kernel takes.
const HOSTNAME_MAX: usize = 63;

impl Containers {
    /// Creates a container of the bytes of a create's body.
    ///
    /// # Errors
    /// When the body is malformed, an option is refused, the image is not there or the name is
    /// taken; nothing is left then.
    pub(crate) async fn create(&self, name: Option<&str>, bytes: &[u8]) -> Result<CreateAnswer> {
        let bad = |e: body::BodyError| ServiceError::BadRequest(e.to_string());
        let value = body::parse_value(bytes).map_err(bad)?;
        options::refuse_unsupported(&value, CREATE)?;
        options::refuse_other_case(&value, &CreateBody::all_members(), CREATE)
            .map_err(|e| ServiceError::BadRequest(e.to_string()))?;
        // First by itself: what is flattened into the body cannot be named in its errors.
        body::shaped::<ContainerConfig>(&value).map_err(bad)?;
        let asked: CreateBody = body::shaped(&value).map_err(bad)?;
        if asked.config.image.is_empty() {
            return Err(ServiceError::BadRequest(
                "no image is given: Image is empty".to_owned(),
            ));
        }
        let name = name.map(str::parse::<ContainerName>).transpose();
        let name = name.map_err(|e| ServiceError::BadRequest(e.to_string()))?;
        let made_of = self.images.for_container(&asked.config.image).await?;
        self.create_of(name, asked, made_of, ids::container_id(), None)
            .await
    }

    /// Creates a container of an image that need not be listed. With `step_binds` it is a build's step:
    /// what the image wants to be a volume is a directory like every other then.
    ///
    /// # Errors
    /// When an option is refused or the name is taken; nothing is left then.
    pub(super) async fn create_of(
        &self,
        name: Option<ContainerName>,
        asked: CreateBody,
        (image, layers_held): (ImageForContainer, LayersHeld),
        id: ContainerId,
        step_binds: Option<Vec<StepBind>>,
    ) -> Result<CreateAnswer> {
        let mut warnings = Vec::new();
        let mut host_config = asked.host_config.clone();
        let networks = self.settle_network(&asked, &mut host_config, &mut warnings)?;
        self.settle_sharing(&asked.config, &mut host_config)?;
        resources::settle(&self.site.layout, &mut host_config, &mut warnings);
        let mut config = merged(asked.config, &image, &id, &host_config)?;
        if step_binds.is_none() {
            let wanted = image.config.volumes.iter().flatten();
            volumes::add_images(&mut config, wanted.map(|(path, _)| path));
        }
        let plan = self.plan_volumes(&config, &host_config)?;
        check(&config, &host_config)?;

        let mut undo = Undo::default();
        let name = self.reserve_name(name, &id)?;
        {
            let (site, name) = (Arc::clone(&self.site), name.clone());
            undo.push(move || site.release(&name));
        }
        faults::point("create.named");

        let record = ContainerRecord::from(NewRecord {
            id: id.clone(),
            name,
            created_ns: self.site.clock.now_ns(),
            image_id: image.id,
            layers: image.layers,
            config,
            remap: users::remap(&self.site, &host_config)?,
            host_config,
            networks,
            step_binds: step_binds.unwrap_or_default(),
            volumes: plan.uses,
            inherited: plan.inherited,
        });
        // What the start would refuse is refused now.
        Networks::check_ports(&record)?;
        spec::work_order(&self.site, &record, None, Purpose::Check)?;
        resources::check_support(&self.site, &record.id, &record.host_config).await?;
        storage::check_support(&self.site, &record.host_config).await?;

        let (record, on_disk) = {
            let site = Arc::clone(&self.site);
            blocking(move || make_on_disk(&site, record, &plan.wishes)).await?
        };

        let beginning = Beginning {
            record,
            life: LifeRecord::default(),
            phase: Phase::Created,
            paused: false,
            health: None,
            control: None,
            untold_exit: false,
            layers_held,
        };
        let handle = self.site.register(beginning, &self.site)?;
        faults::point("create.registered");
        on_disk.complete();
        undo.complete();
        self.tell(&handle, "create", []);
        Ok(CreateAnswer {
            id: id.to_string(),
            warnings,
        })
    }

    fn reserve_name(&self, name: Option<ContainerName>, id: &ContainerId) -> Result<ContainerName> {
        if let Some(name) = name {
            self.site.reserve(&name, id)?;
            return Ok(name);
        }
        for attempt in 0..NAME_ATTEMPTS {
            let Ok(name) = ids::container_name(attempt).parse::<ContainerName>() else {
                continue;
            };
            if self.site.reserve(&name, id).is_ok() {
                return Ok(name);
            }
        }
        // The id itself is a name that nobody else has.
        let name = id.short().parse::<ContainerName>();
        let name = name.map_err(|e| ServiceError::Conflict(e.to_string()))?;
        self.site.reserve(&name, id)?;
        Ok(name)
    }
}

/// Makes the directory, the writable top of the root file system, and last the record.
fn make_on_disk(
    site: &Arc<Site>,
    record: ContainerRecord,
    wishes: &[Wish],
) -> Result<(ContainerRecord, Undo)> {
    let mut undo = Undo::default();
    let dir = site
        .store
        .make_dir(&record.id)
        .map_err(ServiceError::failed("make the container"))?;
    {
        let (site, id) = (Arc::clone(site), record.id.clone());
        undo.push(move || {
            // What stays is swept at the next start.
            let _ = site.store.retire(&id).and_then(|()| site.store.sweep(&id));
        });
    }

    faults::point("create.dir");
    Snapshot::at(&dir)
        .of_users(record.remap.map(Into::into))
        .limited_to(storage::size_bytes(&record.host_config)?)
        .create(&record.layers)
        .map_err(ServiceError::failed("make the container's root"))?;

    faults::point("create.root");
    volumes::hold(site, &record, wishes, &mut undo)?;
    copy_up::at_create(site, &record)?;
    faults::point("create.volumes");
    site.store
        .save(&record)
        .map_err(ServiceError::failed("keep the container"))?;
    faults::point("create.record");
    Ok((record, undo))
}

/// What is asked for lies over what the image brings, as Docker lays it.
fn merged(
    mut config: ContainerConfig,
    image: &ImageForContainer,
    id: &ContainerId,
    host: &HostConfig,
) -> Result<ContainerConfig> {
    let from_image = &image.config;
    process::check_environment(config.env.as_deref().unwrap_or_default())?;
    if config.hostname.is_empty() {
        let shares_name = host.network_mode == "host" || host.uts_mode == "host";
        config.hostname = match shares_name {
            true => rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned(),
            false => id.short().to_owned(),
        };
    }
    if config.user.is_empty() {
        config.user.clone_from(&from_image.user);
    }
    if config.working_dir.is_empty() {
        config.working_dir.clone_from(&from_image.working_dir);
    }
    if config.stop_signal.is_empty() {
        config.stop_signal.clone_from(&from_image.stop_signal);
    }
    config.healthcheck = health::merged(config.healthcheck, from_image.healthcheck.as_ref());
    // A new entrypoint means that the image's command is not its arguments; one empty word in it
    // says "none at all".
    if config.entrypoint.is_none() {
        if config.cmd.as_ref().is_none_or(Vec::is_empty) {
            config.cmd.clone_from(&from_image.cmd);
        }
        config.entrypoint.clone_from(&from_image.entrypoint);
    } else if config
        .entrypoint
        .as_ref()
        .is_some_and(|words| words.join("").is_empty())
    {
        config.entrypoint = None;
    }
    let env = from_image.env.as_deref().unwrap_or_default();
    config.env = Some(process::overlaid(
        env,
        config.env.as_deref().unwrap_or_default(),
    ));
    for (key, value) in from_image.labels.iter().flatten() {
        config
            .labels
            .entry(key.clone())
            .or_insert_with(|| value.clone());
    }
    for (port, empty) in &from_image.exposed_ports {
        config.exposed_ports.entry(port.clone()).or_insert(*empty);
    }
    if process::arguments(&config).is_empty() {
        return Err(ServiceError::BadRequest("No command specified".to_owned()));
    }
    Ok(config)
}

/// Checks what has no other place that would.
fn check(config: &ContainerConfig, host: &HostConfig) -> Result<()> {
    let bad = |message: String| Err(ServiceError::BadRequest(message));
    for (option, text) in [
        ("User", &config.user),
        ("WorkingDir", &config.working_dir),
        ("Hostname", &config.hostname),
        ("Domainname", &config.domainname),
    ] {
        process::check_text(option, text)?;
    }
    process::check_process(
        &process::arguments(config),
        config.env.as_deref().unwrap_or_default(),
    )?;
    check_kept(host)?;
    if !config.working_dir.is_empty() && !config.working_dir.starts_with('/') {
        return bad(format!(
            "the working directory '{}' is invalid, it needs to be an absolute path",
            config.working_dir
        ));
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if config.hostname.len() > HOSTNAME_MAX || !config.hostname.bytes().all(plain) {
        return bad(format!("invalid hostname: {:?}", config.hostname));
    }
    if !config.domainname.bytes().all(plain) {
        return bad(format!("invalid domain name: {:?}", config.domainname));
    }
    restarts::check(&host.restart_policy, host.auto_remove)?;
    if let Some(asked) = &config.healthcheck {
        health::check(asked)?;
    }
    if !config.stop_signal.is_empty() {
        super::signal::parse(&config.stop_signal)?;
    }
    for entry in host.extra_hosts.as_deref().unwrap_or_default() {
        let fits = entry.split_once(':').is_some_and(|(name, address)| {
            name.bytes().all(plain) && address.parse::<std::net::IpAddr>().is_ok()
        });
        if !fits {
            return bad(format!(
                "invalid extra host: {entry:?} is not of the form name:address"
            ));
        }
    }
    for (option, values) in [
        ("Dns", &host.dns),
        ("DnsSearch", &host.dns_search),
        ("DnsOptions", &host.dns_options),
    ] {
        if values
            .iter()
            .any(|v| v.chars().any(|c| c.is_control() || c.is_whitespace()))
        {
            return bad(format!(
                "HostConfig.{option} holds a space or a control character"
            ));
        }
    }
    Ok(())
}

/// Checks the options that are kept and shown, or name the one thing that there is.
fn check_kept(host: &HostConfig) -> Result<()> {
    let bad = |message: String| Err(ServiceError::BadRequest(message));
    if host
        .annotations
        .iter()
        .flatten()
        .any(|(key, _)| key.is_empty())
    {
        return bad(
            "invalid Annotations: the empty string is not permitted as an annotation key".into(),
        );
    }
    // Names under which clients ask for what a Linux engine runs anyway.
    if !matches!(
        host.runtime.as_str(),
        "" | "gantry" | "runc" | "io.containerd.runc.v2"
    ) {
        return bad(format!("unknown or invalid runtime name: {}", host.runtime));
    }
    storage::size_bytes(host).map(drop)
}

#[cfg(test)]
mod tests {
    use engine_api::images::ImageConfig;

    use super::*;

    fn words(list: &[&str]) -> Option<Vec<String>> {
        Some(list.iter().map(ToString::to_string).collect())
    }

    fn image() -> ImageForContainer {
        ImageForContainer {
            id: "sha256:0".to_owned(),
            config: ImageConfig {
                user: "web".to_owned(),
                env: words(&["PATH=/bin", "A=1"]),
                entrypoint: words(&["/entry"]),
                cmd: words(&["serve"]),
                labels: Some([("from".to_owned(), "image".to_owned())].into()),
                ..ImageConfig::default()
            },
            layers: Vec::new(),
        }
    }

    fn merge(config: ContainerConfig) -> ContainerConfig {
        merged(
            config,
            &image(),
            &ids::container_id(),
            &HostConfig::default(),
        )
        .unwrap()
    }

    #[test]
    fn the_image_fills_in_what_nobody_asked_for() {
        let config = merge(ContainerConfig::default());
        assert_eq!(process::arguments(&config), ["/entry", "serve"]);
        assert_eq!(config.user, "web");
        assert_eq!(config.labels["from"], "image");
        assert_eq!(config.hostname.len(), 12);
    }

    #[test]
    fn a_command_keeps_the_entrypoint_and_an_entrypoint_drops_the_command() {
        let config = merge(ContainerConfig {
            cmd: words(&["x"]),
            ..ContainerConfig::default()
        });
        assert_eq!(process::arguments(&config), ["/entry", "x"]);
        let asked = ContainerConfig {
            entrypoint: words(&["/sh"]),
            ..ContainerConfig::default()
        };
        assert_eq!(process::arguments(&merge(asked)), ["/sh"]);
        let asked = ContainerConfig {
            entrypoint: words(&[""]),
            cmd: words(&["x"]),
            ..ContainerConfig::default()
        };
        assert_eq!(process::arguments(&merge(asked)), ["x"]);
    }
}
