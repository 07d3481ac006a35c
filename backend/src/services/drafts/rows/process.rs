//! The program: what it is, how it begins and ends, whether it is well.

use engine_api::containers::{CreateBody, HealthConfig, RestartPolicy};

use crate::domain::Rule;
use crate::services::drafts::row::*;
use crate::services::drafts::rules;
use crate::services::drafts::span::{format_span, parse_span};

/// How a health check says that there is none, and that a shell runs it.
const NONE: &str = "NONE";
const SHELL: &str = "CMD-SHELL";

pub(in crate::services::drafts) const ROWS: &[Row] = &[
    // The name is no part of the definition; it is checked beside it.
    Row {
        field: "name",
        flag: long("name"),
        ..PLAIN
    },
    text!("image", long(""), config.image, rules::image),
    Row {
        field: "command",
        member: "cmd",
        kind: Kind::Command,
        get: |body| body.config.cmd.clone().unwrap_or_default(),
        set: |body, items| {
            body.config.cmd = some(items.to_vec());
            Ok(())
        },
        ..PLAIN
    },
    switch!("auto_remove", long("rm"), host_config.auto_remove),
    switch!("stdin", short('i', "interactive"), config.open_stdin),
    switch!("tty", short('t', "tty"), config.tty),
    maybe_switch!("init", long("init"), host_config.init),
    text!("user", short('u', "user"), config.user, rules::word),
    maybe_list!(
        "groups",
        long("group-add"),
        Kind::Words,
        host_config.group_add,
        rules::word
    ),
    text!(
        "working_dir",
        short('w', "workdir"),
        config.working_dir,
        rules::absolute
    ),
    Row {
        field: "entrypoint",
        member: "entrypoint",
        flag: long("entrypoint"),
        kind: Kind::Command,
        get: |body| body.config.entrypoint.clone().unwrap_or_default(),
        set: |body, items| {
            body.config.entrypoint = some(items.to_vec());
            Ok(())
        },
        ..PLAIN
    },
    Row {
        field: "environment",
        member: "env",
        flag: short('e', "env"),
        kind: Kind::Lines,
        get: |body| body.config.env.clone().unwrap_or_default(),
        set: |body, items| {
            let each = each(items, rules::environment)?;
            body.config.env = some(each);
            Ok(())
        },
        // Without a value it is known only to the shell that the line was meant for.
        heard: |value| value.contains('=').then(|| value.to_owned()),
        ..PLAIN
    },
    text!(
        "stop_signal",
        long("stop-signal"),
        config.stop_signal,
        rules::word
    ),
    maybe_number!(
        "stop_timeout",
        long("stop-timeout"),
        config.stop_timeout,
        within(-1, 86_400)
    ),
    Row {
        field: "labels",
        member: "labels",
        flag: short('l', "label"),
        kind: Kind::Lines,
        get: |body| pairs(&body.config.labels, equals, rules::pair),
        set: |body, items| {
            body.config.labels = map(items, rules::pair)?;
            Ok(())
        },
        ..PLAIN
    },
    Row {
        field: "annotations",
        member: "annotations",
        flag: long("annotation"),
        kind: Kind::Lines,
        get: |body| {
            let map = body.host_config.annotations.iter().flatten();
            pairs(map, equals, rules::pair)
        },
        set: |body, items| {
            let map: std::collections::BTreeMap<_, _> = map(items, rules::pair)?;
            body.host_config.annotations = (!map.is_empty()).then_some(map);
            Ok(())
        },
        ..PLAIN
    },
    Row {
        field: "restart",
        member: "restartpolicy",
        flag: long("restart"),
        get: |body| one(&policy_text(&body.host_config.restart_policy)),
        set: |body, items| {
            body.host_config.restart_policy = first(items, policy)?;
            Ok(())
        },
        ..PLAIN
    },
    Row {
        field: "health_off",
        member: "healthcheck",
        flag: long("no-healthcheck"),
        get: |body| on(test_of(body).first().is_some_and(|word| word == NONE)),
        set: |body, items| {
            let is_off = test_of(body).first().is_some_and(|word| word == NONE);
            if is_off == items.is_empty() {
                let test = (!is_off).then(|| vec![NONE.to_owned()]);
                change_health(body, |health| health.test = test);
            }
            Ok(())
        },
        ..BARE
    },
    Row {
        field: "health_cmd",
        member: "healthcheck",
        flag: long("health-cmd"),
        kind: Kind::Whole,
        get: |body| match test_of(body) {
            [kind, line] if kind == SHELL => vec![line.clone()],
            _ => Vec::new(),
        },
        set: |body, items| {
            match (test_of(body), items.first()) {
                ([kind, ..], Some(_)) if kind == NONE => {
                    return Err(Rule::NotWith {
                        option: "--no-healthcheck",
                    });
                }
                (_, Some(line)) => {
                    let test = Some(vec![SHELL.to_owned(), line.clone()]);
                    change_health(body, |health| health.test = test);
                }
                ([kind, _], None) if kind == SHELL => {
                    change_health(body, |health| health.test = None);
                }
                (_, None) => {}
            }
            Ok(())
        },
        ..PLAIN
    },
    span("health_interval", "health-interval", 0),
    span("health_timeout", "health-timeout", 1),
    span("health_start_period", "health-start-period", 2),
    span("health_start_interval", "health-start-interval", 3),
    Row {
        field: "health_retries",
        member: "healthcheck",
        flag: long("health-retries"),
        get: |body| match &body.config.healthcheck {
            Some(health) if health.retries != 0 => vec![health.retries.to_string()],
            _ => Vec::new(),
        },
        set: |body, items| {
            let retries = first(items, within(1, 10_000))?;
            change_health(body, |health| health.retries = retries);
            Ok(())
        },
        ..PLAIN
    },
    list!(
        "dns",
        long("dns"),
        Kind::Words,
        host_config.dns,
        rules::address
    ),
    list!(
        "dns_search",
        long("dns-search"),
        Kind::Words,
        host_config.dns_search,
        rules::word
    ),
    list!(
        "dns_options",
        long("dns-option"),
        Kind::Words,
        host_config.dns_options,
        rules::word
    ),
];

