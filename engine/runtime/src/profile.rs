//! The default profile of a container, as data: what it may do, see and open.
//!
//! The values are Docker's, with three differences on purpose: processes are limited to 4,096, the
//! tunnel device (`c 10:200`) is there only on request, and open files are limited by us instead of
//! by the service manager. The system call filter is in `seccomp/`. **Invariant:** data only; `init`
//! and `cgroups` act on it.

use std::{fs, path::Path};

use engine_sys::capability::{Capability, CapabilitySet};

use crate::{
    Rlimit,
    cgroups::{Access, DeviceKind, DeviceRule},
};

/// The capabilities of a container that asks for none: Docker's fourteen.
pub const CAPABILITIES: [Capability; 14] = [
    Capability::CHOWN,
    Capability::DAC_OVERRIDE,
    Capability::FSETID,
    Capability::FOWNER,
    Capability::MKNOD,
    Capability::NET_RAW,
    Capability::SETGID,
    Capability::SETUID,
    Capability::SETFCAP,
    Capability::SETPCAP,
    Capability::NET_BIND_SERVICE,
    Capability::SYS_CHROOT,
    Capability::KILL,
    Capability::AUDIT_WRITE,
];

/// What a container does not see of `/proc` and `/sys`; [`default_masked_paths`] adds processors.
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

/// What a container reads of `/proc` and does not write.
const READONLY_PATHS: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// The most processes of a container that names no limit.
pub const PIDS_LIMIT: u64 = 4096;

/// The size of `/dev/shm` of a container that names none.
pub const SHM_BYTES: u64 = 64 << 20;

/// A character device that every container has in `/dev`, mode 0666.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    pub path: &'static str,
    pub major: u32,
    pub minor: u32,
}

/// The device nodes that every container has.
pub const DEVICES: [Device; 6] = [
    device("/dev/null", 1, 3),
    device("/dev/zero", 1, 5),
    device("/dev/full", 1, 7),
    device("/dev/random", 1, 8),
    device("/dev/urandom", 1, 9),
    device("/dev/tty", 5, 0),
];

/// The links that every container has in `/dev`: name, target.
pub const DEVICE_LINKS: [(&str, &str); 6] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/ptmx", "pts/ptmx"),
    ("/dev/core", "/proc/kcore"),
];

/// The devices that every container may use. Nodes of others may be made, not opened.
pub const DEVICE_RULES: [DeviceRule; 11] = [
    any_node(DeviceKind::Character),
    any_node(DeviceKind::Block),
    // null, zero, full, random, urandom
    character(1, Some(3)),
    character(1, Some(5)),
    character(1, Some(7)),
    character(1, Some(8)),
    character(1, Some(9)),
    // tty, console, ptmx, pts/*
    character(5, Some(0)),
    character(5, Some(1)),
    character(5, Some(2)),
    character(136, None),
];

/// A standard mount, in the order of mounting; the flags are mount(8)'s words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandardMount {
    pub target: &'static str,
    /// The file system's type; `cgroup` is the container's own view of its control groups.
    pub kind: &'static str,
    pub flags: &'static [&'static str],
    /// Options of the file system itself.
    pub data: &'static [(&'static str, &'static str)],
}

/// The mounts that every container has. `/dev/shm` also gets its `size`.
pub const MOUNTS: [StandardMount; 7] = [
    StandardMount {
        target: "/proc",
        kind: "proc",
        flags: &["nosuid", "noexec", "nodev"],
        data: &[],
    },
    StandardMount {
        target: "/dev",
        kind: "tmpfs",
        flags: &["nosuid", "strictatime"],
        data: &[("mode", "755"), ("size", "65536k")],
    },
    StandardMount {
        target: "/dev/pts",
        kind: "devpts",
        flags: &["nosuid", "noexec"],
        data: &[("newinstance", ""), ("ptmxmode", "0666"), ("mode", "0620")],
    },
    StandardMount {
        target: "/sys",
        kind: "sysfs",
        flags: &["nosuid", "noexec", "nodev", "ro"],
        data: &[],
    },
    StandardMount {
        target: "/sys/fs/cgroup",
        kind: "cgroup",
        flags: &["nosuid", "noexec", "nodev", "ro"],
        data: &[],
    },
    StandardMount {
        target: "/dev/mqueue",
        kind: "mqueue",
        flags: &["nosuid", "noexec", "nodev"],
        data: &[],
    },
    StandardMount {
        target: "/dev/shm",
        kind: "tmpfs",
        flags: &["nosuid", "noexec", "nodev"],
        data: &[("mode", "1777")],
    },
];

