//! Options that Docker knows and this engine has no effect for yet.
//!
//! Such an option is refused by name when it is set to anything but its default: silence would
//! let a person believe in a limit or a restart that is not there. The same table gives inspect
//! the defaults that clients expect to read.

use serde_json::{Map, Value};

/// One option without effect.
#[derive(Clone, Copy, Debug)]
pub struct Pending {
    /// Where it stands in the body, as `HostConfig.PidMode`.
    pub path: &'static str,
    /// Its default, in JSON; what inspect shows.
    pub default: &'static str,
    /// Other ways in which clients say "not set".
    pub same: &'static [&'static str],
    /// Why nothing else can ever have an effect here; `None` when it may come.
    pub why: Option<&'static str>,
}

/// An option without effect was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} {state}: {value} was asked for, only {default} has an effect")]
pub struct Unsupported {
    /// The option.
    pub path: String,
    /// What was asked for.
    pub value: String,
    /// What may be asked for.
    pub default: String,
    /// That it may come, or why it cannot.
    pub state: &'static str,
}

const fn row(path: &'static str, default: &'static str) -> Pending {
    Pending {
        path,
        default,
        same: &[],
        why: None,
    }
}

const fn never(path: &'static str, default: &'static str, why: &'static str) -> Pending {
    Pending {
        path,
        default,
        same: &[],
        why: Some(why),
    }
}

const fn like(path: &'static str, default: &'static str, same: &'static [&'static str]) -> Pending {
    Pending {
        path,
        default,
        same,
        why: None,
    }
}

/// The options of a create that have no effect yet.
pub const CREATE: &[Pending] = &[
    row("NetworkDisabled", "false"),
    row("HostConfig.Cgroup", r#""""#),
    like("HostConfig.Links", "null", &["[]"]),
    Pending {
        why: Some(WINDOWS),
        ..like("HostConfig.Isolation", r#""""#, &[r#""default""#])
    },
    // Docker's API dropped the first with 1.42 and its engine ignores it; here nothing is ignored.
    never("HostConfig.KernelMemory", "0", KERNEL_MEMORY),
    never("HostConfig.KernelMemoryTCP", "0", KERNEL_MEMORY),
    never("HostConfig.CpuCount", "0", WINDOWS),
    never("HostConfig.CpuPercent", "0", WINDOWS),
    never("HostConfig.IOMaximumIOps", "0", WINDOWS),
    never("HostConfig.IOMaximumBandwidth", "0", WINDOWS),
];

const WINDOWS: &str = "is an option of Windows containers";
const KERNEL_MEMORY: &str = "is gone from Docker's API and from Linux, where the memory limit \
                             counts the kernel's part too";

/// Refuses a body that sets one of the options to anything but its default.
///
/// A key in other letter case counts too, since Docker's own reader takes it.
///
/// # Errors
/// Names the first such option.
pub fn refuse_unsupported(body: &Value, table: &[Pending]) -> Result<(), Unsupported> {
    for pending in table {
        let Some(given) = find(body, pending.path) else {
            continue;
        };
        let neutral = std::iter::once(&pending.default)
            .chain(pending.same)
            .filter_map(|text| serde_json::from_str::<Value>(text).ok())
            .any(|value| value == *given);
        if !neutral {
            return Err(Unsupported {
                path: pending.path.to_owned(),
                value: shortened(given),
                default: pending.default.to_owned(),
                state: pending.why.unwrap_or("is not supported yet"),
            });
        }
    }
    Ok(())
}

/// Refuses a key that differs from a known one in letter case only.
///
/// Docker's own reader takes such a key and ours does not: what one of two readers would obey,
/// nobody may overlook. `known` is the body with everything in it that it can hold.
///
/// # Errors
/// Names the key and how it is written.
pub fn refuse_other_case(body: &Value, known: &Value, table: &[Pending]) -> Result<(), OtherCase> {
    let mut names: Vec<String> = Vec::new();
    collect_paths("", known, &mut names);
    names.extend(table.iter().map(|pending| pending.path.to_owned()));
    let mut given = Vec::new();
    collect_paths("", body, &mut given);
    for path in given {
        let meant = names.iter().find(|name| name.eq_ignore_ascii_case(&path));
        if let Some(meant) = meant
            && !names.contains(&path)
        {
            return Err(OtherCase {
                given: path,
                meant: meant.clone(),
            });
        }
    }
    Ok(())
}

/// A key in another letter case than the known one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key {given} is written {meant}")]
pub struct OtherCase {
    /// As it was given.
    pub given: String,
    /// As it is known.
    pub meant: String,
}

/// Lists the keys of a body and of its `HostConfig`; below that, keys are names people chose.
fn collect_paths(prefix: &str, value: &Value, paths: &mut Vec<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        if prefix.is_empty() && key.eq_ignore_ascii_case("HostConfig") {
            collect_paths("HostConfig.", value, paths);
        }
        paths.push(format!("{prefix}{key}"));
    }
}

/// Adds the defaults of the table's `HostConfig` options that `host_config` does not hold.
pub fn fill_host_defaults(host_config: &mut Map<String, Value>, table: &[Pending]) {
    for pending in table {
        let Some(name) = pending.path.strip_prefix("HostConfig.") else {
            continue;
        };
        if name.contains('.') || host_config.contains_key(name) {
            continue;
        }
        let default = serde_json::from_str(pending.default).unwrap_or(Value::Null);
        host_config.insert(name.to_owned(), default);
    }
}

fn find<'v>(body: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(body, |value, name| {
        let members = value.as_object()?;
        members.get(name).or_else(|| {
            members
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        })
    })
}

