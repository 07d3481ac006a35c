//! Sample networks and ports.

use super::others::{field, moment};
use crate::pages::{
    ListenerRow, MemberRow, NetworkNew, NetworkRow, NetworkShow, NetworkTabs, NetworksIndex,
    NetworksPicture, NetworksPrune, NetworksTab, Ports,
};
use crate::parts::{NetworkPicture, PictureContainer, PictureNetwork};
use crate::paths;
use crate::shell::Shell;
use crate::ui::{
    Action, Badge, Column, Empty, Field, Filter, KeyValue, Kind, Pager, Pair, Recipe, Recipes,
    Tone, View,
};
use crate::words::Words;

fn tabs(words: Words, current: NetworksTab) -> NetworkTabs {
    NetworkTabs { words, current }
}

fn badge(words: Words, tone: Tone, icon: &'static str, key: &str) -> Badge {
    Badge {
        tone,
        icon,
        word: words.t(key),
    }
}

fn recipes(words: Words) -> Recipes {
    Recipes {
        words,
        recipes: vec![Recipe {
            label: words.t("networks"),
            icon: "network",
            command: "docker network ls".into(),
            call: "curl --unix-socket /run/gantry/engine.sock http://localhost/v1.52/networks"
                .into(),
        }],
    }
}

fn rows(words: Words) -> Vec<NetworkRow> {
    let row = |name: &str, driver: &str, subnets: &[&str], count, marks| NetworkRow {
        id: name.into(),
        name: name.into(),
        marks,
        driver: driver.into(),
        subnets: subnets.iter().map(|text| (*text).into()).collect(),
        gateways: subnets
            .iter()
            .map(|text| text.replace("0/24", "1"))
            .collect(),
        members: words.n("network-members", count),
        created: moment(words, 90_000),
        actions: vec![
            Action::ask(
                words.t("remove"),
                "trash-2",
                paths::NetworkRemove(name).to_string(),
            )
            .in_row("/networks")
            .unless((count > 0).then(|| words.named("network-blocked-used", "web, db"))),
        ],
    };
    let lock = || badge(words, Tone::Idle, "lock", "network-internal");
    let builtin = || badge(words, Tone::Idle, "box", "network-builtin");
    vec![
        row("back", "bridge", &["10.5.1.0/24"], 2, vec![lock()]),
        row("bridge", "bridge", &["172.17.0.0/24"], 0, vec![builtin()]),
        row("shop", "bridge", &["10.5.0.0/24", "fd00:5::/64"], 3, vec![]),
        row("host", "host", &[], 0, vec![builtin()]),
    ]
}

/// The list, or what an empty one says.
pub fn networks_index(shell: Shell, is_empty: bool) -> NetworksIndex {
    let words = shell.words;
    let view = View {
        path: paths::Networks.to_string(),
        page: 1,
        ..View::default()
    };
    let all = if is_empty { Vec::new() } else { rows(words) };
    NetworksIndex {
        tabs: tabs(words, NetworksTab::List),
        actions: vec![
            Action::link(
                words.t("network-new"),
                "plus",
                paths::NetworkNew.to_string(),
            ),
            Action::link(
                words.t("networks-prune"),
                "trash-2",
                paths::NetworksPrune.to_string(),
            ),
        ],
        recipes: recipes(words),
        filter: Filter {
            words,
            view: view.clone(),
            hint: words.t("networks-filter"),
            chips: Vec::new(),
        },
        columns: vec![
            Column::sorted(&view, "name", words.t("name"), false),
            Column::plain(words.t("network-driver"), false),
            Column::plain(words.t("network-subnets"), false),
            Column::plain(words.t("network-gateway"), false),
            Column::plain(words.t("containers"), false),
            Column::sorted(&view, "created", words.t("age"), true),
        ],
        pager: Pager::new(words, &view, 50, all.len()),
        rows: all,
        empty: is_empty.then(|| Empty {
            words,
            icon: "network",
            title: words.t("networks-none"),
            text: words.t("networks-none-text"),
            action: None,
            command: "docker network create shop".into(),
        }),
        shell,
    }
}

/// The form of a new one.
pub fn network_new(shell: Shell) -> NetworkNew {
    let words = shell.words;
    let subnet = Field {
        value: "10.5.0.0/33".into(),
        error: Some(words.t("rule-subnet")),
        code: true,
        ..field(words, "subnet", "network-subnet", Kind::Text)
    };
    NetworkNew {
        fields: vec![
            field(words, "name", "name", Kind::Text),
            field(words, "internal", "network-internal", Kind::Check),
        ],
        more: vec![subnet],
        open: true,
        shell,
    }
}

