//! What an edit changes, and how: while the container goes on, or by making it anew.

use engine_api::containers::{CreateBody, HostConfig, UpdateBody};

use super::check::Draft;
use super::rows::ALL;
use super::stored::Stored;
use super::{Typed, row::Row};

/// A field that an edit changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The field's `name` in the form.
    pub field: &'static str,
    /// What it said, with masked values.
    pub before: String,
    /// What it says.
    pub after: String,
    /// Whether the container goes on while it is changed.
    pub in_place: bool,
}

/// How a definition becomes another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is the same.
    Same,
    /// The engine changes it while the container goes on.
    InPlace(Box<UpdateBody>),
    /// A new container takes its place.
    Anew,
}

/// Returns every field that an edit changes, in the order of the table.
pub fn changes(stored: &Stored, typed: &Typed, draft: &Draft) -> Vec<Change> {
    let mut changes = Vec::new();
    let name = draft.name().unwrap_or(&stored.name);
    if name != stored.name {
        changes.push(Change {
            field: "name",
            before: stored.name.clone(),
            after: name.to_owned(),
            in_place: true,
        });
    }
    let rows = ALL.iter().copied().flatten();
    for row in rows.filter(|row| (row.get)(&stored.body) != (row.get)(&draft.body)) {
        let items = super::stored::said(row, &stored.masked);
        let asked = row.kind.items(typed.text(row.field)).unwrap_or_default();
        changes.push(Change {
            field: row.field,
            before: row.kind.text(&items),
            after: row.kind.text(&asked),
            in_place: alone(row, stored, draft) != Way::Anew,
        });
    }
    changes
}

/// How this one option alone would be changed.
fn alone(row: &Row, stored: &Stored, draft: &Draft) -> Way {
    let mut body = stored.body.clone();
    match (row.set)(&mut body, &(row.get)(&draft.body)) {
        Ok(()) => between(&stored.body, &body),
        Err(_) => Way::Anew,
    }
}

/// Returns how the stored definition becomes the draft; the name is no part of it.
pub fn way(stored: &Stored, draft: &Draft) -> Way {
    between(&stored.body, &draft.body)
}

fn between(old: &CreateBody, new: &CreateBody) -> Way {
    if old == new {
        return Way::Same;
    }
    let mut others = new.clone();
    copy_updatable(&old.host_config, &mut others.host_config);
    if others != *old {
        return Way::Anew;
    }
    match update(&old.host_config, &new.host_config) {
        Some(body) => Way::InPlace(Box::new(body)),
        None => Way::Anew,
    }
}

/// The members that an update can change.
fn copy_updatable(from: &HostConfig, to: &mut HostConfig) {
    to.memory = from.memory;
    to.memory_reservation = from.memory_reservation;
    to.memory_swap = from.memory_swap;
    to.nano_cpus = from.nano_cpus;
    to.cpu_shares = from.cpu_shares;
    to.cpu_period = from.cpu_period;
    to.cpu_quota = from.cpu_quota;
    to.cpuset_cpus.clone_from(&from.cpuset_cpus);
    to.cpuset_mems.clone_from(&from.cpuset_mems);
    to.blkio_weight = from.blkio_weight;
    to.pids_limit = from.pids_limit;
    to.restart_policy.clone_from(&from.restart_policy);
}

/// Returns the update that does it. Its zero and its empty text say "as it is", so what is taken
/// away needs another way.
fn update(old: &HostConfig, new: &HostConfig) -> Option<UpdateBody> {
    let number = |old: i64, new: i64| match (old == new, new) {
        (true, _) => Some(0),
        (false, 0) => None,
        (false, new) => Some(new),
    };
    let text = |old: &String, new: &String| match (old == new, new.as_str()) {
        (true, _) => Some(String::new()),
        (false, "") => None,
        (false, new) => Some(new.to_owned()),
    };
    let pids = match (old.pids_limit == new.pids_limit, new.pids_limit) {
        (true, _) => None,
        (false, None | Some(0)) => return None,
        (false, limit) => limit,
    };
    let mut policy = new.restart_policy.clone();
    if old.restart_policy == new.restart_policy {
        policy = Default::default();
    } else if policy.name.is_empty() {
        "no".clone_into(&mut policy.name);
    }
    let has_share = |host: &HostConfig| host.cpu_quota != 0 || host.cpu_period != 0;
    let mixes = (new.nano_cpus != 0 || old.nano_cpus != 0) && (has_share(old) || has_share(new));
    let cpu_changes = old.nano_cpus != new.nano_cpus
        || (old.cpu_quota, old.cpu_period) != (new.cpu_quota, new.cpu_period);
    if mixes && cpu_changes {
        return None;
    }
    Some(UpdateBody {
        memory: number(old.memory, new.memory)?,
        memory_reservation: number(old.memory_reservation, new.memory_reservation)?,
        memory_swap: number(swap(old, old), swap(old, new))?,
        nano_cpus: number(old.nano_cpus, new.nano_cpus)?,
        cpu_shares: number(old.cpu_shares, new.cpu_shares)?,
        cpu_period: number(old.cpu_period, new.cpu_period)?,
        cpu_quota: number(old.cpu_quota, new.cpu_quota)?,
        cpuset_cpus: text(&old.cpuset_cpus, &new.cpuset_cpus)?,
        cpuset_mems: text(&old.cpuset_mems, &new.cpuset_mems)?,
        blkio_weight: number(old.blkio_weight, new.blkio_weight)?,
        pids_limit: pids,
        restart_policy: policy,
    })
}

