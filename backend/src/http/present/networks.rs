//! Networks: the list, one of them, what a prune takes, the question before one goes.

use std::sync::Arc;

use engine_api::networks::{EndpointSettings, IpamConfig};
use frontend::format::Moment;
use frontend::pages::{
    Ask, MemberRow, NetworkRow, NetworkShow, NetworkTabs, NetworksIndex, NetworksPrune, NetworksTab,
};
use frontend::paths;
use frontend::shell::Section;
use frontend::ui::{
    Action, Badge, Column, Dialog, Empty, KeyValue, Look, Notice, Pair, Tone, View,
};
use jiff::Timestamp;

use super::fields::mark;
use super::network_forms::connect_fields;
use super::{Reader, exits, lists, network_recipes};
use crate::access::PermissionId as Id;
use crate::domain::FieldError;
use crate::fleet::{ContainerFact, NetworkFact, Page};
use crate::services::networks::{Connection, Shown};

/// Names in a sentence.
const MOST_NAMES: usize = 12;

/// Returns the list; `members` are those of each row.
pub fn index(
    reader: &Reader,
    view: &View,
    page: &Page<NetworkFact>,
    members: &[Vec<Arc<ContainerFact>>],
) -> NetworksIndex {
    let words = reader.words;
    let mut shell = reader.shell(Section::Networks, words.t("networks"));
    shell.topics = "jobs networks".to_owned();
    let column = |name, key: &str, numeric| Column::sorted(view, name, words.t(key), numeric);
    let rows = page.rows.iter().zip(members);
    NetworksIndex {
        tabs: tabs(reader, NetworksTab::List),
        actions: list_actions(reader),
        recipes: network_recipes::networks(reader),
        filter: lists::filter(reader, view, "networks-filter", &[]),
        columns: vec![
            column("name", "name", false),
            Column::plain(words.t("network-driver"), false),
            Column::plain(words.t("network-subnets"), false),
            Column::plain(words.t("network-gateway"), false).named("gateway"),
            Column::plain(words.t("containers"), false),
            column("created", "age", true),
        ],
        rows: rows
            .map(|(fact, members)| row(reader, fact, members))
            .collect(),
        pager: lists::pager(reader, view, page),
        empty: page.rows.is_empty().then(|| Empty {
            words,
            icon: "network",
            title: words.t("networks-none"),
            text: words.t("networks-none-text"),
            action: None,
            command: "docker network create shop".to_owned(),
        }),
        shell,
    }
}

fn list_actions(reader: &Reader) -> Vec<Action> {
    let words = reader.words;
    let new = paths::NetworkNew.to_string();
    let new = Action::link(words.t("network-new"), "plus", new).look(Look::Primary);
    let prune = paths::NetworksPrune.to_string();
    vec![
        reader.guard(new, Id::NetworkCreate, None),
        Action::link(words.t("networks-prune"), "trash-2", prune),
    ]
}

/// Returns the way between the pages about all networks.
pub(super) fn tabs(reader: &Reader, current: NetworksTab) -> NetworkTabs {
    let words = reader.words;
    NetworkTabs { words, current }
}

fn row(reader: &Reader, fact: &NetworkFact, members: &[Arc<ContainerFact>]) -> NetworkRow {
    let words = reader.words;
    let remove = remove_action(reader, fact, members);
    let created: Timestamp = fact.network.created.parse().unwrap_or_default();
    NetworkRow {
        id: fact.id.to_string(),
        name: fact.network.name.clone(),
        marks: marks(reader, fact),
        driver: fact.network.driver.clone(),
        subnets: subnets(fact),
        gateways: of_pools(fact, |pool| &pool.gateway),
        members: words.n("network-members", members.len() as u64),
        created: Moment::past(words, created, reader.now),
        actions: vec![remove.in_row(&paths::Networks.to_string())],
    }
}

/// What each of a network's subnets says of something.
fn of_pools(fact: &NetworkFact, say: impl Fn(&IpamConfig) -> &String) -> Vec<String> {
    let said = fact.network.ipam.config.iter().map(say);
    said.filter(|text| !text.is_empty()).cloned().collect()
}

/// Returns a network's subnets.
pub(super) fn subnets(fact: &NetworkFact) -> Vec<String> {
    of_pools(fact, |pool| &pool.subnet)
}

