//! Security options: the filter, profiles, privileges, and what of the kernel is hidden.

use std::fs;

use engine_api::containers::HostConfig;
use engine_runtime::{Seccomp, profile};

use crate::services::error::{Result, ServiceError};

/// Where a kernel says whether it has AppArmor, and lists the profiles it knows.
const APPARMOR_ENABLED: &str = "/sys/module/apparmor/parameters/enabled";
const APPARMOR_PROFILES: &str = "/sys/kernel/security/apparmor/profiles";

/// The security options, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Security {
    pub(super) no_new_privileges: bool,
    pub(super) seccomp: Option<Seccomp>,
    /// The rules of [`Seccomp::Given`].
    pub(super) seccomp_profile: Option<String>,
    pub(super) apparmor: Option<String>,
    pub(super) writable_cgroups: bool,
    all_paths: bool,
}

/// Reads the security options.
///
/// # Errors
/// Names the one that is unknown, malformed, or of a security module that is not there.
pub(super) fn read(host: &HostConfig) -> Result<Security> {
    let mut security = Security::default();
    for option in host.security_opt.as_deref().unwrap_or_default() {
        read_one(option, &mut security)?;
    }
    Ok(security)
}

fn read_one(option: &str, security: &mut Security) -> Result<()> {
    let refused = |why: &str| {
        let shown: String = option.chars().take(80).collect();
        Err(bad(format!("HostConfig.SecurityOpt: {shown:?}: {why}")))
    };
    if option == "no-new-privileges" {
        security.no_new_privileges = true;
        return Ok(());
    }
    let parts = option.split_once('=').or_else(|| option.split_once(':'));
    let Some((key, value)) = parts else {
        return refused("it is not of the form key=value");
    };
    match (key, value) {
        ("no-new-privileges", _) => match value.parse() {
            Ok(on) => security.no_new_privileges = on,
            Err(_) => return refused("it must be true or false"),
        },
        ("writable-cgroups", _) => match value.parse() {
            Ok(on) => security.writable_cgroups = on,
            Err(_) => return refused("it must be true or false"),
        },
        ("seccomp", "unconfined") => security.seccomp = Some(Seccomp::Unconfined),
        ("seccomp", "builtin") => security.seccomp = Some(Seccomp::Default),
        ("seccomp", profile) => {
            security.seccomp = Some(Seccomp::Given);
            security.seccomp_profile = Some(profile.to_owned());
        }
        ("apparmor", "unconfined") => security.apparmor = None,
        ("apparmor", name) => security.apparmor = Some(apparmor(name)?),
        // What is so anyway where there is no SELinux.
        ("label", "disable") => {}
        ("label", _) => return refused("SELinux labels have no effect here; only disable has"),
        ("systempaths", "unconfined") => security.all_paths = true,
        _ => return refused("this engine knows no such option"),
    }
    Ok(())
}

fn apparmor(name: &str) -> Result<String> {
    let refused = |why: &str| {
        Err(bad(format!(
            "HostConfig.SecurityOpt: the AppArmor profile {name:?} cannot be applied: {why}"
        )))
    };
    if !fs::read_to_string(APPARMOR_ENABLED).is_ok_and(|text| text.starts_with('Y')) {
        return refused("the kernel of this host does not have AppArmor");
    }
    let is_plain = !name.is_empty() && !name.chars().any(|c| c.is_control() || c.is_whitespace());
    if !is_plain {
        return refused("it is no name of a profile");
    }
    // Where the list cannot be read, the kernel judges the name when the container starts.
    let is_known = |list: String| {
        list.lines()
            .any(|line| line.rsplit_once(" (").is_some_and(|(one, _)| one == name))
    };
    match fs::read_to_string(APPARMOR_PROFILES).map(is_known) {
        Ok(false) => refused("it is not loaded on this host"),
        _ => Ok(name.to_owned()),
    }
}

/// Returns what a container does not see of `/proc` and `/sys`.
///
/// # Errors
/// When a path is not absolute.
pub(super) fn masked_paths(host: &HostConfig) -> Result<Vec<String>> {
    let default = profile::default_masked_paths;
    paths("MaskedPaths", host, host.masked_paths.as_deref(), default)
}

/// Returns what a container reads of `/proc` and does not write.
///
/// # Errors
/// When a path is not absolute.
pub(super) fn readonly_paths(host: &HostConfig) -> Result<Vec<String>> {
    let default = profile::default_readonly_paths;
    paths(
        "ReadonlyPaths",
        host,
        host.readonly_paths.as_deref(),
        default,
    )
}

fn paths(
    option: &str,
    host: &HostConfig,
    asked: Option<&[String]>,
    default: fn() -> Vec<String>,
) -> Result<Vec<String>> {
    let Some(asked) = asked else {
        let shows_all = host.privileged || read(host)?.all_paths;
        return Ok(if shows_all { Vec::new() } else { default() });
    };
    if let Some(odd) = asked
        .iter()
        .find(|path| !path.starts_with('/') || path.contains('\0'))
    {
        return Err(bad(format!(
            "HostConfig.{option}: {odd:?} is not an absolute path"
        )));
    }
    Ok(asked.to_vec())
}

fn bad(message: String) -> ServiceError {
    ServiceError::BadRequest(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(options: &[&str]) -> HostConfig {
        HostConfig {
            security_opt: Some(options.iter().map(ToString::to_string).collect()),
            ..HostConfig::default()
        }
    }

    #[test]
    fn options_are_read_in_both_spellings() {
        let security = read(&host(&[
            "no-new-privileges:true",
            "seccomp=unconfined",
            "apparmor=unconfined",
            "label=disable",
            "label:disable",
        ]))
        .unwrap();
        assert!(security.no_new_privileges);
        assert_eq!(security.seccomp, Some(Seccomp::Unconfined));
        let given = read(&host(&[r#"seccomp={"defaultAction":"SCMP_ACT_ALLOW"}"#])).unwrap();
        assert_eq!(given.seccomp, Some(Seccomp::Given));
        assert!(given.seccomp_profile.unwrap().contains("SCMP_ACT_ALLOW"));
    }

    #[test]
    fn unknown_options_are_refused_by_name() {
        for option in ["", "colour=red", "label=user:x", "no-new-privileges=maybe"] {
            let error = read(&host(&[option])).unwrap_err().to_string();
            assert!(error.contains(&format!("{option:?}")), "{error}");
        }
    }

    #[test]
    fn hidden_paths_are_the_profiles_unless_somebody_says_otherwise() {
        let mut wish = HostConfig::default();
        assert!(masked_paths(&wish).unwrap().len() >= 12);
        wish.masked_paths = Some(vec!["/proc/keys".to_owned()]);
        assert_eq!(masked_paths(&wish).unwrap(), ["/proc/keys"]);
        wish.masked_paths = Some(vec!["proc".to_owned()]);
        assert!(masked_paths(&wish).is_err());
        let all = host(&["systempaths=unconfined"]);
        assert!(masked_paths(&all).unwrap().is_empty());
        assert!(readonly_paths(&all).unwrap().is_empty());
    }
}
