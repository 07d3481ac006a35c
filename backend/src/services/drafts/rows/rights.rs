//! What a container may do to its machine, and what of it is hidden.

use engine_api::containers::CreateBody;

use crate::domain::Rule;
use crate::services::drafts::row::*;
use crate::services::drafts::rules;

pub(in crate::services::drafts) const ROWS: &[Row] = &[
    switch!("privileged", long("privileged"), host_config.privileged),
    maybe_list!(
        "cap_add",
        long("cap-add"),
        Kind::Words,
        host_config.cap_add,
        rules::capability
    ),
    maybe_list!(
        "cap_drop",
        long("cap-drop"),
        Kind::Words,
        host_config.cap_drop,
        rules::capability
    ),
    Row {
        field: "no_new_privileges",
        flag: long("security-opt"),
        get: |body| on(value_of(body, "no-new-privileges").as_deref() == Some("true")),
        set: |body, items| set_switch(body, "no-new-privileges", "true", !items.is_empty()),
        said: |_| Some("no-new-privileges".to_owned()),
        heard: |value| {
            let names = [
                "no-new-privileges",
                "no-new-privileges:true",
                "no-new-privileges=true",
            ];
            names.contains(&value).then(|| "on".to_owned())
        },
        ..BARE
    },
    Row {
        field: "seccomp",
        flag: long("security-opt"),
        kind: Kind::Whole,
        get: |body| value_of(body, "seccomp").map_or_else(Vec::new, |value| one(&value)),
        set: |body, items| {
            let profile = first(items, seccomp)?;
            set_value(body, "seccomp", &profile);
            Ok(())
        },
        // The command reads rules from a file of whoever calls it.
        said: |item| {
            let is_word = !item.starts_with('{');
            let value = if is_word { item } else { "PROFILE.json" };
            Some(format!("seccomp={value}"))
        },
        heard: |value| match split(value) {
            ("seccomp", profile) => seccomp(profile).ok(),
            _ => None,
        },
        ..PLAIN
    },
    Row {
        field: "apparmor",
        flag: long("security-opt"),
        get: |body| value_of(body, "apparmor").map_or_else(Vec::new, |value| one(&value)),
        set: |body, items| {
            let profile = first(items, rules::word)?;
            set_value(body, "apparmor", &profile);
            Ok(())
        },
        said: |item| Some(format!("apparmor={item}")),
        heard: |value| match split(value) {
            ("apparmor", profile) if !profile.is_empty() => Some(profile.to_owned()),
            _ => None,
        },
        ..PLAIN
    },
    Row {
        field: "system_paths",
        flag: long("security-opt"),
        get: |body| on(value_of(body, "systempaths").as_deref() == Some("unconfined")),
        set: |body, items| set_switch(body, "systempaths", "unconfined", !items.is_empty()),
        said: |_| Some("systempaths=unconfined".to_owned()),
        heard: |value| (split(value) == ("systempaths", "unconfined")).then(|| "on".to_owned()),
        ..BARE
    },
    Row {
        field: "writable_cgroups",
        flag: long("security-opt"),
        get: |body| on(value_of(body, "writable-cgroups").as_deref() == Some("true")),
        set: |body, items| set_switch(body, "writable-cgroups", "true", !items.is_empty()),
        said: |_| Some("writable-cgroups=true".to_owned()),
        heard: |value| (split(value) == ("writable-cgroups", "true")).then(|| "on".to_owned()),
        ..BARE
    },
    // The command has no flag for these two; the API has.
    Row {
        field: "masked_paths",
        member: "maskedpaths",
        kind: Kind::Lines,
        get: |body| paths(body.host_config.masked_paths.as_deref()),
        set: |body, items| {
            body.host_config.masked_paths = asked_paths(items)?;
            Ok(())
        },
        ..PLAIN
    },
    Row {
        field: "readonly_paths",
        member: "readonlypaths",
        kind: Kind::Lines,
        get: |body| paths(body.host_config.readonly_paths.as_deref()),
        set: |body, items| {
            body.host_config.readonly_paths = asked_paths(items)?;
            Ok(())
        },
        ..PLAIN
    },
];

/// What stands for a list that is there and empty.
const NO_PATH: &str = "none";

fn paths(asked: Option<&[String]>) -> Vec<String> {
    match asked {
        None => Vec::new(),
        Some([]) => one(NO_PATH),
        Some(paths) => paths.to_vec(),
    }
}

/// The paths in place of the engine's own; nothing leaves it to the engine.
fn asked_paths(items: &[String]) -> Result<Option<Vec<String>>, Rule> {
    if items == [NO_PATH] {
        return Ok(Some(Vec::new()));
    }
    let path = |line: &str| rules::absolute(line.trim_end());
    Ok(some(each(items, path)?))
}

/// `key=value`, `key:value`, and the one that stands alone.
fn split(option: &str) -> (&str, &str) {
    let parts = option.split_once('=').or_else(|| option.split_once(':'));
    parts.unwrap_or((option, "true"))
}

/// Returns what the last option of that key says.
fn value_of(body: &CreateBody, key: &str) -> Option<String> {
    let options = body.host_config.security_opt.iter().flatten();
    let mut found = options.rev().map(|option| split(option));
    let value = found.find(|(name, _)| *name == key)?.1;
    Some(value.to_owned())
}

/// Replaces every option of that key; an empty value takes them out.
fn set_value(body: &mut CreateBody, key: &str, value: &str) {
    let mut options = body.host_config.security_opt.take().unwrap_or_default();
    options.retain(|option| split(option).0 != key);
    if !value.is_empty() {
        options.push(format!("{key}={value}"));
    }
    body.host_config.security_opt = (!options.is_empty()).then_some(options);
}

/// An option that is off in words of its own stays as it is.
fn set_switch(body: &mut CreateBody, key: &str, word: &str, is_on: bool) -> Result<(), Rule> {
    if is_on != (value_of(body, key).as_deref() == Some(word)) {
        set_value(body, key, if is_on { word } else { "" });
    }
    Ok(())
}

/// `unconfined`, `builtin`, or the rules themselves.
fn seccomp(text: &str) -> Result<String, Rule> {
    let is_rules = || {
        let rules: Result<serde_json::Value, _> = serde_json::from_str(text);
        rules.is_ok_and(|rules| rules.is_object())
    };
    if matches!(text, "unconfined" | "builtin") || is_rules() {
        Ok(text.to_owned())
    } else {
        Err(Rule::Seccomp)
    }
}
