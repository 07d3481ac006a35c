//! Resource limits by Docker's names.

use rustix::process::{Resource, Rlimit};

use crate::{During as _, Errno, Result, SysError};

/// Finds the limit that Docker calls `name`.
fn named(name: &str) -> Option<Resource> {
    Some(match name {
        "as" => Resource::As,
        "core" => Resource::Core,
        "cpu" => Resource::Cpu,
        "data" => Resource::Data,
        "fsize" => Resource::Fsize,
        "locks" => Resource::Locks,
        "memlock" => Resource::Memlock,
        "msgqueue" => Resource::Msgqueue,
        "nice" => Resource::Nice,
        "nofile" => Resource::Nofile,
        "nproc" => Resource::Nproc,
        "rss" => Resource::Rss,
        "rtprio" => Resource::Rtprio,
        "rttime" => Resource::Rttime,
        "sigpending" => Resource::Sigpending,
        "stack" => Resource::Stack,
        _ => return None,
    })
}

/// Says whether a limit of this name exists.
pub fn exists(name: &str) -> bool {
    named(name).is_some()
}

/// Returns the hard limit of this process; `None` when the name is unknown or there is no limit.
pub fn most(name: &str) -> Option<u64> {
    rustix::process::getrlimit(named(name)?).maximum
}

/// Sets a limit of this process; without the right to raise it, as far as it may go.
///
/// # Errors
/// `EINVAL` when the name is unknown or the soft limit is above the hard one.
pub fn set(name: &str, soft: u64, hard: u64) -> Result<()> {
    let resource = named(name).ok_or_else(|| SysError::new("setrlimit", name, Errno::INVAL))?;
    match rustix::process::setrlimit(resource, limit(soft, hard)) {
        Err(Errno::PERM) => {
            let most = rustix::process::getrlimit(resource)
                .maximum
                .unwrap_or(u64::MAX);
            rustix::process::setrlimit(resource, limit(soft.min(most), hard.min(most)))
                .during("setrlimit", name)
        }
        result => result.during("setrlimit", name),
    }
}

/// Raises the hard limit of this process, as far as it may go; the soft one stays.
///
/// # Errors
/// `EINVAL` when the name is unknown.
pub fn raise_most(name: &str, hard: u64) -> Result<()> {
    let resource = named(name).ok_or_else(|| SysError::new("setrlimit", name, Errno::INVAL))?;
    let now = rustix::process::getrlimit(resource);
    if now.maximum.is_none_or(|most| most >= hard) {
        return Ok(());
    }
    let soft = now.current.unwrap_or(u64::MAX);
    match rustix::process::setrlimit(resource, limit(soft.min(hard), hard)) {
        Err(Errno::PERM) => Ok(()),
        result => result.during("setrlimit", name),
    }
}

fn limit(soft: u64, hard: u64) -> Rlimit {
    let finite = |value: u64| (value != u64::MAX).then_some(value);
    Rlimit {
        current: finite(soft),
        maximum: finite(hard),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_limit_is_refused() {
        assert_eq!(
            set("files", 1, 1).map_err(|error| error.errno),
            Err(Errno::INVAL)
        );
    }

    #[test]
    fn a_limit_is_set() {
        set("core", 0, u64::MAX).expect("lowering is allowed");

        assert_eq!(rustix::process::getrlimit(Resource::Core).current, Some(0));
    }
}
