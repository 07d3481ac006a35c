//! What was typed, checked field by field and laid over what is stored. Every broken rule is found
//! in one go.

use engine_api::containers::CreateBody;

use super::row::{Kind, Row};
use super::rows::ALL;
use super::stored::{Stored, said, unsaid};
use super::{Typed, rules};
use crate::domain::{FieldError, Rule};
use crate::services::masking::MASK;

/// A container as it shall be; every rule of a single field holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    pub(super) name: Option<String>,
    pub(super) body: CreateBody,
}

impl Draft {
    /// Returns the image's name, tag or id.
    pub fn image(&self) -> &str {
        &self.body.config.image
    }

    /// Returns the name asked for, where one was.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the body that asks the engine for this container.
    pub fn body(&self) -> CreateBody {
        self.body.clone()
    }
}

/// Checks every field that says something else than what is stored.
///
/// # Errors
/// Every broken rule, in the order of the table.
pub fn check(typed: &Typed, stored: &Stored) -> Result<Draft, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut body = stored.body.clone();
    for row in ALL.iter().copied().flatten() {
        if let Err(rule) = apply(row, typed, stored, &mut body) {
            errors.push(FieldError::new(row.field, rule));
        }
    }
    if typed.text("image").trim().is_empty() {
        errors.push(FieldError::new("image", Rule::Required));
    }
    let name = match typed.text("name").trim() {
        "" => None,
        text => rules::name(text)
            .map_err(|rule| errors.push(FieldError::new("name", rule)))
            .ok(),
    };
    if errors.is_empty() {
        Ok(Draft { name, body })
    } else {
        Err(errors)
    }
}

/// Returns the names of every field, in the order of the table.
pub fn fields() -> impl Iterator<Item = &'static str> {
    ALL.iter().copied().flatten().map(|row| row.field)
}

/// Docker's own words for what is wrong with an option that they do not name.
const PHRASES: &[(&str, &str)] = &[
    ("custom device", "devices"),
    ("Duplicate mount point", "mounts"),
    ("invalid volume specification", "mounts"),
    ("mount source", "mounts"),
    ("is mounted on the host but", "mounts"),
    ("restart policy", "restart"),
    ("log opt", "log_driver"),
    ("logging plugin", "log_driver"),
    ("the UTS mode", "uts_mode"),
    ("invalid hostname", "hostname"),
    ("invalid domain name", "domainname"),
    ("working directory", "working_dir"),
    ("invalid extra host", "extra_hosts"),
    ("oom score adj", "oom_score_adj"),
    ("No command specified", "command"),
    ("apability", "cap_add"),
];

/// Returns the field that a refusal of the engine is about, if it names one of its members.
pub fn field_of(message: &str) -> &'static str {
    let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
    let named = message.split("HostConfig.").nth(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
        plain(&rest[..end.unwrap_or(rest.len())])
    });
    if named.is_none() {
        let found = PHRASES.iter().find(|(phrase, _)| message.contains(phrase));
        return found.map_or("", |(_, field)| field);
    }
    let rows = ALL.iter().copied().flatten();
    let found = named.and_then(|name| {
        rows.filter(|row| !row.member.is_empty())
            .find(|row| plain(row.member) == name)
    });
    found.map_or("", |row| row.field)
}

