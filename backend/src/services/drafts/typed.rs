//! The create form as it was typed.

use serde::{Deserialize, Serialize};

/// Every field of the create form, by its `name`; empty means "as the image and the engine say".
///
/// A switch is empty or `on`. A list has an item a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Typed {
    /// The image's name, tag or id.
    pub image: String,
    /// The container's name.
    pub name: String,
    /// Words after the image, quoted as in a shell.
    pub command: String,
    /// Words that replace the image's entrypoint, quoted as in a shell.
    pub entrypoint: String,
    /// Lines of `NAME=value`.
    pub environment: String,
    /// The directory to begin in.
    pub working_dir: String,
    /// `user`, `user:group`, by name or number.
    pub user: String,
    /// Supplementary groups, separated by blanks.
    pub groups: String,
    /// The host name inside.
    pub hostname: String,
    /// The domain name inside.
    pub domainname: String,
    /// Switch: a terminal.
    pub tty: String,
    /// Switch: standard input stays open.
    pub stdin: String,
    /// `none` or `host`.
    pub network: String,
    /// Lines of `name:address` for `/etc/hosts`.
    pub extra_hosts: String,
    /// Name servers, separated by blanks.
    pub dns: String,
    /// The most memory, as `512m`.
    pub memory: String,
    /// Processors, as `1.5`.
    pub cpus: String,
    /// Weight against others when processors are short.
    pub cpu_shares: String,
    /// The most processes; `-1` for no limit.
    pub pids: String,
    /// The size of `/dev/shm`, as `64m`.
    pub shm_size: String,
    /// Lines of `name=soft[:hard]`.
    pub ulimits: String,
    /// Lines of `/host/path:/container/path[:ro]`.
    pub mounts: String,
    /// Lines of `/path[:options]`.
    pub tmpfs: String,
    /// Switch: the root file system cannot be written.
    pub read_only: String,
    /// Capabilities to add, separated by blanks.
    pub cap_add: String,
    /// Capabilities to drop, separated by blanks.
    pub cap_drop: String,
    /// Switch: no program inside gains rights.
    pub no_new_privileges: String,
    /// The signal that asks it to stop.
    pub stop_signal: String,
    /// Seconds between that signal and the end.
    pub stop_timeout: String,
    /// Switch: removed when it ends.
    pub auto_remove: String,
    /// Lines of `name=value`.
    pub labels: String,
    /// The most that one log file holds, as `10m`.
    pub log_max_size: String,
    /// How many log files are kept.
    pub log_max_files: String,
}

/// Returns whether a switch is on.
pub(super) fn is_on(switch: &str) -> bool {
    !switch.is_empty()
}

/// Returns the items of a field with one a line.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Returns the items of a field with a `name=value` a line: a value may end with blanks.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim_start)
        .filter(|line| !line.is_empty())
}

/// Returns the items of a field with blanks or commas between them.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', '\n', '\r', '\t'])
        .filter(|word| !word.is_empty())
}