/// Memory and swap that nobody chose is twice the memory, as a create writes it. A container that
/// was made without a memory limit has no number there that would have to follow.
fn swap(old: &HostConfig, host: &HostConfig) -> i64 {
    match host.memory_swap {
        0 if old.memory > 0 => host.memory.saturating_mul(2),
        chosen => chosen,
    }
}

#[cfg(test)]
mod tests {
    use engine_api::containers::Container;

    use super::super::{check, samples};
    use super::*;

    fn stored(change: impl FnOnce(&mut CreateBody)) -> Stored {
        let mut body = Stored::fresh().body;
        body.config.image = "busybox".to_owned();
        change(&mut body);
        let container = Container {
            id: "0".repeat(64),
            name: "/web".to_owned(),
            config: body.config,
            host_config_json: serde_json::to_value(body.host_config).unwrap(),
            ..Container::default()
        };
        Stored::of(&container, None, None).unwrap()
    }

    fn edited(stored: &Stored, fields: &[(&str, &str)]) -> (Vec<Change>, Way) {
        let mut typed = stored.typed();
        for (field, text) in fields {
            typed.set(field, (*text).to_owned());
        }
        let draft = check(&typed, stored).unwrap();
        (changes(stored, &typed, &draft), way(stored, &draft))
    }

    #[test]
    fn an_unchanged_form_changes_nothing_whatever_is_stored() {
        for row in ALL.iter().copied().flatten() {
            let stored = stored(|body| {
                let item = samples::item(row.field).to_owned();
                (row.set)(body, &[item]).unwrap();
            });
            assert_eq!(
                edited(&stored, &[]),
                (Vec::new(), Way::Same),
                "{}",
                row.field
            );
            assert_eq!(stored.kept(), [], "{}", row.field);
        }
    }

    #[test]
    fn what_no_field_can_say_is_kept_and_shown() {
        let stored = stored(|body| {
            body.config.env = Some(vec!["KEY=a\nb".to_owned(), "A=1".to_owned()]);
            body.config.stdin_once = true;
            body.config
                .labels
                .insert("note".to_owned(), "a\nb".to_owned());
            body.host_config.security_opt = Some(vec!["label=disable".to_owned()]);
            body.config.healthcheck = Some(engine_api::containers::HealthConfig {
                test: Some(vec!["CMD".to_owned(), "true".to_owned()]),
                ..Default::default()
            });
        });
        let kept: Vec<_> = stored.kept().into_iter().map(|(path, _)| path).collect();
        for path in [
            "StdinOnce",
            "Labels",
            "Healthcheck",
            "HostConfig.SecurityOpt",
        ] {
            assert!(kept.iter().any(|kept| kept == path), "{path} in {kept:?}");
        }

        let mut typed = stored.typed();
        typed.set("environment", format!("{}\nB=2", typed.text("environment")));
        typed.set("labels", "app=shop".to_owned());
        typed.set("no_new_privileges", "on".to_owned());
        typed.set("health_retries", "5".to_owned());
        let body = check(&typed, &stored).unwrap().body();
        assert_eq!(body.config.env.unwrap(), ["KEY=a\nb", "A=1", "B=2"]);
        assert_eq!(body.config.labels.len(), 2);
        assert!(body.config.stdin_once);
        assert_eq!(
            body.host_config.security_opt.unwrap(),
            ["label=disable", "no-new-privileges=true"]
        );
        let health = body.config.healthcheck.unwrap();
        assert_eq!((health.test.unwrap().len(), health.retries), (2, 5));
    }