fn marks(reader: &Reader, fact: &NetworkFact) -> Vec<Badge> {
    let mark = |is_so: bool, icon, word| {
        let tone = Tone::Idle;
        is_so.then_some(Badge { tone, icon, word })
    };
    let network = &fact.network;
    let words = reader.words;
    let marks = [
        mark(fact.is_builtin(), "box", words.t("network-builtin")),
        mark(network.internal, "lock", words.t("network-internal")),
        mark(network.enable_ipv6, "network", words.t("network-ipv6")),
    ];
    marks.into_iter().flatten().collect()
}

fn remove_action(reader: &Reader, fact: &NetworkFact, members: &[Arc<ContainerFact>]) -> Action {
    let words = reader.words;
    let path = paths::NetworkRemove(fact.id.as_str()).to_string();
    let remove = Action::ask(words.t("remove"), "trash-2", path);
    let state = if fact.is_builtin() {
        Some(words.t("network-blocked-builtin"))
    } else if members.is_empty() {
        None
    } else {
        let names = members.iter().take(MOST_NAMES);
        let mut names: Vec<_> = names.map(|member| member.name.as_str()).collect();
        if members.len() > MOST_NAMES {
            names.push("…");
        }
        Some(words.named("network-blocked-used", &names.join(", ")))
    };
    reader.guard(remove, Id::NetworkRemove, None).unless(state)
}

/// Returns one network; the form to connect holds what was typed, and the rule it broke.
pub fn show(
    reader: &Reader,
    shown: &Shown,
    typed: &Connection,
    error: Option<&FieldError>,
) -> NetworkShow {
    let words = reader.words;
    let fact = &shown.fact;
    let mut shell = reader.shell(Section::Networks, fact.network.name.clone());
    shell.topics = "jobs networks".to_owned();
    let mut fields = connect_fields(reader, shown, typed);
    let rest = mark(words, &mut fields, error);
    shell.notices.extend(rest.map(Notice::failed));
    let members = shown.members.iter();
    NetworkShow {
        id: fact.id.to_string(),
        name: fact.network.name.clone(),
        marks: marks(reader, fact),
        actions: vec![remove_action(reader, fact, &shown.members)],
        recipes: network_recipes::network(reader, &fact.network.name),
        facts: facts(reader, fact),
        settings: settings(fact),
        members: members.map(|one| member(reader, fact, one)).collect(),
        connect: match reader.reason(Id::NetworkConnect) {
            Some(reason) => Err(reason),
            None if !fact.takes_guests() => Err(words.t("network-connect-never")),
            None if shown.others.is_empty() => Err(words.t("network-connect-none")),
            None => Ok(fields),
        },
        shell,
    }
}

fn facts(reader: &Reader, fact: &NetworkFact) -> KeyValue {
    let words = reader.words;
    let network = &fact.network;
    let yes_or_no = |yes| words.t(if yes { "yes" } else { "no" });
    let mut pairs = vec![
        Pair::text(words.t("network-driver"), network.driver.clone()),
        Pair::code(words.t("id"), fact.id.to_string()),
    ];
    for (label, values) in [
        ("network-subnets", subnets(fact)),
        ("network-gateway", of_pools(fact, |pool| &pool.gateway)),
        ("network-range", of_pools(fact, |pool| &pool.ip_range)),
    ] {
        if !values.is_empty() {
            pairs.push(Pair::code(words.t(label), values.join(", ")));
        }
    }
    pairs.push(Pair::text(
        words.t("network-internal"),
        yes_or_no(network.internal),
    ));
    pairs.push(Pair::text(
        words.t("network-ipv6"),
        yes_or_no(network.enable_ipv6),
    ));
    pairs.push(Pair::text(words.t("network-scope"), network.scope.clone()));
    if let Ok(at) = network.created.parse::<Timestamp>() {
        let at = at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        pairs.push(Pair::text(words.t("created"), at));
    }
    KeyValue { pairs }
}

fn settings(fact: &NetworkFact) -> KeyValue {
    let all = fact.network.options.iter().chain(&fact.network.labels);
    KeyValue {
        pairs: all
            .map(|(name, value)| Pair::code(name.clone(), value.clone()))
            .collect(),
    }
}

