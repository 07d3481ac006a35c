//! Settings of the network namespace this thread is in: files below `/proc/sys/net`.

use std::fs;
use std::io::ErrorKind;

use crate::error::{Error, Result};

/// Writes a setting; says whether it had another value before.
pub(crate) fn set(setting: &str, value: &str) -> Result<bool> {
    let path = format!("/proc/sys/net/{setting}");
    let failed = |source| Error::Setting {
        path: path.clone(),
        source,
    };
    if fs::read_to_string(&path).map_err(failed)?.trim() == value {
        return Ok(false);
    }
    fs::write(&path, value).map_err(failed)?;
    Ok(true)
}

/// Writes a setting that a kernel without IPv6 does not have.
pub(crate) fn set_if_there(setting: &str, value: &str) -> Result<()> {
    match set(setting, value) {
        Err(Error::Setting { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(()),
        other => other.map(drop),
    }
}

/// Says whether this kernel has IPv6.
pub fn has_ipv6() -> bool {
    fs::exists("/proc/sys/net/ipv6").unwrap_or(false)
}

/// Says whether frames that only cross a bridge pass the firewall too (`br_netfilter`).
pub(crate) fn bridged_is_filtered() -> bool {
    ["iptables", "ip6tables"].iter().any(|kind| {
        fs::read_to_string(format!("/proc/sys/net/bridge/bridge-nf-call-{kind}"))
            .is_ok_and(|text| text.trim() == "1")
    })
}

/// Says whether this host passes packets of a version on.
pub fn forwards(is_v6: bool) -> bool {
    let path = format!("/proc/sys/net/{}", forwarding(is_v6));
    fs::read_to_string(path).is_ok_and(|text| text.trim() == "1")
}

/// Lets this host pass packets of a version on, or not.
///
/// # Errors
/// When the setting cannot be written.
pub fn forward(is_v6: bool, is_on: bool) -> Result<()> {
    let value = if is_on { "1" } else { "0" };
    if is_v6 {
        set("ipv6/conf/default/forwarding", value)?;
    }
    set(forwarding(is_v6), value).map(drop)
}

fn forwarding(is_v6: bool) -> &'static str {
    match is_v6 {
        true => "ipv6/conf/all/forwarding",
        false => "ipv4/ip_forward",
    }
}