fn apply(row: &Row, typed: &Typed, stored: &Stored, body: &mut CreateBody) -> Result<(), Rule> {
    let asked = row.kind.items(typed.text(row.field))?;
    if asked == said(row, &stored.masked) {
        return Ok(());
    }
    let (shown, real) = ((row.get)(&stored.masked), (row.get)(&stored.body));
    let mut items = Vec::new();
    for item in asked {
        match shown.iter().position(|known| *known == item) {
            Some(at) => items.extend(real.get(at).cloned()),
            None if item.contains(MASK) => return Err(Rule::Masked),
            None => items.push(item),
        }
    }
    // What the text cannot say is not taken away by changing what it says.
    if row.kind != Kind::Command {
        let kept = unsaid(row, &stored.masked).into_iter();
        items.extend(kept.filter_map(|at| real.get(at).cloned()));
    }
    (row.set)(body, &items)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn broken(fields: &[(&'static str, &str)]) -> Vec<(&'static str, Rule)> {
        let mut typed = Typed::default();
        typed.set("image", "busybox".to_owned());
        for (field, text) in fields {
            typed.set(field, (*text).to_owned());
        }
        let errors = check(&typed, &Stored::fresh()).err().unwrap_or_default();
        errors
            .into_iter()
            .map(|error| (error.field, error.rule))
            .collect()
    }

    #[test]
    fn an_image_is_all_that_is_needed() {
        assert_eq!(broken(&[]), []);
        assert_eq!(broken(&[("image", " ")]), [("image", Rule::Required)]);
    }

    #[test]
    fn each_rule_names_its_field() {
        let few = Rule::Number {
            least: 0,
            most: 4_096,
        };
        let percent = Rule::Number {
            least: 0,
            most: 100,
        };
        let off = Rule::NotWith {
            option: "--no-healthcheck",
        };
        for (field, text, rule) in [
            ("image", "no image", Rule::ImageName),
            ("name", "-x", Rule::Name),
            ("name", "x", Rule::TooShort { least: 2 }),
            ("command", "'open", Rule::CommandLine),
            ("environment", "A=1\n=2", Rule::Environment),
            ("network", "a b", Rule::Name),
            ("memory", "lots", Rule::Size),
            ("cpus", "1,5", few.clone()),
            ("cpus", "0", few),
            ("mounts", "data:/x", Rule::Mount),
            ("mounts", "/a:/b:sometimes", Rule::Mount),
            (
                "mount_requests",
                "type=volume,target=/x",
                Rule::MountRequest,
            ),
            ("tmpfs", "x", Rule::AbsolutePath),
            ("dns", "here", Rule::Address),
            ("restart", "sometimes", Rule::Restart),
            ("restart", "always:3", Rule::Restart),
            ("health_interval", "30", Rule::Span),
            ("memory_swappiness", "200", percent),
            ("devices", "fuse", Rule::Device),
            ("device_read_bps", "/dev/sda", Rule::DeviceRate),
            ("device_rules", "x", Rule::DeviceRule),
            ("ulimits", "nofile", Rule::Ulimit),
            ("seccomp", "rules.json", Rule::Seccomp),
            ("sysctls", "net", Rule::Sysctl),
            ("expose", "80/http", Rule::Port),
            ("cpuset_cpus", "all", Rule::Cpuset),
            ("pid_mode", "other", Rule::Choice),
            ("masked_paths", "/proc/keys\nproc", Rule::AbsolutePath),
            ("readonly_paths", "none\n/proc", Rule::AbsolutePath),
        ] {
            assert_eq!(broken(&[(field, text)]), [(field, rule)], "{text}");
        }
        let both = [("health_off", "on"), ("health_cmd", "true")];
        assert_eq!(broken(&both), [("health_cmd", off)]);
    }

    #[test]
    fn every_broken_rule_is_found_in_one_go() {
        let errors = broken(&[("name", "?"), ("memory", "x"), ("labels", "=y")]);
        let fields: Vec<_> = errors.iter().map(|(field, _)| *field).collect();
        assert_eq!(fields, ["labels", "memory", "name"]);
    }

    #[test]
    fn what_is_too_much_is_refused_and_not_dropped() {
        let lines = |n: usize| (0..n).map(|n| format!("A{n}=1\n")).collect::<String>();
        assert_eq!(broken(&[("environment", &lines(1_000))]), []);
        for field in ["environment", "labels"] {
            let found = broken(&[(field, &lines(1_001))]);
            assert_eq!(found, [(field, Rule::TooMany { most: 1_000 })]);
        }
    }

    #[test]
    fn a_value_keeps_the_blanks_at_its_end() {
        let typed = Typed::of([
            ("image", "busybox"),
            ("environment", "  PROMPT=> \r\n\n B=2"),
            ("labels", "note=a  "),
        ]);
        let body = check(&typed, &Stored::fresh()).unwrap().body();
        assert_eq!(body.config.env.unwrap(), ["PROMPT=> ", "B=2"]);
        assert_eq!(body.config.labels["note"], "a  ");
    }

    #[test]
    fn every_row_writes_what_it_reads() {
        for row in ALL.iter().copied().flatten() {
            let item = samples::item(row.field).to_owned();
            assert!(row.kind.fits(&item), "{}", row.field);
            let mut typed = Typed::of([("image", "busybox")]);
            typed.set(row.field, row.kind.text(std::slice::from_ref(&item)));
            let draft = check(&typed, &Stored::fresh());
            let draft = draft.unwrap_or_else(|errors| panic!("{}: {errors:?}", row.field));
            if row.field != "name" {
                assert_eq!((row.get)(&draft.body), [item], "{}", row.field);
            }
        }
    }

    #[test]
    fn a_refusal_of_the_engine_finds_its_field() {
        for (message, field) in [
            ("HostConfig.Ulimits: unknown limit \"x\"", "ulimits"),
            ("HostConfig.MemorySwap: your kernel …", "memory_swap"),
            ("HostConfig.LogConfig.Config: invalid", "log_driver"),
            ("HostConfig.Unknown: x", ""),
            ("while adding custom device \"/dev/x\"", "devices"),
            ("no such thing", ""),
        ] {
            assert_eq!(field_of(message), field, "{message}");
        }
    }
}
