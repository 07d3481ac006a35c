//! The flags of `docker run`: one row each, read both ways.
//!
//! [`super::paste`] fills the form from them, [`super::equivalent`] writes them from the form.

use super::Typed;

/// Where the value of a flag goes.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// Replaces the field.
    Field(fn(&mut Typed) -> &mut String),
    /// Adds a line to the field.
    Line(fn(&mut Typed) -> &mut String),
    /// Adds a word to the field.
    Word(fn(&mut Typed) -> &mut String),
    /// Turns the switch on; takes no value.
    Switch(fn(&mut Typed) -> &mut String),
    /// Changes nothing about the container; takes no value.
    Nothing,
    /// Needs reading of its own; see [`super::paste`].
    Special,
    /// Known, without effect here; takes a value.
    Unsupported,
    /// Known, without effect here; takes none.
    UnsupportedSwitch,
}

/// A flag of `docker run`.
pub(super) struct Flag {
    pub(super) long: &'static str,
    pub(super) short: Option<char>,
    pub(super) target: Target,
}

const fn flag(long: &'static str, target: Target) -> Flag {
    Flag {
        long,
        short: None,
        target,
    }
}

const fn short(letter: char, long: &'static str, target: Target) -> Flag {
    Flag {
        long,
        short: Some(letter),
        target,
    }
}

use Target::{Field, Line, Nothing, Special, Switch, Unsupported, UnsupportedSwitch, Word};

/// Every flag of `docker run` 28. Flags of the form stand in the order of the equivalent line.
pub(super) const FLAGS: &[Flag] = &[
    short('d', "detach", Nothing),
    flag("name", Field(|typed| &mut typed.name)),
    flag("rm", Switch(|typed| &mut typed.auto_remove)),
    short('i', "interactive", Switch(|typed| &mut typed.stdin)),
    short('t', "tty", Switch(|typed| &mut typed.tty)),
    flag("network", Special),
    flag("net", Special),
    flag("add-host", Line(|typed| &mut typed.extra_hosts)),
    flag("dns", Word(|typed| &mut typed.dns)),
    short('h', "hostname", Field(|typed| &mut typed.hostname)),
    flag("domainname", Field(|typed| &mut typed.domainname)),
    short('u', "user", Field(|typed| &mut typed.user)),
    flag("group-add", Word(|typed| &mut typed.groups)),
    short('w', "workdir", Field(|typed| &mut typed.working_dir)),
    flag("entrypoint", Field(|typed| &mut typed.entrypoint)),
    short('e', "env", Special),
    short('l', "label", Line(|typed| &mut typed.labels)),
    short('v', "volume", Special),
    flag("mount", Special),
    flag("tmpfs", Line(|typed| &mut typed.tmpfs)),
    short('m', "memory", Field(|typed| &mut typed.memory)),
    flag("cpus", Field(|typed| &mut typed.cpus)),
    short('c', "cpu-shares", Field(|typed| &mut typed.cpu_shares)),
    flag("pids-limit", Field(|typed| &mut typed.pids)),
    flag("shm-size", Field(|typed| &mut typed.shm_size)),
    flag("ulimit", Line(|typed| &mut typed.ulimits)),
    flag("read-only", Switch(|typed| &mut typed.read_only)),
    flag("cap-add", Word(|typed| &mut typed.cap_add)),
    flag("cap-drop", Word(|typed| &mut typed.cap_drop)),
    flag("security-opt", Special),
    flag("stop-signal", Field(|typed| &mut typed.stop_signal)),
    flag("stop-timeout", Field(|typed| &mut typed.stop_timeout)),
    flag("log-driver", Special),
    flag("log-opt", Special),
    flag("restart", Special),
    flag("sig-proxy", Nothing),
    short('q', "quiet", Nothing),
    flag("disable-content-trust", Nothing),
    short('a', "attach", Unsupported),
    short('p', "publish", Unsupported),
    short('P', "publish-all", UnsupportedSwitch),
    flag("init", UnsupportedSwitch),
    flag("privileged", UnsupportedSwitch),
    flag("no-healthcheck", UnsupportedSwitch),
    flag("oom-kill-disable", UnsupportedSwitch),
    flag("help", UnsupportedSwitch),
    flag("annotation", Unsupported),
    flag("blkio-weight", Unsupported),
    flag("blkio-weight-device", Unsupported),
    flag("cgroup-parent", Unsupported),
    flag("cgroupns", Unsupported),
    flag("cidfile", Unsupported),
    flag("cpu-period", Unsupported),
    flag("cpu-quota", Unsupported),
    flag("cpu-rt-period", Unsupported),
    flag("cpu-rt-runtime", Unsupported),
    flag("cpuset-cpus", Unsupported),
    flag("cpuset-mems", Unsupported),
    flag("detach-keys", Unsupported),
    flag("device", Unsupported),
    flag("device-cgroup-rule", Unsupported),
    flag("device-read-bps", Unsupported),
    flag("device-read-iops", Unsupported),
    flag("device-write-bps", Unsupported),
    flag("device-write-iops", Unsupported),
    flag("dns-option", Unsupported),
    flag("dns-search", Unsupported),
    flag("env-file", Unsupported),
    flag("expose", Unsupported),
    flag("gpus", Unsupported),
    flag("health-cmd", Unsupported),
    flag("health-interval", Unsupported),
    flag("health-retries", Unsupported),
    flag("health-start-interval", Unsupported),
    flag("health-start-period", Unsupported),
    flag("health-timeout", Unsupported),
    flag("ip", Unsupported),
    flag("ip6", Unsupported),
    flag("ipc", Unsupported),
    flag("isolation", Unsupported),
    flag("kernel-memory", Unsupported),
    flag("label-file", Unsupported),
    flag("link", Unsupported),
    flag("link-local-ip", Unsupported),
    flag("mac-address", Unsupported),
    flag("memory-reservation", Unsupported),
    flag("memory-swap", Unsupported),
    flag("memory-swappiness", Unsupported),
    flag("network-alias", Unsupported),
    flag("oom-score-adj", Unsupported),
    flag("pid", Unsupported),
    flag("platform", Unsupported),
    flag("pull", Unsupported),
    flag("runtime", Unsupported),
    flag("storage-opt", Unsupported),
    flag("sysctl", Unsupported),
    flag("userns", Unsupported),
    flag("uts", Unsupported),
    flag("volume-driver", Unsupported),
    flag("volumes-from", Unsupported),
];
