//! The settings of one engine: flags, then environment, then a TOML file, then defaults.

use std::path::PathBuf;

use clap::Args;
use engine_api::ours::{GROUP, GROUP_NUMBER};
use engine_network::pool::Pool;
use serde::Deserialize;

use crate::users::{self, Remap};

/// What a person may set. Each flag has a twin in the environment and in the file.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Read further settings from this TOML file (`socket = "…"`, `registry-mirror = ["…"]`).
    #[arg(long, value_name = "FILE", env = "GANTRY_ENGINE_CONFIG")]
    #[serde(skip)]
    config: Option<PathBuf>,

    /// Serve the Docker Engine API on this socket [default: /run/gantry/engine.sock]
    #[arg(long, value_name = "PATH", env = "GANTRY_ENGINE_SOCKET")]
    socket: Option<PathBuf>,

    /// Let this group use the socket, by name or number; whoever is in it is as good as root
    /// [default: gantry where there is such a group, else the number 64440, which needs none]
    #[arg(long, value_name = "GROUP", env = "GANTRY_ENGINE_SOCKET_GROUP")]
    socket_group: Option<String>,

    /// Keep images and containers here [default: /var/lib/gantry-engine]
    #[arg(long, value_name = "DIR", env = "GANTRY_ENGINE_DATA")]
    data: Option<PathBuf>,

    /// Keep what a reboot may lose here [default: /run/gantry-engine]
    #[arg(long, value_name = "DIR", env = "GANTRY_ENGINE_RUN")]
    run: Option<PathBuf>,

    /// Ask this registry first for images of docker.io; may be given more than once.
    #[arg(
        long,
        value_name = "URL",
        env = "GANTRY_ENGINE_REGISTRY_MIRROR",
        value_delimiter = ','
    )]
    registry_mirror: Vec<String>,

    /// Reach this registry without TLS or a valid certificate; may be given more than once.
    /// Registries on loopback need no such permission.
    #[arg(
        long,
        value_name = "HOST",
        env = "GANTRY_ENGINE_INSECURE_REGISTRY",
        value_delimiter = ','
    )]
    insecure_registry: Vec<String>,

    /// Look here for what single registries have for TLS, as Docker's certs.d: HOST[:PORT]/*.crt are
    /// authorities to trust for that registry, a pair *.cert and *.key is shown to it
    /// [default: /etc/gantry/certs.d]
    #[arg(long, value_name = "DIR", env = "GANTRY_ENGINE_REGISTRY_CERTS")]
    registry_certs: Option<PathBuf>,

    /// Put containers below this control group of each hierarchy [default: gantry]
    #[arg(long, value_name = "NAME", env = "GANTRY_ENGINE_CGROUP_PARENT")]
    cgroup_parent: Option<String>,

    /// Refuse containers that reach beyond themselves: privileged ones, the host's namespaces and
    /// devices, other system call filters, powers over the whole kernel.
    #[arg(long, env = "GANTRY_ENGINE_CONFINED")]
    confined: bool,

    /// Let root and the other users of containers be others on the host: whose range in /etc/subuid
    /// and /etc/subgid they are (user, user:group, default for dockremap), or FIRST+COUNT, the users
    /// from number FIRST on. A container made with --userns=host is left out.
    #[arg(long, value_name = "USER", env = "GANTRY_ENGINE_USERNS_REMAP")]
    userns_remap: Option<String>,

    /// Call the bridge of containers that name no network so; what this engine makes in the host's
    /// network is known by it, so two engines of one host need two [default: gantry0]
    #[arg(long, value_name = "NAME", env = "GANTRY_ENGINE_BRIDGE")]
    bridge: Option<String>,

    /// Take the subnets of networks from here, as base=10.20.0.0/16,size=24; may be given more than
    /// once [default: Docker's]
    #[arg(
        long,
        value_name = "POOL",
        env = "GANTRY_ENGINE_DEFAULT_ADDRESS_POOL",
        value_delimiter = ';'
    )]
    default_address_pool: Vec<String>,

    /// What to log, as `info` or `engine_agent=debug` [default: info]
    #[arg(long, value_name = "FILTER", env = "GANTRY_ENGINE_LOG")]
    log: Option<String>,
}