    #[test]
    fn what_is_hidden_of_the_kernel_is_the_engines_own_nothing_or_what_was_asked_for() {
        let hidden = |paths: Option<&[&str]>| {
            let paths = paths.map(|paths| paths.iter().map(ToString::to_string).collect());
            stored(|body| {
                body.host_config.masked_paths = paths;
                body.host_config.readonly_paths = Some(Vec::new());
            })
        };
        for (paths, text) in [
            (None, ""),
            (Some([].as_slice()), "none"),
            (
                Some(["/proc/keys", "/proc/acpi"].as_slice()),
                "/proc/keys\n/proc/acpi",
            ),
        ] {
            let stored = hidden(paths);
            assert_eq!(stored.typed().text("masked_paths"), text);
            assert_eq!(edited(&stored, &[]), (Vec::new(), Way::Same));
            assert_eq!(stored.kept(), []);
            let (changed, way) = edited(&stored, &[("readonly_paths", "/proc/sys")]);
            assert_eq!((changed.len(), way), (1, Way::Anew));
        }
    }

    #[test]
    fn a_masked_value_stays_and_cannot_be_moved() {
        let stored = stored(|body| body.config.env = Some(vec!["KEY=s3cret".to_owned()]));
        let shown = stored.typed().text("environment").to_owned();
        assert!(!shown.contains("s3cret"));
        let mut typed = stored.typed();
        typed.set("environment", format!("{shown}\nA=1"));
        let body = check(&typed, &stored).unwrap().body();
        assert_eq!(body.config.env.unwrap(), ["KEY=s3cret", "A=1"]);
        typed.set("environment", shown.replace("KEY", "OTHER"));
        let errors = check(&typed, &stored).unwrap_err();
        assert_eq!(errors[0].rule, crate::domain::Rule::Masked);
    }

    #[test]
    fn limits_are_changed_in_place_and_the_rest_anew() {
        let stored = stored(|body| {
            body.host_config.memory = 64 << 20;
            body.host_config.memory_swap = 128 << 20;
        });
        let (changes, way) = edited(&stored, &[("memory", "32m"), ("restart", "always")]);
        assert!(changes.iter().all(|change| change.in_place), "{changes:?}");
        let Way::InPlace(body) = way else {
            panic!("{way:?}");
        };
        assert_eq!((body.memory, body.memory_swap), (32 << 20, 64 << 20));
        assert_eq!(body.restart_policy.name, "always");

        let (changes, way) = edited(&stored, &[("memory", "32m"), ("command", "sleep 1")]);
        assert_eq!(way, Way::Anew);
        let in_place: Vec<_> = changes.iter().map(|c| (c.field, c.in_place)).collect();
        assert_eq!(in_place, [("command", false), ("memory", true)]);

        // Nothing that the engine has says "no limit any more".
        assert_eq!(edited(&stored, &[("memory", "")]).1, Way::Anew);
        let (changes, way) = edited(&stored, &[("name", "shop")]);
        assert_eq!((changes.len(), way), (1, Way::Same));
    }

    #[test]
    fn what_the_image_brings_is_not_asked_for() {
        let image = engine_api::images::ImageConfig {
            env: Some(vec!["PATH=/bin".to_owned()]),
            entrypoint: Some(vec!["/entry".to_owned()]),
            cmd: Some(vec!["serve".to_owned()]),
            user: "web".to_owned(),
            ..Default::default()
        };
        let mut container = Container {
            id: "0".repeat(64),
            host_config_json: serde_json::json!({}),
            ..Container::default()
        };
        container.config.env = Some(vec!["PATH=/bin".to_owned(), "A=1".to_owned()]);
        container.config.entrypoint.clone_from(&image.entrypoint);
        container.config.cmd.clone_from(&image.cmd);
        container.config.user = "web".to_owned();
        container.config.hostname = "0".repeat(12);
        let of = |container: &Container| Stored::of(container, Some(&image), None).unwrap().body;
        let asked = of(&container).config;
        assert_eq!(asked.env.unwrap(), ["A=1"]);
        assert_eq!((asked.entrypoint, asked.cmd), (None, None));
        assert_eq!((asked.user, asked.hostname), (String::new(), String::new()));

        // An entry point that is gone was taken away, and stays so.
        container.config.entrypoint = None;
        let asked = of(&container).config;
        assert_eq!(asked.entrypoint.unwrap(), [""]);
        assert_eq!(asked.cmd.unwrap(), ["serve"]);
    }
}