fn shortened(value: &Value) -> String {
    const LIMIT: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body;

    fn check(text: &str) -> Result<(), String> {
        let body = body::parse_value(text.as_bytes()).unwrap();
        refuse_unsupported(&body, CREATE).map_err(|e| e.to_string())
    }

    #[test]
    fn defaults_in_every_spelling_pass() {
        for text in [
            "{}",
            r#"{"HostConfig":{}}"#,
            r#"{"HostConfig":{"MacAddress":"","Links":null}}"#,
            r#"{"HostConfig":{"Links":[],"Isolation":"default","KernelMemory":0}}"#,
            r#"{"Healthcheck":null}"#,
            r#"{"HostConfig":{"RestartPolicy":{"Name":"no","MaximumRetryCount":0}}}"#,
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        assert_eq!(
            check(r#"{"HostConfig":{"Isolation":"hyperv"}}"#),
            Err(
                "HostConfig.Isolation is an option of Windows containers: \"hyperv\" was asked \
                 for, only \"\" has an effect"
                    .to_owned()
            )
        );
        let refused = check(r#"{"HostConfig":{"KernelMemory":1}}"#).unwrap_err();
        assert!(
            refused.starts_with("HostConfig.KernelMemory is gone from Docker's API"),
            "{refused}"
        );
        for text in [
            r#"{"HostConfig":{"links":["a"]}}"#,
            r#"{"hostconfig":{"Links":["a"]}}"#,
            r#"{"HostConfig":{"Isolation":"process"}}"#,
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_in_other_letter_case_is_refused() {
        let known = crate::containers::CreateBody::all_members();
        let check = |text: &str| {
            let body = body::parse_value(text.as_bytes()).unwrap();
            refuse_other_case(&body, &known, CREATE).map_err(|e| e.to_string())
        };
        assert_eq!(
            check(r#"{"Image":"a","StopSignal":"INT","HostConfig":{"Memory":1}}"#),
            Ok(())
        );
        assert_eq!(
            check(r#"{"Labels":{"image":"x","memory":"y"},"Other":1}"#),
            Ok(())
        );
        for (text, says) in [
            (r#"{"image":"a"}"#, "the key image is written Image"),
            (
                r#"{"stopsignal":"a"}"#,
                "the key stopsignal is written StopSignal",
            ),
            (
                r#"{"HostConfig":{"memory":1}}"#,
                "the key HostConfig.memory is written HostConfig.Memory",
            ),
            (
                r#"{"hostconfig":{}}"#,
                "the key hostconfig is written HostConfig",
            ),
        ] {
            assert_eq!(check(text), Err(says.to_owned()));
        }
    }

    #[test]
    fn every_default_is_json() {
        for pending in CREATE {
            for text in std::iter::once(&pending.default).chain(pending.same) {
                assert!(
                    serde_json::from_str::<Value>(text).is_ok(),
                    "{}: {text}",
                    pending.path
                );
            }
        }
    }
}