/// The settings, complete and checked; never changed afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the API is served.
    pub socket: PathBuf,
    /// The number of the group that may use it.
    pub socket_group: u32,
    /// What must survive a reboot.
    pub data: PathBuf,
    /// What need not.
    pub run: PathBuf,
    /// Stand-ins for docker.io, in the order they are asked.
    pub registry_mirrors: Vec<String>,
    /// Registries that may be reached without TLS.
    pub insecure_registries: Vec<String>,
    /// Where registries have certificates of their own.
    pub registry_certs: PathBuf,
    /// The control group above all containers.
    pub cgroup_parent: String,
    /// Containers that reach beyond themselves are refused.
    pub confined: bool,
    /// Who the users of containers are on the host, where those are others.
    pub userns_remap: Option<Remap>,
    /// The default bridge.
    pub bridge: String,
    /// Where subnets come from that nobody names.
    pub address_pools: Vec<Pool>,
    /// What is logged.
    pub log: String,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("failed to read settings from {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no such TOML.
    #[error("the settings in {path} are not valid: {reason}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Why, in one line.
        reason: String,
    },
    /// The users of containers cannot be those.
    #[error("--userns-remap {value:?} cannot be used: {reason}")]
    Users {
        /// What was asked for.
        value: String,
        /// Why not.
        reason: String,
    },
    /// A value is out of its range.
    #[error("{name} must be {rule}, not {value:?}")]
    Value {
        /// The setting.
        name: &'static str,
        /// What it must be.
        rule: &'static str,
        /// What it is.
        value: String,
    },
}

impl Settings {
    /// Reads the file, if one is named, fills in defaults and checks every value.
    ///
    /// # Errors
    /// Names the setting that cannot be used.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let file = match &self.config {
            None => Self::default(),
            Some(path) => read(path)?,
        };
        let list =
            |flags: Vec<String>, file: Vec<String>| if flags.is_empty() { file } else { flags };
        let config = Config {
            socket_group: group(self.socket_group.or(file.socket_group))?,
            socket: pick(self.socket, file.socket, "/run/gantry/engine.sock"),
            data: pick(self.data, file.data, "/var/lib/gantry-engine"),
            run: pick(self.run, file.run, "/run/gantry-engine"),
            registry_mirrors: list(self.registry_mirror, file.registry_mirror),
            insecure_registries: list(self.insecure_registry, file.insecure_registry),
            registry_certs: pick(
                self.registry_certs,
                file.registry_certs,
                "/etc/gantry/certs.d",
            ),
            cgroup_parent: pick(self.cgroup_parent, file.cgroup_parent, "gantry"),
            confined: self.confined || file.confined,
            userns_remap: remap(self.userns_remap.or(file.userns_remap))?,
            bridge: pick(self.bridge, file.bridge, "gantry0"),
            address_pools: pools(&list(self.default_address_pool, file.default_address_pool))?,
            log: pick(self.log, file.log, "info"),
        };
        config.check()?;
        Ok(config)
    }
}

