//! Capabilities: their names, sets of them, and the five sets of a thread.

use std::{fmt, str::FromStr};

use nix::errno::Errno;

use crate::{During, Result, SysError};

/// Every capability this build knows, by its kernel number.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// One capability, by its kernel number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(u8);

macro_rules! constants {
    ($($name:ident = $number:literal),+ $(,)?) => {
        impl Capability {
            $(#[doc = concat!("CAP_", stringify!($name))] pub const $name: Self = Self($number);)+
        }
    };
}

constants! {
    CHOWN = 0, DAC_OVERRIDE = 1, DAC_READ_SEARCH = 2, FOWNER = 3, FSETID = 4, KILL = 5,
    SETGID = 6, SETUID = 7, SETPCAP = 8, LINUX_IMMUTABLE = 9, NET_BIND_SERVICE = 10,
    NET_BROADCAST = 11, NET_ADMIN = 12, NET_RAW = 13, IPC_LOCK = 14, IPC_OWNER = 15,
    SYS_MODULE = 16, SYS_RAWIO = 17, SYS_CHROOT = 18, SYS_PTRACE = 19, SYS_PACCT = 20,
    SYS_ADMIN = 21, SYS_BOOT = 22, SYS_NICE = 23, SYS_RESOURCE = 24, SYS_TIME = 25,
    SYS_TTY_CONFIG = 26, MKNOD = 27, LEASE = 28, AUDIT_WRITE = 29, AUDIT_CONTROL = 30,
    SETFCAP = 31, MAC_OVERRIDE = 32, MAC_ADMIN = 33, SYSLOG = 34, WAKE_ALARM = 35,
    BLOCK_SUSPEND = 36, AUDIT_READ = 37, PERFMON = 38, BPF = 39, CHECKPOINT_RESTORE = 40,
}

impl Capability {
    /// Returns the name without prefix, for example `"NET_RAW"`.
    pub fn name(self) -> &'static str {
        NAMES[usize::from(self.0)]
    }
}

impl fmt::Display for Capability {
    /// Writes the full name, for example `CAP_NET_RAW`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CAP_{}", self.name())
    }
}

/// A name that is no capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a capability")]
pub struct UnknownCapability(pub String);

impl FromStr for Capability {
    type Err = UnknownCapability;

    /// Reads a name in any case, with or without `CAP_`, as Docker does.
    fn from_str(text: &str) -> std::result::Result<Self, UnknownCapability> {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
        (0_u8..)
            .zip(NAMES)
            .find(|(_, known)| *known == name)
            .map(|(number, _)| Self(number))
            .ok_or_else(|| UnknownCapability(text.to_owned()))
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CapabilitySet(u64);

impl CapabilitySet {
    /// No capability.
    pub const EMPTY: Self = Self(0);

    /// Returns every capability this build knows (Docker's `ALL`).
    pub fn known() -> Self {
        Self((1 << NAMES.len()) - 1)
    }

    /// Returns the set with these bits; bits that this build cannot name are dropped.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits).intersection(Self::known())
    }

    /// Returns the kernel's bit mask.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Tells whether `capability` is in the set.
    pub fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability.0) != 0
    }

    /// Returns the set with `capability` in it.
    #[must_use]
    pub fn with(self, capability: Capability) -> Self {
        Self(self.0 | 1 << capability.0)
    }

    /// Returns the set without `capability`.
    #[must_use]
    pub fn without(self, capability: Capability) -> Self {
        Self(self.0 & !(1 << capability.0))
    }

    /// Returns what is in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Lists the members in kernel order.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        (0_u8..)
            .take(NAMES.len())
            .map(Capability)
            .filter(move |capability| self.has(*capability))
    }
}

impl FromIterator<Capability> for CapabilitySet {
    fn from_iter<I: IntoIterator<Item = Capability>>(members: I) -> Self {
        members.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for CapabilitySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(Capability::name))
            .finish()
    }
}

/// The three sets of a thread that capget(2) and capset(2) move together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sets {
    /// What the kernel checks.
    pub effective: CapabilitySet,
    /// What the thread may make effective.
    pub permitted: CapabilitySet,
    /// What survives an execve together with the file's inheritable set.
    pub inheritable: CapabilitySet,
}

const VERSION_3: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// Capability bits come in two halves, low first.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Returns the calling thread's effective, permitted and inheritable sets.
///
/// # Errors
/// [`SysError`] of capget(2).
pub fn current() -> Result<Sets> {
    let mut header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let mut halves = [Half::default(); 2];
    // SAFETY: version 3 takes one header and writes exactly two halves, which is what is passed.
    #[expect(unsafe_code, reason = "libc has no capget wrapper")]
    let answer = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, halves.as_mut_ptr()) };
    Errno::result(answer).during("capget", "self")?;
    let whole = |field: fn(&Half) -> u32| {
        CapabilitySet::from_bits(u64::from(field(&halves[0])) | u64::from(field(&halves[1])) << 32)
    };
    Ok(Sets {
        effective: whole(|half| half.effective),
        permitted: whole(|half| half.permitted),
        inheritable: whole(|half| half.inheritable),
    })
}