/// Returns the default capabilities as a set.
pub fn capability_set() -> CapabilitySet {
    CAPABILITIES.into_iter().collect()
}

/// Returns the default capabilities by name.
pub fn default_capabilities() -> Vec<String> {
    CAPABILITIES.iter().map(ToString::to_string).collect()
}

/// Returns what a container does not see of `/proc` and `/sys` on this machine.
pub fn default_masked_paths() -> Vec<String> {
    let fixed = MASKED_PATHS.map(String::from).into_iter();
    fixed
        .chain(thermal_paths(Path::new("/sys/devices/system/cpu")))
        .collect()
}

/// Returns what a container reads of `/proc` and does not write.
pub fn default_readonly_paths() -> Vec<String> {
    READONLY_PATHS.map(String::from).to_vec()
}

/// Returns the resource limits of a container that names none.
pub fn default_rlimits() -> Vec<Rlimit> {
    let limit = |name: &str, soft, hard| Rlimit {
        name: name.to_owned(),
        soft,
        hard,
    };
    vec![limit("nofile", 1024, 524_288), limit("core", 0, 0)]
}

/// Lists each processor's counters of thermal events, which tell what other tenants compute.
fn thermal_paths(processors: &Path) -> Vec<String> {
    let mut paths: Vec<String> = fs::read_dir(processors)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix("cpu"));
            number.is_some_and(|digits| digits.parse::<u32>().is_ok())
        })
        .map(|entry| entry.path().join("thermal_throttle"))
        .filter(|path| path.is_dir())
        .filter_map(|path| path.to_str().map(str::to_owned))
        .collect();
    paths.sort_unstable();
    paths
}

const fn device(path: &'static str, major: u32, minor: u32) -> Device {
    Device { path, major, minor }
}

const fn character(major: u32, minor: Option<u32>) -> DeviceRule {
    DeviceRule {
        kind: DeviceKind::Character,
        major: Some(major),
        minor,
        access: Access::ALL,
    }
}

const fn any_node(kind: DeviceKind) -> DeviceRule {
    DeviceRule {
        kind,
        major: None,
        minor: None,
        access: Access::MKNOD,
    }
}

/// What may be mounted over in `/proc`: files that only tell numbers (lxcfs does it).
const HARMLESS: [&str; 8] = [
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/slabinfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
];

/// Tells whether something may be mounted over a file of the kernel.
pub fn may_cover(target: &str) -> bool {
    HARMLESS.contains(&target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_processor_with_counters_is_masked() {
        let dir = tempfile::tempdir().unwrap();
        for path in [
            "cpu0/thermal_throttle",
            "cpu11/thermal_throttle",
            "cpu2",
            "cpufreq",
            "cpuidle",
        ] {
            fs::create_dir_all(dir.path().join(path)).unwrap();
        }

        let found = thermal_paths(dir.path());

        let expected = ["cpu0", "cpu11"].map(|cpu| dir.path().join(cpu).join("thermal_throttle"));
        assert_eq!(found.iter().map(Path::new).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_device_made_may_be_opened() {
        for device in DEVICES {
            let rule = character(device.major, Some(device.minor));
            assert!(DEVICE_RULES.contains(&rule), "{}", device.path);
        }
        let tunnel = |rule: &DeviceRule| rule.major == Some(10);
        assert!(!DEVICE_RULES.iter().any(tunnel), "only on request");
    }

    #[test]
    fn names_are_what_a_spec_holds() {
        let names = default_capabilities();

        assert_eq!(names.len(), 14);
        assert_eq!(names[0], "CAP_CHOWN");
        assert_eq!(
            capability_set().bits(),
            0xa804_25fb,
            "what Docker containers show as CapBnd"
        );
    }
}