fn member(reader: &Reader, fact: &NetworkFact, container: &Arc<ContainerFact>) -> MemberRow {
    let back = paths::Network(fact.id.as_str()).to_string();
    MemberRow {
        name: container.name.clone(),
        path: paths::Container(container.id.as_str()).to_string(),
        state: Some(exits::badge(reader, container)),
        action: fact
            .takes_guests()
            .then(|| disconnect(reader, fact, container, &back)),
        ..place(fact.place_of(container))
    }
}

/// Returns the networks of a container, each as a row of its page.
pub fn of_container(
    reader: &Reader,
    container: &ContainerFact,
    networks: &[Arc<NetworkFact>],
) -> Vec<MemberRow> {
    let back = paths::Container(container.id.as_str()).to_string();
    let rows = networks.iter().map(|fact| MemberRow {
        name: fact.network.name.clone(),
        path: paths::Network(fact.id.as_str()).to_string(),
        action: fact
            .takes_guests()
            .then(|| disconnect(reader, fact, container, &back)),
        ..place(fact.place_of(container))
    });
    rows.collect()
}

/// Returns the ways to connect a container that is in `networks` to others of `all`.
pub fn joinable(
    reader: &Reader,
    container: &ContainerFact,
    all: &[Arc<NetworkFact>],
    networks: &[Arc<NetworkFact>],
) -> Vec<Action> {
    // Who has the host's network, or another's, has no place to put a link.
    let mode = container.summary.host_config.network_mode.as_str();
    if mode == "host" || mode.starts_with("container:") {
        return Vec::new();
    }
    let is_in = |fact: &NetworkFact| networks.iter().any(|network| network.id == fact.id);
    let others = all
        .iter()
        .filter(|fact| fact.takes_guests() && !is_in(fact));
    let links = others.take(MOST_NAMES).map(|fact| {
        let path = paths::Network(fact.id.as_str());
        let path = format!("{path}?container={}", container.id);
        let link = Action::link(fact.network.name.clone(), "plus", path);
        reader.guard(link, Id::NetworkConnect, None)
    });
    links.collect()
}

fn disconnect(
    reader: &Reader,
    fact: &NetworkFact,
    container: &ContainerFact,
    back: &str,
) -> Action {
    let path = paths::NetworkDisconnect(fact.id.as_str());
    let path = format!("{path}?container={}", container.id);
    let action = Action::post(reader.words.t("network-disconnect"), "x", path).in_row(back);
    reader.guard(action, Id::NetworkConnect, None)
}

/// The addresses and names of a place in a network.
fn place(place: Option<&EndpointSettings>) -> MemberRow {
    let place = place.cloned().unwrap_or_default();
    let address = |text: &str, n_bits: u8| (!text.is_empty()).then(|| format!("{text}/{n_bits}"));
    let addresses = [
        address(&place.ip_address, place.ip_prefix_len),
        address(&place.global_ipv6_address, place.global_ipv6_prefix_len),
    ];
    MemberRow {
        name: String::new(),
        path: String::new(),
        state: None,
        addresses: addresses.into_iter().flatten().collect(),
        mac: place.mac_address,
        aliases: place.aliases.unwrap_or_default().join(", "),
        action: None,
    }
}

/// Returns what a prune would take.
pub fn prune(reader: &Reader, unused: &[Arc<NetworkFact>]) -> NetworksPrune {
    let words = reader.words;
    NetworksPrune {
        shell: reader.shell(Section::Networks, words.t("networks-prune-title")),
        rows: unused.iter().map(|fact| row(reader, fact, &[])).collect(),
        empty: unused.is_empty().then(|| Empty {
            words,
            icon: "network",
            title: words.t("networks-prune-none"),
            text: words.t("networks-prune-none-text"),
            action: None,
            command: String::new(),
        }),
        locked: reader.reason(Id::NetworkPrune),
    }
}

/// Returns the question before one is removed.
pub fn ask_remove(reader: &Reader, fact: &NetworkFact) -> Ask {
    let words = reader.words;
    let title = words.named("network-remove-title", &fact.network.name);
    Ask {
        shell: reader.shell(Section::Networks, title.clone()),
        dialog: Dialog {
            words,
            title,
            names: Vec::new(),
            goes: vec![words.t("network-remove-goes")],
            stays: vec![words.t("network-remove-stays")],
            path: paths::NetworkRemove(fact.id.as_str()).to_string(),
            hidden: Vec::new(),
            check: None,
            yes: words.t("remove"),
            back: paths::Networks.to_string(),
        },
    }
}
