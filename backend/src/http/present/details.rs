//! One container: the cards of its overview, its processes, its document.

use std::sync::Arc;

use engine_api::containers::{Container, HostConfig, Top};
use frontend::format;
use frontend::pages::{ContainerInspect, ContainerOverview, FactCard, ProcessTable};
use frontend::parts::Tab;
use frontend::paths;
use frontend::shell::{Section, Shell};
use frontend::ui::{Action, KeyValue, Notice, Pair};

use super::{Reader, containers, networks, stops};
use crate::access::PermissionId;
use crate::fleet::{ContainerFact, NetworkFact};

/// Returns the frame of a container's tab; it watches that container, and keeps its tab lit.
pub fn shell(reader: &Reader, fact: &ContainerFact, tab: Tab) -> Shell {
    let mut shell = reader.shell(Section::Containers, fact.name.clone());
    shell.topics = format!("jobs container:{}:{}", fact.id, tab.word());
    shell
}

/// Returns the first tab.
pub fn overview(
    reader: &Reader,
    fact: &ContainerFact,
    detail: Option<&Container>,
    last_lines: &[String],
) -> ContainerOverview {
    let mut shell = shell(reader, fact, Tab::Overview);
    if detail.is_none() && shell.engine.is_none() {
        shell
            .notices
            .push(Notice::failed(reader.words.t("host-offline")));
    }
    ContainerOverview {
        header: containers::header(reader, fact, Tab::Overview),
        why: stops::why(reader, fact, detail, last_lines),
        health: detail.and_then(|detail| stops::health(reader, detail)),
        networks: Vec::new(),
        joinable: Vec::new(),
        cards: detail.map_or_else(Vec::new, |detail| cards(reader, fact, detail)),
        shell,
    }
}

/// Puts the networks of a container onto its first tab; `all` are those of the host.
pub fn with_networks(
    reader: &Reader,
    fact: &ContainerFact,
    (mine, all): (&[Arc<NetworkFact>], &[Arc<NetworkFact>]),
    page: ContainerOverview,
) -> ContainerOverview {
    ContainerOverview {
        networks: networks::of_container(reader, fact, mine),
        joinable: networks::joinable(reader, fact, all, mine),
        ..page
    }
}

/// Returns everything the engine knows, with its values masked or shown.
pub fn inspect(
    reader: &Reader,
    fact: &ContainerFact,
    document: &serde_json::Value,
    is_revealed: bool,
) -> ContainerInspect {
    ContainerInspect {
        shell: shell(reader, fact, Tab::Inspect),
        header: containers::header(reader, fact, Tab::Inspect),
        json: serde_json::to_string_pretty(document).unwrap_or_default(),
        reveal: (!is_revealed).then(|| reveal(reader, fact)),
    }
}

/// Returns the button that shows the values, on the page with everything.
fn reveal(reader: &Reader, fact: &ContainerFact) -> Action {
    let path = paths::ContainerInspect(fact.id.as_str()).to_string();
    let reveal = Action::post(reader.words.t("inspect-reveal"), "eye", path).on_its_page();
    reader.guard(reveal, PermissionId::ContainerReveal, None)
}

fn cards(reader: &Reader, fact: &ContainerFact, detail: &Container) -> Vec<FactCard> {
    let host = detail.host_config();
    let cards = [
        ("facts-runs", "terminal", runs(reader, detail)),
        ("facts-limits", "cpu", limits(reader, &host)),
        (
            "facts-restarts",
            "rotate-cw",
            stops::restarts(reader, detail),
        ),
        ("facts-network", "network", network(reader, detail, &host)),
        ("facts-security", "shield", security(reader, &host)),
        ("facts-env", "list-tree", environment(detail)),
        ("facts-storage", "hard-drive", storage(detail, &host)),
        ("facts-labels", "tag", labels(detail)),
        ("facts-logs", "file-text", logs(reader, &host)),
    ];
    let cards = cards.into_iter().filter(|(.., pairs)| !pairs.is_empty());
    cards
        .map(|(key, icon, pairs)| FactCard {
            title: reader.words.t(key),
            icon,
            facts: KeyValue { pairs },
            action: (key == "facts-env").then(|| reveal(reader, fact)),
        })
        .collect()
}