impl Config {
    fn check(&self) -> Result<(), ConfigError> {
        for (name, path) in [
            ("--socket", &self.socket),
            ("--data", &self.data),
            ("--run", &self.run),
            ("--registry-certs", &self.registry_certs),
        ] {
            if !path.is_absolute() {
                let value = path.display().to_string();
                return Err(ConfigError::Value {
                    name,
                    rule: "an absolute path",
                    value,
                });
            }
        }
        // A monitor's socket is <run>/containers/<12 digits>/monitor.sock and must fit 107 bytes.
        const RUN_MAX_BYTES: usize = 64;
        if self.run.as_os_str().len() > RUN_MAX_BYTES {
            let value = self.run.display().to_string();
            return Err(ConfigError::Value {
                name: "--run",
                rule: "at most 64 bytes long",
                value,
            });
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if self.cgroup_parent.is_empty() || !self.cgroup_parent.bytes().all(plain) {
            let rule = "one name of letters, digits, - and _";
            let value = self.cgroup_parent.clone();
            return Err(ConfigError::Value {
                name: "--cgroup-parent",
                rule,
                value,
            });
        }
        // Room for the names that are made of it.
        const BRIDGE_MAX_BYTES: usize = 15;
        let is_plain = self.bridge.bytes().all(plain);
        if self.bridge.is_empty() || !is_plain || self.bridge.len() > BRIDGE_MAX_BYTES {
            return Err(ConfigError::Value {
                name: "--bridge",
                rule: "a name of at most 15 letters, digits, - and _",
                value: self.bridge.clone(),
            });
        }
        Ok(())
    }
}

/// Reads where subnets come from.
fn pools(texts: &[String]) -> Result<Vec<Pool>, ConfigError> {
    if texts.is_empty() {
        return Ok(Pool::defaults());
    }
    let read = |text: &String| {
        text.parse::<Pool>().map_err(|_| ConfigError::Value {
            name: "--default-address-pool",
            rule: "a subnet and the size of its parts, as base=10.20.0.0/16,size=24",
            value: text.clone(),
        })
    };
    texts.iter().map(read).collect()
}

/// Names the place where a test wants a debug build to die; see `faults.rs`.
#[cfg(debug_assertions)]
#[expect(clippy::disallowed_methods, reason = "this is the crate's config.rs")]
pub(crate) fn fault() -> Option<String> {
    std::env::var("GANTRY_ENGINE_FAULT").ok()
}

/// Finds the number of a group.
fn group(named: Option<String>) -> Result<u32, ConfigError> {
    let is_named = named.is_some();
    let name = named.unwrap_or_else(|| GROUP.to_owned());
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    match nix::unistd::Group::from_name(&name) {
        Ok(Some(group)) => Ok(group.gid.as_raw()),
        _ if !is_named => Ok(GROUP_NUMBER),
        _ => Err(ConfigError::Value {
            name: "--socket-group",
            rule: "a group of this machine, or a number",
            value: name,
        }),
    }
}

/// Reads who the users of containers are on the host; an empty text says "the same".
fn remap(asked: Option<String>) -> Result<Option<Remap>, ConfigError> {
    let Some(value) = asked.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let read = users::parse(&value);
    read.map(Some)
        .map_err(|reason| ConfigError::Users { value, reason })
}

fn pick<T: for<'a> From<&'a str>>(flag: Option<T>, file: Option<T>, default: &str) -> T {
    flag.or(file).unwrap_or_else(|| T::from(default))
}

fn read(path: &PathBuf) -> Result<Settings, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.clone(),
        source,
    })?;
    toml::from_str(&text).map_err(|e| ConfigError::Parse {
        path: path.clone(),
        reason: e.message().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine.toml");
        std::fs::write(
            &path,
            "data = '/file/data'\nrun = '/file/run'\nregistry-mirror = ['a']",
        )
        .unwrap();
        let settings = Settings {
            config: Some(path),
            run: Some("/flag/run".into()),
            ..Settings::default()
        };
        let config = settings.resolve().unwrap();
        assert_eq!(config.run, PathBuf::from("/flag/run"));
        assert_eq!(config.data, PathBuf::from("/file/data"));
        assert_eq!(config.socket, PathBuf::from("/run/gantry/engine.sock"));
        assert_eq!(config.registry_mirrors, ["a"]);
    }

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        let refused = |settings: Settings| settings.resolve().unwrap_err().to_string();
        assert_eq!(
            refused(Settings {
                data: Some("here".into()),
                ..Settings::default()
            }),
            "--data must be an absolute path, not \"here\""
        );
        assert_eq!(
            refused(Settings {
                socket_group: Some("no-such-group".into()),
                ..Settings::default()
            }),
            "--socket-group must be a group of this machine, or a number, not \"no-such-group\""
        );
        assert_eq!(
            refused(Settings {
                cgroup_parent: Some("a/../b".into()),
                ..Settings::default()
            }),
            "--cgroup-parent must be one name of letters, digits, - and _, not \"a/../b\""
        );
    }

    #[test]
    fn the_sockets_group_is_by_name_or_number_and_never_roots_by_default() {
        let group = |named: Option<&str>| {
            let socket_group = named.map(str::to_owned);
            let settings = Settings {
                socket_group,
                ..Settings::default()
            };
            settings.resolve().unwrap().socket_group
        };
        assert_eq!(group(Some("4711")), 4711);
        assert_eq!(group(Some("root")), 0, "only when asked for");
        assert_ne!(group(None), 0);
    }

    #[test]
    fn an_unknown_setting_in_the_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine.toml");
        std::fs::write(&path, "sokcet = '/x'").unwrap();
        let settings = Settings {
            config: Some(path),
            ..Settings::default()
        };
        assert!(
            settings
                .resolve()
                .unwrap_err()
                .to_string()
                .contains("sokcet")
        );
    }
}
