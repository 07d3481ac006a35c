//! `RUN --mount=type=…,…`: which options there are for which type.

use crate::error::{Fault, Rule, Span};
use crate::suggest;

use super::syntax::{MountType, Word, WrittenMount};

const TYPES: [(&str, MountType); 5] = [
    ("bind", MountType::Bind),
    ("cache", MountType::Cache),
    ("tmpfs", MountType::Tmpfs),
    ("secret", MountType::Secret),
    ("ssh", MountType::Ssh),
];

/// Each way to write an option, its one name, and whether it may stand alone.
const OPTIONS: [(&str, &str, bool); 20] = [
    ("type", "type", false),
    ("from", "from", false),
    ("source", "source", false),
    ("src", "source", false),
    ("target", "target", false),
    ("dst", "target", false),
    ("destination", "target", false),
    ("readonly", "readonly", true),
    ("ro", "readonly", true),
    ("readwrite", "readwrite", true),
    ("rw", "readwrite", true),
    ("required", "required", true),
    ("id", "id", false),
    ("sharing", "sharing", false),
    ("size", "size", false),
    ("mode", "mode", false),
    ("uid", "uid", false),
    ("gid", "gid", false),
    ("env", "env", false),
    ("relabel", "relabel", false),
];

/// The options that a type has, by their one name.
fn options_of(kind: MountType) -> &'static [&'static str] {
    match kind {
        MountType::Bind => &["from", "source", "target", "readonly", "readwrite"],
        MountType::Cache => &[
            "from",
            "source",
            "target",
            "readonly",
            "readwrite",
            "id",
            "sharing",
            "mode",
            "uid",
            "gid",
        ],
        MountType::Tmpfs => &["target", "size", "readwrite"],
        MountType::Secret => &[
            "source", "target", "id", "required", "mode", "uid", "gid", "env",
        ],
        MountType::Ssh => &["target", "id", "required", "mode", "uid", "gid"],
    }
}

fn name_of(kind: MountType) -> &'static str {
    let named = TYPES.iter().find(|(_, known)| *known == kind);
    named.map_or("", |(name, _)| name)
}

/// Reads the value of one `--mount`.
pub(super) fn parse(text: &str, span: Span) -> Result<WrittenMount, Fault> {
    let mut mount = WrittenMount {
        kind: MountType::Bind,
        from: None,
        options: Vec::new(),
        span,
    };
    for field in text.split(',') {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value)),
            None => (field.trim(), None),
        };
        let name = known(key, field, value.is_some(), span)?;
        match (name, value) {
            ("type", Some(value)) => mount.kind = kind(value, span)?,
            ("from", Some(value)) => {
                mount.from = (!value.is_empty())
                    .then(|| without_variables(value, span))
                    .transpose()?;
            }
            (name, value) => {
                if mount.options.iter().any(|(given, _)| given == name) {
                    let message = format!("'{name}' stands twice in --mount={text}");
                    return Err(Fault::new(span, Rule::Mount, message));
                }
                let value = value.map(|value| Word(value.to_owned()));
                mount.options.push((name.to_owned(), value));
            }
        }
    }
    allowed(&mount)?;
    Ok(mount)
}

/// The one name of an option.
fn known(key: &str, field: &str, has_value: bool, span: Span) -> Result<&'static str, Fault> {
    let lower = key.to_lowercase();
    let Some((_, name, alone)) = OPTIONS.iter().find(|(known, ..)| *known == lower) else {
        let message = format!("unexpected key '{lower}' in '{field}'");
        let meant = suggest::nearest(&lower, OPTIONS.iter().map(|(known, ..)| *known));
        return Err(Fault::new(span, Rule::Mount, message).meaning(meant));
    };
    if !has_value && !alone {
        let message = format!("invalid field '{field}' must be a key=value pair");
        return Err(Fault::new(span, Rule::Mount, message));
    }
    if *name == "relabel" {
        let message = "the mount option 'relabel' is not supported: there are no SELinux labels";
        return Err(Fault::new(span, Rule::Refused, message));
    }
    Ok(name)
}

fn kind(value: &str, span: Span) -> Result<MountType, Fault> {
    let lower = value.to_lowercase();
    if let Some((_, kind)) = TYPES.iter().find(|(name, _)| *name == lower) {
        return Ok(*kind);
    }
    let message = format!("unsupported mount type \"{value}\"");
    let meant = suggest::nearest(&lower, TYPES.iter().map(|(name, _)| *name));
    Err(Fault::new(span, Rule::Mount, message).meaning(meant))
}

fn without_variables(value: &str, span: Span) -> Result<String, Fault> {
    if value.contains('$') {
        let message = "'from' doesn't support variable expansion, define alias stage instead";
        return Err(Fault::new(span, Rule::Mount, message));
    }
    Ok(value.to_owned())
}

/// Options of another type are said, in Docker's words where it has some.
fn allowed(mount: &WrittenMount) -> Result<(), Fault> {
    let kind = name_of(mount.kind);
    let has = |name: &str| mount.options.iter().any(|(given, _)| given == name);
    let fault = |message: String| Err(Fault::new(mount.span, Rule::Mount, message));
    let allowed = options_of(mount.kind);
    if mount.from.is_some() && !allowed.contains(&"from") {
        return fault(format!("{kind} mount should not have a from"));
    }
    let foreign = mount
        .options
        .iter()
        .find(|(name, _)| !allowed.contains(&name.as_str()));
    if let Some((name, _)) = foreign {
        return fault(match name.as_str() {
            "mode" | "uid" | "gid" => format!("{name} not allowed for \"{kind}\" type mounts"),
            "sharing" => format!("invalid cache sharing set for {kind} mount"),
            name => format!("unexpected key '{name}' for mount type '{kind}'"),
        });
    }
    if has("readonly") && has("readwrite") {
        return fault("readonly and readwrite stand in one mount".to_owned());
    }
    match mount.kind {
        MountType::Secret if has("source") && has("id") => {
            fault("both source and id can't be set".to_owned())
        }
        MountType::Secret if !has("source") && !has("id") && !has("target") => {
            fault("invalid secret mount. one of source, target required".to_owned())
        }
        MountType::Tmpfs if !has("target") => fault("a tmpfs mount needs a target".to_owned()),
        MountType::Cache if !has("target") => fault("a cache mount needs a target".to_owned()),
        _ => Ok(()),
    }
}
