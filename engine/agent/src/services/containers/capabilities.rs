//! Capabilities: Docker's arithmetic of adding and dropping, within what this machine can give.

use engine_api::containers::HostConfig;
use engine_runtime::profile;

use super::registry::Powers;
use crate::services::error::{Result, ServiceError};

const ALL: &str = "ALL";

/// Returns the capabilities of a container by name.
///
/// # Errors
/// When the kernel knows none of that name, or this machine cannot give one that is named.
pub(super) fn of(powers: &Powers, host: &HostConfig) -> Result<Vec<String>> {
    let list = |asked: &Option<Vec<String>>| -> Result<Vec<String>> {
        let asked = asked.as_deref().unwrap_or_default();
        asked.iter().map(|name| named(powers, name)).collect()
    };
    let added = list(&host.cap_add)?;
    let dropped = list(&host.cap_drop)?;
    if let Some(name) = added
        .iter()
        .find(|name| *name != ALL && !powers.grantable.contains(name))
    {
        return Err(ServiceError::BadRequest(format!(
            "HostConfig.CapAdd: this machine cannot give {name}, the engine itself lacks it"
        )));
    }
    let is_all = |list: &[String]| list.iter().any(|name| name == ALL);
    let mut kept: Vec<String> = if host.privileged {
        powers.known.clone()
    } else if is_all(&added) {
        let kept = powers.known.iter().filter(|name| !dropped.contains(name));
        kept.cloned().collect()
    } else if is_all(&dropped) {
        added
    } else {
        let kept = profile::default_capabilities().into_iter();
        kept.filter(|name| !dropped.contains(name))
            .chain(added)
            .collect()
    };
    // "All" is all that this machine has.
    kept.retain(|name| powers.grantable.contains(name));
    kept.sort_unstable();
    kept.dedup();
    Ok(kept)
}

/// Reads a name as people write it: `net_admin`, `CAP_NET_ADMIN`, `all`.
fn named(powers: &Powers, name: &str) -> Result<String> {
    let upper = name.to_ascii_uppercase();
    if upper == ALL {
        return Ok(upper);
    }
    let full = if upper.starts_with("CAP_") {
        upper
    } else {
        format!("CAP_{upper}")
    };
    if !powers.known.contains(&full) {
        return Err(ServiceError::BadRequest(format!(
            "invalid capability: {name:?}"
        )));
    }
    Ok(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    fn of_lists(added: &[&str], dropped: &[&str]) -> Result<Vec<String>> {
        let known = [
            "CAP_CHOWN",
            "CAP_KILL",
            "CAP_NET_ADMIN",
            "CAP_SYS_RESOURCE",
            "CAP_SYS_ADMIN",
        ];
        let powers = Powers {
            known: words(&known),
            grantable: words(&known[..3]),
        };
        let host = HostConfig {
            cap_add: Some(words(added)),
            cap_drop: Some(words(dropped)),
            ..HostConfig::default()
        };
        of(&powers, &host)
    }

    #[test]
    fn lists_are_dockers_arithmetic() {
        for (added, dropped, kept) in [
            (&[][..], &[][..], &["CAP_CHOWN", "CAP_KILL"][..]),
            (&[], &["chown"], &["CAP_KILL"]),
            (
                &["net_admin"],
                &[],
                &["CAP_CHOWN", "CAP_KILL", "CAP_NET_ADMIN"],
            ),
            (&[], &["ALL"], &[]),
            (&["CAP_CHOWN"], &["all"], &["CAP_CHOWN"]),
            (&["ALL"], &["KILL"], &["CAP_CHOWN", "CAP_NET_ADMIN"]),
            (&["kill"], &["kill"], &["CAP_CHOWN", "CAP_KILL"]),
        ] {
            assert_eq!(
                of_lists(added, dropped).unwrap(),
                kept,
                "{added:?} {dropped:?}"
            );
        }
    }

    #[test]
    fn unknown_and_missing_ones_are_refused() {
        assert!(of_lists(&["NO_SUCH"], &[]).is_err());
        assert!(of_lists(&[], &["NO_SUCH"]).is_err());
        assert!(of_lists(&["SYS_RESOURCE"], &[]).is_err());
    }
}
