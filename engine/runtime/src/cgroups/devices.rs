//! Which devices a group may open: an allow-list, kept by the kernel on version 1 and by a small
//! program of ours on version 2.

use std::fmt;

use engine_sys::{cgroup, device_filter};
use serde::{Deserialize, Serialize};

use super::{
    Cgroup, device_program,
    error::{CgroupError, Result},
};
use crate::layout::{Controller, Version};

/// One entry of the allow-list; a number that is `None` stands for every one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRule {
    pub kind: DeviceKind,
    pub major: Option<u32>,
    pub minor: Option<u32>,
    pub access: Access,
}

/// The two kinds of device nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    Character,
    Block,
}

/// What may be done with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    pub read: bool,
    pub write: bool,
    pub mknod: bool,
}

impl Access {
    /// Reading, writing and making the node.
    pub const ALL: Self = Self {
        read: true,
        write: true,
        mknod: true,
    };
    /// Making the node without the right to open it.
    pub const MKNOD: Self = Self {
        read: false,
        write: false,
        mknod: true,
    };
}

impl fmt::Display for DeviceRule {
    /// Writes the words of version 1's `devices.allow`, for example `c 136:* rwm`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u32>| number.map_or("*".to_owned(), |one| one.to_string());
        let kind = match self.kind {
            DeviceKind::Character => 'c',
            DeviceKind::Block => 'b',
        };
        write!(f, "{kind} {}:{} ", number(self.major), number(self.minor))?;
        let letters = [
            (self.access.read, 'r'),
            (self.access.write, 'w'),
            (self.access.mknod, 'm'),
        ];
        letters
            .iter()
            .filter(|(on, _)| *on)
            .try_for_each(|(_, letter)| write!(f, "{letter}"))
    }
}

impl Cgroup {
    /// Lets the group use the devices of `allowed` and no other; replaces what was said before.
    ///
    /// # Errors
    /// The kernel's answer. A machine without the controller is an error too: a container without
    /// a device filter must not start.
    pub fn allow_devices(&self, allowed: &[DeviceRule]) -> Result<()> {
        match self.version() {
            Version::V2 => self.attach_rules(allowed),
            Version::V1 | Version::Hybrid => self.write_rules(allowed),
        }
    }

    fn write_rules(&self, allowed: &[DeviceRule]) -> Result<()> {
        let no_controller = CgroupError::NoController {
            setting: "the device filter",
            controller: Controller::Devices.name(),
        };
        let dir = self
            .controller_dir(Controller::Devices)
            .ok_or(no_controller)?;
        let refused = |setting| {
            move |source| CgroupError::Apply {
                group: self.path().to_owned(),
                setting,
                value: "the allow-list".to_owned(),
                source,
            }
        };
        cgroup::write(&dir.join("devices.deny"), "a").map_err(refused("devices.deny"))?;
        let rules = allowed.iter().map(DeviceRule::to_string);
        cgroup::write_each(&dir.join("devices.allow"), rules).map_err(refused("devices.allow"))
    }

    fn attach_rules(&self, allowed: &[DeviceRule]) -> Result<()> {
        let attach = || -> engine_sys::Result<()> {
            let Some(dir) = self.unified_dir() else {
                return Ok(());
            };
            let group = cgroup::open(dir)?;
            let program = device_filter::load(&device_program::emit(allowed))?;
            device_filter::attach(&group, &program)
        };
        attach().map_err(|source| CgroupError::Change {
            group: self.path().to_owned(),
            action: "filter the devices of",
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NULL: DeviceRule = DeviceRule {
        kind: DeviceKind::Character,
        major: Some(1),
        minor: Some(3),
        access: Access::ALL,
    };

    #[test]
    fn rules_print_as_version_1_reads_them() {
        let terminals = DeviceRule {
            major: Some(136),
            minor: None,
            ..NULL
        };
        let any_node = DeviceRule {
            kind: DeviceKind::Block,
            major: None,
            minor: None,
            access: Access::MKNOD,
        };

        assert_eq!(NULL.to_string(), "c 1:3 rwm");
        assert_eq!(terminals.to_string(), "c 136:* rwm");
        assert_eq!(any_node.to_string(), "b *:* m");
    }
}
