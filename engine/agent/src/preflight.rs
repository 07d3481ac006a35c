//! What must be so before an engine may begin, each failure one line with an exit code of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use engine_sys::file::Lock;

use crate::config::{Config, ConfigError};
use crate::http::listen::ListenError;
use crate::services::error::{ServiceError, chain};

/// The version of what lies in the data directory.
const DATA_VERSION: u32 = 1;

/// Why the engine does not begin. The numbers are part of the command's manual.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("gantry-engine must run as root: it makes namespaces, mounts and control groups")]
    NotRoot,
    #[error("this kernel lacks {feature}: {hint}")]
    Kernel {
        feature: &'static str,
        hint: &'static str,
    },
    #[error("another engine runs on the data in {0}")]
    DataInUse(PathBuf),
    #[error(
        "the data in {path} was written by a newer engine (version {found}, this one knows \
         {DATA_VERSION}); use that engine or another --data"
    )]
    NewerData { path: PathBuf, found: String },
    #[error("failed to {step} {path}")]
    Data {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error(transparent)]
    Users(#[from] crate::users::Refused),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Service(Box<dyn std::error::Error + Send + Sync>),
    #[error("failed to start the engine's threads")]
    Threads(#[source] std::io::Error),
}

impl From<ServiceError> for StartError {
    fn from(error: ServiceError) -> Self {
        Self::Service(Box::new(error))
    }
}

impl StartError {
    /// Returns the error and its causes in one line.
    pub fn in_one_line(&self) -> String {
        chain(self)
    }

    /// Returns the exit code: 2 settings, 3 not root, 4 kernel, 5 data in use, 6 socket in use,
    /// 7 newer data, 1 anything else.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Config(_) => 2,
            Self::NotRoot => 3,
            Self::Kernel { .. } | Self::Users(_) => 4,
            Self::DataInUse(_) => 5,
            Self::Listen(ListenError::InUse(_)) => 6,
            Self::NewerData { .. } => 7,
            _ => 1,
        })
    }
}

/// The ground an engine stands on; nobody else may use the data while it lives.
#[derive(Debug)]
pub struct Ground {
    _lock: Lock,
}

/// Checks the machine, makes the directories and takes the data for this engine alone.
///
/// # Errors
/// Names what is missing or in the way.
pub fn prepare(config: &Config) -> Result<Ground, StartError> {
    if !rustix::process::geteuid().is_root() {
        return Err(StartError::NotRoot);
    }
    check_kernel()?;
    let failed = |step, path: &Path| {
        let path = path.to_owned();
        move |source: engine_sys::SysError| StartError::Data {
            step,
            path,
            source: source.into(),
        }
    };
    for dir in [&config.data, &config.run] {
        engine_sys::file::create_private_dir(dir).map_err(failed("make", dir))?;
    }
    let lock = config.data.join("lock");
    let Some(lock) = Lock::try_take(&lock).map_err(failed("lock", &lock))? else {
        return Err(StartError::DataInUse(config.data.clone()));
    };
    check_version(&config.data)?;
    raise_descriptor_limit();
    become_late_victim();
    Ok(Ground { _lock: lock })
}

/// A thousand containers need some thousand descriptors; the soft limit is often 1,024. Programs
/// inside containers get limits of their own.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// Where the kernel keeps how soon this process is killed when the machine is out of memory.
const OOM_SCORE: &str = "/proc/self/oom_score_adj";

/// As Docker's daemon: before every ordinary process, but after nothing.
const OOM_SCORE_ADJ: i32 = -500;

/// A machine out of memory kills others first: the engine and its monitors, which inherit this, are
/// small, and they are how a person gets in to see what happened.
fn become_late_victim() {
    if oom_score_adj().is_some_and(|own| own <= OOM_SCORE_ADJ) {
        return;
    }
    if let Err(error) = fs::write(OOM_SCORE, OOM_SCORE_ADJ.to_string()) {
        tracing::debug!(%error, "the engine stays as likely a victim as any process");
    }
}

fn oom_score_adj() -> Option<i32> {
    fs::read_to_string(OOM_SCORE).ok()?.trim().parse().ok()
}

fn check_kernel() -> Result<(), StartError> {
    let missing = |feature, hint| Err(StartError::Kernel { feature, hint });
    let namespaces = [
        ("mnt", "mount namespaces"),
        ("pid", "process namespaces"),
        ("net", "network namespaces"),
        ("ipc", "IPC namespaces"),
        ("uts", "host name namespaces"),
        ("cgroup", "control group namespaces"),
    ];
    for (file, feature) in namespaces {
        if !Path::new("/proc/self/ns").join(file).exists() {
            return missing(
                feature,
                "it must be built with CONFIG_NAMESPACES and its parts",
            );
        }
    }
    if !fs::read_to_string("/proc/filesystems").is_ok_and(|list| list.contains("overlay"))
        && !fs::read_to_string("/proc/modules").is_ok_and(|list| list.contains("overlay "))
    {
        return missing("overlayfs", "load it with `modprobe overlay`");
    }
    if !Path::new("/proc/sys/kernel/seccomp").exists() {
        return missing(
            "seccomp filters",
            "it must be built with CONFIG_SECCOMP_FILTER",
        );
    }
    Ok(())
}

fn check_version(data: &Path) -> Result<(), StartError> {
    let path = data.join("version");
    let failed = |step| {
        let path = path.clone();
        move |source| StartError::Data { step, path, source }
    };
    match fs::read_to_string(&path) {
        Ok(text) => match text.trim().parse::<u32>() {
            Ok(version) if version <= DATA_VERSION => Ok(()),
            _ => Err(StartError::NewerData {
                path: data.to_owned(),
                found: text.trim().chars().take(20).collect(),
            }),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            engine_sys::file::replace(&path, format!("{DATA_VERSION}\n").as_bytes())
                .map_err(|e| failed("write")(e.into()))
        }
        Err(error) => Err(failed("read")(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(dir: &Path) -> Config {
        Config {
            socket: dir.join("s"),
            socket_group: 0,
            data: dir.join("data"),
            run: dir.join("run"),
            registry_mirrors: Vec::new(),
            insecure_registries: Vec::new(),
            registry_certs: dir.join("certs.d"),
            cgroup_parent: "gantry-test".to_owned(),
            confined: false,
            userns_remap: None,
            bridge: "gantry0".to_owned(),
            address_pools: Vec::new(),
            log: "info".to_owned(),
        }
    }

    #[test]
    fn a_second_engine_on_the_same_data_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        let ground = prepare(&config).unwrap();
        assert!(matches!(prepare(&config), Err(StartError::DataInUse(_))));
        drop(ground);
        assert!(prepare(&config).is_ok());
    }

    #[test]
    fn data_of_a_newer_engine_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        drop(prepare(&config).unwrap());
        fs::write(config.data.join("version"), "2\n").unwrap();
        let error = prepare(&config).unwrap_err();
        assert!(
            error.to_string().contains("version 2, this one knows 1"),
            "{error}"
        );
        assert_eq!(error.exit_code(), ExitCode::from(7));
    }
}