fn runs(reader: &Reader, detail: &Container) -> Vec<Pair> {
    let words = reader.words;
    let config = &detail.config;
    let line = std::iter::once(&detail.path).chain(&detail.args);
    let line: Vec<_> = line.map(String::as_str).collect();
    let line = shlex::try_join(line.iter().copied()).unwrap_or_else(|_| line.join(" "));
    let or = |text: &str, other: &str| if text.is_empty() { other } else { text }.to_owned();
    let mut pairs = vec![
        Pair::code(words.t("command"), line),
        Pair::code(words.t("workdir"), or(&config.working_dir, "/")),
        Pair::code(words.t("user"), or(&config.user, "root")),
        Pair::code(words.t("hostname"), config.hostname.clone()),
        Pair::code(words.t("id"), detail.id.clone()),
        Pair::code(words.t("image"), detail.image.clone()),
        Pair::text(words.t("created"), moment(&detail.created)),
    ];
    if detail.state.started_at != engine_api::containers::ZERO_TIME {
        pairs.push(Pair::text(
            words.t("started"),
            moment(&detail.state.started_at),
        ));
    }
    if config.tty {
        pairs.push(Pair::text(words.t("terminal-allocated"), words.t("yes")));
    }
    if config.open_stdin {
        pairs.push(Pair::text(words.t("stdin-open"), words.t("yes")));
    }
    if !config.stop_signal.is_empty() {
        pairs.push(Pair::code(
            words.t("stop-signal"),
            config.stop_signal.clone(),
        ));
    }
    pairs
}

/// A moment as people read it; in UTC, as it says.
fn moment(text: &str) -> String {
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => text.to_owned(),
    }
}

fn limits(reader: &Reader, host: &HostConfig) -> Vec<Pair> {
    let words = reader.words;
    let or_none = |limit: Option<String>| limit.unwrap_or_else(|| words.t("unlimited"));
    let memory = u64::try_from(host.memory).ok().filter(|bytes| *bytes > 0);
    let cpus = (host.nano_cpus > 0).then(|| {
        let (whole, rest) = (
            host.nano_cpus / 1_000_000_000,
            host.nano_cpus % 1_000_000_000,
        );
        let text = format!("{whole}.{rest:09}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    });
    let pids = host.pids_limit.filter(|limit| *limit > 0);
    vec![
        Pair::text(words.t("memory-limit"), or_none(memory.map(format::bytes))),
        Pair::text(words.t("cpu-limit"), or_none(cpus)),
        Pair::text(
            words.t("pids-limit"),
            or_none(pids.map(|limit| limit.to_string())),
        ),
    ]
}

fn network(reader: &Reader, detail: &Container, host: &HostConfig) -> Vec<Pair> {
    let words = reader.words;
    let mode = match host.network_mode.as_str() {
        "host" => words.t("network-host"),
        "none" => words.t("network-none"),
        other => other.to_owned(),
    };
    let mut pairs = vec![Pair::text(words.t("network"), mode)];
    let ports: Vec<_> = detail.config.exposed_ports.keys().cloned().collect();
    if !ports.is_empty() {
        pairs.push(Pair::code(words.t("ports"), ports.join(", ")));
    }
    pairs
}

fn security(reader: &Reader, host: &HostConfig) -> Vec<Pair> {
    let words = reader.words;
    let yes_or_no = |yes| words.t(if yes { "yes" } else { "no" });
    let list = |items: &Option<Vec<String>>| match items {
        Some(items) if !items.is_empty() => items.join(", "),
        _ => words.t("none"),
    };
    vec![
        Pair::text(words.t("read-only"), yes_or_no(host.readonly_rootfs)),
        Pair::text(words.t("capabilities-added"), list(&host.cap_add)),
        Pair::text(words.t("capabilities-dropped"), list(&host.cap_drop)),
        Pair::text(words.t("security-options"), list(&host.security_opt)),
    ]
}

fn environment(detail: &Container) -> Vec<Pair> {
    let list = detail.config.env.iter().flatten();
    list.map(|variable| {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        Pair::code(name.to_owned(), value.to_owned())
    })
    .collect()
}

fn storage(detail: &Container, host: &HostConfig) -> Vec<Pair> {
    let mounts = detail.mounts.iter().map(|mount| {
        let how = if mount.rw { "" } else { " (ro)" };
        Pair::code(mount.destination.clone(), format!("{}{how}", mount.source))
    });
    let tmpfs = host.tmpfs.iter();
    let tmpfs = tmpfs.map(|(path, options)| Pair::code(path.clone(), format!("tmpfs {options}")));
    mounts.chain(tmpfs).collect()
}

fn labels(detail: &Container) -> Vec<Pair> {
    let labels = detail.config.labels.iter();
    labels
        .map(|(name, value)| Pair::code(name.clone(), value.clone()))
        .collect()
}

fn logs(reader: &Reader, host: &HostConfig) -> Vec<Pair> {
    let log = &host.log_config;
    let mut pairs = Vec::new();
    if !log.kind.is_empty() {
        pairs.push(Pair::text(reader.words.t("log-driver"), log.kind.clone()));
    }
    let options = log.config.iter();
    pairs.extend(options.map(|(name, value)| Pair::code(name.clone(), value.clone())));
    pairs
}

/// Returns the table of processes.
pub fn processes(top: Top) -> ProcessTable {
    ProcessTable {
        titles: top.titles,
        rows: top.processes,
    }
}
