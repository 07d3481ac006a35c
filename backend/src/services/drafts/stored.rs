//! The definition of a container that is there: the base that a form's changes are laid over.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use engine_api::containers::{Container, ContainerConfig, CreateBody, HostConfig};
use engine_api::images::ImageConfig;
use engine_api::networks::EndpointSettings;
use serde_json::Value;

use super::Typed;
use super::row::{Kind, Row};
use super::rows::ALL;
use crate::services::{Error, Result, masking};

/// What an engine hides of `/proc` and `/sys` by itself; written into what inspect shows.
const MASKED_PATHS: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];
const READONLY_PATHS: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];
const SHM_BYTES: i64 = 64 << 20;

/// A definition as somebody asked for it: what the engine and the image add by themselves is out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// The name.
    pub(super) name: String,
    /// The definition.
    pub(super) body: CreateBody,
    /// The same with the values that may be secrets masked.
    pub(super) masked: CreateBody,
}

impl Stored {
    /// Returns the definition of nothing yet.
    pub fn fresh() -> Self {
        let body = CreateBody::default();
        Self {
            name: String::new(),
            masked: body.clone(),
            body,
        }
    }

    /// Returns a container's. `image` is what its image brings and `machine` the machine's own
    /// name, as far as they are known; without them more of it counts as asked for.
    ///
    /// # Errors
    /// When the engine describes it in words that cannot be read: an edit must lose nothing.
    pub fn of(
        container: &Container,
        image: Option<&ImageConfig>,
        machine: Option<&str>,
    ) -> Result<Self> {
        let unread = |error: serde_json::Error| Error::Internal(error.into());
        let host: HostConfig =
            serde_json::from_value(container.host_config_json.clone()).map_err(unread)?;
        let mut body = CreateBody {
            config: container.config.clone(),
            host_config: host,
            ..CreateBody::default()
        };
        body.networking_config.endpoints_config = endpoints(container);
        without_names(&mut body, &container.id, machine);
        without_defaults(&mut body.host_config);
        if let Some(image) = image {
            without_image(&mut body.config, image);
        }
        let mut document = serde_json::to_value(&body).map_err(unread)?;
        masking::document(&mut document);
        Ok(Self {
            name: container.name.trim_start_matches('/').to_owned(),
            masked: serde_json::from_value(document).map_err(unread)?,
            body,
        })
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the image's name.
    pub fn image(&self) -> &str {
        &self.body.config.image
    }

    /// Tells whether it is taken away when it ends.
    pub fn goes_when_it_ends(&self) -> bool {
        self.body.host_config.auto_remove
    }

    /// Returns the form that says this, with masked values.
    pub fn typed(&self) -> Typed {
        let mut typed = Typed::default();
        for row in ALL.iter().copied().flatten() {
            typed.set(row.field, row.kind.text(&said(row, &self.masked)));
        }
        typed.set("name", self.name.clone());
        typed
    }

    /// Returns what no field of the form says and a change carries along: the member and its value.
    pub fn kept(&self) -> Vec<(String, String)> {
        let (left, fresh) = (blank(&self.masked), blank(&Self::fresh().body));
        let whole = |body: &CreateBody| serde_json::to_value(body).unwrap_or_default();
        let (left, fresh) = (whole(&left), whole(&fresh));
        let mut kept = Vec::new();
        differing("", &left, &fresh, &mut kept);
        kept
    }

    /// Returns a number that is another one when the definition is.
    pub fn fingerprint(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.name.hash(&mut hasher);
        let body = serde_json::to_string(&self.body).unwrap_or_default();
        body.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}

/// Returns the items that a row's text can say.
pub(super) fn said(row: &Row, body: &CreateBody) -> Vec<String> {
    let items = (row.get)(body);
    if row.kind == Kind::Command && !items.iter().all(|item| row.kind.fits(item)) {
        return Vec::new();
    }
    let items = items.into_iter();
    items.filter(|item| row.kind.fits(item)).collect()
}

/// Returns the items that it cannot, by their place.
pub(super) fn unsaid(row: &Row, body: &CreateBody) -> Vec<usize> {
    let items = (row.get)(body);
    let all = items.iter().enumerate();
    if row.kind == Kind::Command {
        let fits = items.iter().all(|item| row.kind.fits(item));
        return if fits {
            Vec::new()
        } else {
            (0..items.len()).collect()
        };
    }
    all.filter(|(_, item)| !row.kind.fits(item))
        .map(|(at, _)| at)
        .collect()
}

/// Takes out all that the form can say.
fn blank(body: &CreateBody) -> CreateBody {
    let mut left = body.clone();
    for row in ALL.iter().copied().flatten() {
        let items = (row.get)(body);
        let unsaid = unsaid(row, body).into_iter();
        let unsaid: Vec<_> = unsaid.map(|at| items[at].clone()).collect();
        // What cannot be written stays, and shows.
        let _stays = (row.set)(&mut left, &unsaid);
    }
    left
}

fn differing(path: &str, left: &Value, fresh: &Value, kept: &mut Vec<(String, String)>) {
    for (name, value) in left.as_object().into_iter().flatten() {
        let before = fresh.get(name);
        if before == Some(value) || (before.is_none() && super::said(value.clone()).is_none()) {
            continue;
        }
        let here = format!("{path}{name}");
        match (name.as_str(), value) {
            ("HostConfig" | "NetworkingConfig", Value::Object(_)) => {
                let none = Value::Null;
                differing(&format!("{here}."), value, before.unwrap_or(&none), kept);
            }
            _ if super::said(value.clone()).is_some() => kept.push((here, value.to_string())),
            _ => {}
        }
    }
}

/// A name that the engine made up is none that was asked for.
fn without_names(body: &mut CreateBody, id: &str, machine: Option<&str>) {
    let name = &body.config.hostname;
    let host = &body.host_config;
    let is_machines = host.network_mode == "host" && machine == Some(name.as_str());
    if id.starts_with(name.as_str()) || is_machines || host.uts_mode == "host" {
        body.config.hostname.clear();
    }
}

/// What an engine writes where nothing was asked for.
fn without_defaults(host: &mut HostConfig) {
    let clear = |text: &mut String, defaults: &[&str]| {
        if defaults.contains(&text.as_str()) {
            text.clear();
        }
    };
    clear(&mut host.log_config.kind, &["json-file"]);
    clear(&mut host.network_mode, &["bridge", "default"]);
    clear(&mut host.ipc_mode, &["private"]);
    clear(&mut host.cgroupns_mode, &["private"]);
    clear(&mut host.runtime, &["gantry"]);
    if host.restart_policy.name == "no" {
        host.restart_policy = Default::default();
    }
    if host.shm_size == SHM_BYTES {
        host.shm_size = 0;
    }
    if host.memory > 0 && host.memory_swap == host.memory.saturating_mul(2) {
        host.memory_swap = 0;
    }
    let options = host.security_opt.iter().flatten();
    let shows_all = host.privileged
        || options
            .map(|option| option.replacen(':', "=", 1))
            .any(|option| option == "systempaths=unconfined");
    for (paths, known) in [
        (&mut host.masked_paths, MASKED_PATHS.as_slice()),
        (&mut host.readonly_paths, READONLY_PATHS.as_slice()),
    ] {
        let is_default = paths.as_deref().is_some_and(|paths| {
            let mut fixed = paths.iter().filter(|path| !is_thermal(path));
            match shows_all {
                true => paths.is_empty(),
                false => fixed.by_ref().eq(known.iter()),
            }
        });
        if is_default {
            *paths = None;
        }
    }
}

/// What was asked of networks beside the mode: further ones, and addresses, aliases and links. What
/// the engine gave at the start is out.
fn endpoints(container: &Container) -> BTreeMap<String, EndpointSettings> {
    let networks = container.network_settings.networks.iter();
    let asked = networks.map(|(name, shown)| {
        let asked = EndpointSettings {
            ipam_config: shown.ipam_config.clone(),
            links: shown.links.clone(),
            aliases: shown.aliases.clone(),
            driver_opts: shown.driver_opts.clone(),
            gw_priority: shown.gw_priority,
            ..EndpointSettings::default()
        };
        (name.clone(), asked)
    });
    let mode = container.host_config().network_mode;
    let says_something = |(name, asked): &(String, EndpointSettings)| {
        *name != mode || *asked != EndpointSettings::default()
    };
    asked.filter(says_something).collect()
}

/// A processor's counters of thermal events: every machine has its own number of them.
fn is_thermal(path: &str) -> bool {
    path.starts_with("/sys/devices/system/cpu/cpu") && path.ends_with("/thermal_throttle")
}

/// What an image brings comes with it again; so another image brings its own.
fn without_image(config: &mut ContainerConfig, image: &ImageConfig) {
    let clear = |text: &mut String, of_image: &String| {
        if text == of_image {
            text.clear();
        }
    };
    clear(&mut config.user, &image.user);
    clear(&mut config.working_dir, &image.working_dir);
    clear(&mut config.stop_signal, &image.stop_signal);
    if config.healthcheck == image.healthcheck {
        config.healthcheck = None;
    }
    let of_image = image.env.as_deref().unwrap_or_default();
    let env = config.env.take().unwrap_or_default();
    let env: Vec<_> = env
        .into_iter()
        .filter(|one| !of_image.contains(one))
        .collect();
    config.env = (!env.is_empty()).then_some(env);
    let none = BTreeMap::new();
    let labels = image.labels.as_ref().unwrap_or(&none);
    config
        .labels
        .retain(|key, value| labels.get(key) != Some(value));
    config
        .exposed_ports
        .retain(|port, _| !image.exposed_ports.contains_key(port));
    without_command(config, image);
}

/// An entry point that was asked for keeps the image's command away, and one that was taken away
/// must be asked for as an empty one.
fn without_command(config: &mut ContainerConfig, image: &ImageConfig) {
    let words = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    let (entrypoint, command) = (words(&config.entrypoint), words(&config.cmd));
    let (its_entrypoint, its_command) = (words(&image.entrypoint), words(&image.cmd));
    if entrypoint == its_entrypoint {
        let is_its_command = command == its_command;
        if is_its_command || !command.is_empty() {
            config.entrypoint = None;
        }
        if is_its_command {
            config.cmd = None;
        }
    } else if entrypoint.is_empty() {
        config.entrypoint = Some(vec![String::new()]);
    }
}