/// One, with two containers in it.
pub fn network_show(shell: Shell) -> NetworkShow {
    let words = shell.words;
    let member = |name: &str, addresses: &[&str]| MemberRow {
        name: name.into(),
        path: paths::Container(name).to_string(),
        state: Some(badge(words, Tone::Running, "circle-play", "state-running")),
        addresses: addresses.iter().map(|text| (*text).into()).collect(),
        mac: "02:42:0a:05:00:02".into(),
        aliases: "app".into(),
        action: Some(
            Action::post(
                words.t("network-disconnect"),
                "x",
                format!("{}?container={name}", paths::NetworkDisconnect("shop")),
            )
            .in_row("/networks/shop"),
        ),
    };
    NetworkShow {
        id: "shop".into(),
        name: "shop".into(),
        marks: vec![badge(words, Tone::Idle, "lock", "network-internal")],
        actions: vec![Action::ask(
            words.t("remove"),
            "trash-2",
            paths::NetworkRemove("shop").to_string(),
        )],
        recipes: recipes(words),
        facts: KeyValue {
            pairs: vec![
                Pair::text(words.t("network-driver"), "bridge".into()),
                Pair::code(words.t("network-subnet"), "10.5.0.0/24".into()),
            ],
        },
        settings: KeyValue {
            pairs: vec![Pair::code("app".into(), "shop".into())],
        },
        members: vec![
            member("web", &["10.5.0.2/24", "fd00:5::2/64"]),
            member("db", &[]),
        ],
        connect: Ok(vec![field(words, "container", "container", Kind::Text)]),
        shell,
    }
}

/// Ten containers in three networks, or two hundred.
pub fn networks_picture(shell: Shell, n_containers: usize) -> NetworksPicture {
    let words = shell.words;
    let network = |name: &str, detail: &str| PictureNetwork {
        name: name.into(),
        detail: detail.into(),
        path: paths::Network(name).to_string(),
    };
    let networks = vec![
        network("back", "bridge · 10.5.1.0/24"),
        network("shop", "bridge · 10.5.0.0/24"),
        network("host", "host"),
    ];
    let container = |n: usize| PictureContainer {
        name: format!("shop-worker-{n}"),
        path: paths::Container("1").to_string(),
        tone: if n % 7 == 6 {
            Tone::Failed
        } else {
            Tone::Running
        },
        state: words.t(if n % 7 == 6 {
            "state-exited"
        } else {
            "state-running"
        }),
        ports: if n.is_multiple_of(5) {
            format!("{}→80", 8000 + n)
        } else {
            String::new()
        },
        ports_path: paths::Ports.to_string(),
        networks: if n % 10 == 9 { vec![0, 1] } else { vec![n % 3] },
    };
    NetworksPicture {
        tabs: tabs(words, NetworksTab::Picture),
        picture: NetworkPicture::new(
            (
                words.t("picture-title"),
                words.with(
                    "picture-summary",
                    &[("networks", "3"), ("containers", &n_containers.to_string())],
                ),
            ),
            (words.t("host-local"), paths::Overview.to_string()),
            networks,
            (0..n_containers).map(container).collect(),
        ),
        shell,
    }
}

/// What nobody is in.
pub fn networks_prune(shell: Shell) -> NetworksPrune {
    NetworksPrune {
        rows: rows(shell.words),
        empty: None,
        locked: None,
        shell,
    }
}

/// Ports, two of which collide.
pub fn ports(shell: Shell) -> Ports {
    let words = shell.words;
    let row = |port: &str, container: &str, rival: Option<&str>| ListenerRow {
        port: port.into(),
        protocol: "tcp".into(),
        address: words.t("port-all"),
        container: container.into(),
        path: paths::Container(container).to_string(),
        state: badge(words, Tone::Running, "circle-play", "state-running"),
        inner: "80".into(),
        conflict: rival.map(|name| Badge {
            tone: Tone::Warn,
            icon: "triangle-alert",
            word: words.named("port-conflict-with", name),
        }),
    };
    Ports {
        tabs: tabs(words, NetworksTab::Ports),
        from: Field {
            value: "8080".into(),
            ..field(words, "from", "ports-from", Kind::Number)
        },
        free: words.named("ports-free", "8082"),
        rows: vec![
            row("8080", "web", Some("old-web")),
            row("8080", "old-web", Some("web")),
            row("8081", "api", None),
        ],
        empty: None,
        shell,
    }
}

/// The networks of one container.
pub(super) fn networks_of(words: Words) -> Vec<MemberRow> {
    let place = |name: &str, addresses: &[&str]| MemberRow {
        name: name.into(),
        path: paths::Network(name).to_string(),
        state: None,
        addresses: addresses.iter().map(|text| (*text).into()).collect(),
        mac: "02:42:0a:05:00:02".into(),
        aliases: "app, web".into(),
        action: Some(
            Action::post(
                words.t("network-disconnect"),
                "x",
                format!("{}?container=1", paths::NetworkDisconnect(name)),
            )
            .in_row("/containers/1"),
        ),
    };
    vec![place("shop", &["10.5.0.2/24", "fd00:5::2/64"])]
}