/// The spans of a health check: by their place, since a row's functions hold nothing.
const fn span(field: &'static str, flag: &'static str, place: usize) -> Row {
    type Both = (
        fn(&CreateBody) -> Vec<String>,
        fn(&mut CreateBody, &[String]) -> Result<(), Rule>,
    );
    macro_rules! of {
        ($member:ident) => {
            (
                |body| match &body.config.healthcheck {
                    Some(health) if health.$member != 0 => vec![format_span(health.$member)],
                    _ => Vec::new(),
                },
                |body, items| {
                    let span = first(items, parse_span)?;
                    change_health(body, |health| health.$member = span);
                    Ok(())
                },
            )
        };
    }
    let (get, set): Both = match place {
        0 => of!(interval),
        1 => of!(timeout),
        2 => of!(start_period),
        _ => of!(start_interval),
    };
    Row {
        field,
        member: "healthcheck",
        flag: long(flag),
        get,
        set,
        ..PLAIN
    }
}

fn test_of(body: &CreateBody) -> &[String] {
    let health = body.config.healthcheck.as_ref();
    health
        .and_then(|health| health.test.as_deref())
        .unwrap_or_default()
}

/// Changes the health check; one that says nothing is none.
fn change_health(body: &mut CreateBody, change: impl FnOnce(&mut HealthConfig)) {
    let mut health = body.config.healthcheck.take().unwrap_or_default();
    change(&mut health);
    body.config.healthcheck = (health != HealthConfig::default()).then_some(health);
}

/// `always`, `on-failure:3`; `no` says nothing.
fn policy_text(policy: &RestartPolicy) -> String {
    match (policy.name.as_str(), policy.maximum_retry_count) {
        ("" | "no", _) => String::new(),
        (name, 0) => name.to_owned(),
        (name, count) => format!("{name}:{count}"),
    }
}

fn policy(text: &str) -> Result<RestartPolicy, Rule> {
    let (name, count) = text.split_once(':').unwrap_or((text, ""));
    let count = match (name, count) {
        ("no" | "always" | "unless-stopped" | "on-failure", "") => 0,
        ("on-failure", count) => rules::whole(count, 0, i64::from(i32::MAX))?,
        _ => return Err(Rule::Restart),
    };
    Ok(match name {
        "no" => RestartPolicy::default(),
        name => RestartPolicy {
            name: name.to_owned(),
            maximum_retry_count: count,
        },
    })
}