/// Replaces the calling thread's effective, permitted and inheritable sets.
///
/// # Errors
/// [`SysError`] of capset(2).
pub fn set(sets: &Sets) -> Result<()> {
    let mut header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let half = |shift: u32| Half {
        effective: half_of(sets.effective, shift),
        permitted: half_of(sets.permitted, shift),
        inheritable: half_of(sets.inheritable, shift),
    };
    let halves = [half(0), half(32)];
    // SAFETY: version 3 takes one header and reads exactly two halves, which is what is passed.
    #[expect(unsafe_code, reason = "libc has no capset wrapper")]
    let answer = unsafe { libc::syscall(libc::SYS_capset, &raw mut header, halves.as_ptr()) };
    Errno::result(answer).during("capset", "self")?;
    Ok(())
}

fn half_of(set: CapabilitySet, shift: u32) -> u32 {
    u32::try_from(set.bits() >> shift & 0xffff_ffff).unwrap_or(0)
}

/// Returns the calling thread's bounding set.
///
/// # Errors
/// [`SysError`] of prctl(2).
pub fn bounding() -> Result<CapabilitySet> {
    let mut set = CapabilitySet::EMPTY;
    for capability in CapabilitySet::known().iter() {
        match prctl(libc::PR_CAPBSET_READ, u64::from(capability.0), 0) {
            Ok(0) => {}
            Ok(_) => set = set.with(capability),
            // An older kernel that does not know this one.
            Err(Errno::EINVAL) => break,
            Err(errno) => {
                return Err(SysError::from_nix(
                    "prctl(PR_CAPBSET_READ)",
                    capability,
                    errno,
                ));
            }
        }
    }
    Ok(set)
}

/// Drops everything from the calling thread's bounding set that is not in `keep`.
///
/// Also drops capabilities newer than this build, up to the last one the kernel knows.
///
/// # Errors
/// [`SysError`] of prctl(2); EPERM without `CAP_SETPCAP`.
pub fn limit_bounding(keep: CapabilitySet) -> Result<()> {
    for number in 0..64_u8 {
        if keep.bits() & (1 << number) != 0 {
            continue;
        }
        match prctl(libc::PR_CAPBSET_DROP, u64::from(number), 0) {
            Ok(_) => {}
            Err(Errno::EINVAL) => break,
            Err(errno) => return Err(SysError::from_nix("prctl(PR_CAPBSET_DROP)", number, errno)),
        }
    }
    Ok(())
}

/// Empties the calling thread's ambient set.
///
/// # Errors
/// [`SysError`] of prctl(2).
pub fn clear_ambient() -> Result<()> {
    let clear = libc::PR_CAP_AMBIENT_CLEAR_ALL.unsigned_abs();
    prctl(libc::PR_CAP_AMBIENT, u64::from(clear), 0)
        .during("prctl(PR_CAP_AMBIENT_CLEAR_ALL)", "self")?;
    Ok(())
}

/// Adds `capability` to the ambient set; it must be permitted and inheritable already.
///
/// # Errors
/// [`SysError`] of prctl(2).
pub fn raise_ambient(capability: Capability) -> Result<()> {
    let raise = libc::PR_CAP_AMBIENT_RAISE.unsigned_abs();
    prctl(
        libc::PR_CAP_AMBIENT,
        u64::from(raise),
        u64::from(capability.0),
    )
    .during("prctl(PR_CAP_AMBIENT_RAISE)", capability)?;
    Ok(())
}

/// Says whether permitted capabilities survive the next change away from user 0.
///
/// # Errors
/// [`SysError`] of prctl(2).
pub fn keep_over_setuid(keep: bool) -> Result<()> {
    prctl(libc::PR_SET_KEEPCAPS, u64::from(keep), 0).during("prctl(PR_SET_KEEPCAPS)", keep)?;
    Ok(())
}

fn prctl(option: i32, first: u64, second: u64) -> nix::Result<i32> {
    // SAFETY: every option used in this file takes plain numbers and no pointer.
    #[expect(unsafe_code, reason = "prctl is variadic")]
    let answer = unsafe { libc::prctl(option, first, second, 0_u64, 0_u64) };
    Errno::result(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_in_any_spelling() {
        for capability in CapabilitySet::known().iter() {
            assert_eq!(capability.name().parse(), Ok(capability));
            assert_eq!(
                capability.to_string().to_lowercase().parse(),
                Ok(capability)
            );
        }
        assert!("CAP_".parse::<Capability>().is_err());
        assert!("ALL".parse::<Capability>().is_err());
    }

    #[test]
    fn sets_are_the_kernels() {
        let before = current().unwrap();
        set(&before).unwrap();
        assert_eq!(current().unwrap(), before);

        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("CapBnd:"))
            .unwrap();
        let bits = u64::from_str_radix(line["CapBnd:".len()..].trim(), 16).unwrap();
        assert_eq!(bounding().unwrap(), CapabilitySet::from_bits(bits));
    }

    #[test]
    fn members_are_added_and_removed() {
        let set: CapabilitySet = [Capability::CHOWN, Capability::BPF].into_iter().collect();

        assert!(set.has(Capability::BPF));
        assert_eq!(
            set.without(Capability::BPF).iter().collect::<Vec<_>>(),
            [Capability::CHOWN]
        );
        assert_eq!(format!("{set:?}"), r#"{"CHOWN", "BPF"}"#);
    }
}
