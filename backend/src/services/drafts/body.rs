//! A draft in the engine's words.

use engine_api::containers::{ContainerConfig, CreateBody, HostConfig, LogConfig, Ulimit};

use super::Draft;

impl Draft {
    /// Returns the body that asks the engine for this container.
    pub fn body(&self) -> CreateBody {
        CreateBody {
            config: self.config(),
            host_config: self.host_config(),
            ..CreateBody::default()
        }
    }

    fn config(&self) -> ContainerConfig {
        ContainerConfig {
            image: self.image.clone(),
            cmd: some(&self.command),
            entrypoint: some(&self.entrypoint),
            env: some(&self.environment),
            working_dir: self.working_dir.clone(),
            user: self.user.clone(),
            hostname: self.hostname.clone(),
            domainname: self.domainname.clone(),
            tty: self.tty,
            open_stdin: self.stdin,
            labels: self.labels.iter().cloned().collect(),
            stop_signal: self.stop_signal.clone(),
            stop_timeout: self.stop_timeout,
            ..ContainerConfig::default()
        }
    }

    fn host_config(&self) -> HostConfig {
        let ulimit = |(name, soft, hard): &(String, i64, i64)| Ulimit {
            name: name.clone(),
            soft: *soft,
            hard: *hard,
        };
        let no_new_privileges = || vec!["no-new-privileges:true".to_owned()];
        HostConfig {
            binds: some(&self.mounts),
            log_config: LogConfig {
                kind: String::new(),
                config: self.log_options.iter().cloned().collect(),
            },
            network_mode: self.network.clone(),
            auto_remove: self.auto_remove,
            cap_add: some(&self.cap_add),
            cap_drop: some(&self.cap_drop),
            dns: self.dns.clone(),
            extra_hosts: some(&self.extra_hosts),
            group_add: some(&self.groups),
            readonly_rootfs: self.read_only,
            security_opt: self.no_new_privileges.then(no_new_privileges),
            shm_size: self.shm_size,
            tmpfs: self.tmpfs.iter().cloned().collect(),
            memory: self.memory,
            nano_cpus: self.nano_cpus,
            cpu_shares: self.cpu_shares,
            pids_limit: self.pids,
            ulimits: (!self.ulimits.is_empty()).then(|| self.ulimits.iter().map(ulimit).collect()),
            ..HostConfig::default()
        }
    }
}

fn some(items: &[String]) -> Option<Vec<String>> {
    (!items.is_empty()).then(|| items.to_vec())
}
