//! Sample containers: one in each state.

use crate::format::{self, Moment};
use crate::pages::{
    ContainerInput, ContainerInspect, ContainerNew, ContainerOverview, ContainerPlan,
    ContainerProcesses, ContainerStats, ContainerTerminal, ContainersIndex, FactCard, FormOf, Kept,
    PlanRow, Problems, ProcessTable,
};
use crate::parts::{ContainerHeader, ContainerRow, Fact, LoadCell, Port, Tab};
use crate::paths;
use crate::shell::Shell;
use crate::ui::{
    Action, Badge, Column, Empty, Field, Filter, KeyValue, Kind, Look, Notice, Pager, Pair, Tone,
    View,
};
use crate::words::Words;

const NAMES: [(&str, &str); 8] = [
    ("shop-web-1", "registry.example.com/shop/web:2026.11"),
    ("shop-worker-1", "registry.example.com/shop/worker:2026.11"),
    ("postgres", "postgres:18"),
    ("redis", "redis:8-alpine"),
    ("hello", "gantry/hello"),
    ("migrate-20261121", "registry.example.com/shop/web:2026.11"),
    (
        "image-resizer-with-a-rather-long-name",
        "ghcr.io/example/image-resizer:v0.14.2",
    ),
    ("scratch-test", "alpine:3.24"),
];

/// Returns a sample id.
pub fn container_id(index: usize) -> String {
    format!("{index:02x}").repeat(32)
}

/// Returns one of the states: word, status line.
pub fn badge(words: Words, index: usize) -> (Badge, String) {
    let exited = |code: &str| {
        let ago = format::ago(words, 120);
        words.with("status-exited", &[("code", code), ("ago", &ago)])
    };
    let up = words.named("status-up", &format::duration(words, 277_000));
    let (tone, icon, key, status) = match index % 8 {
        0..=2 | 4 => (Tone::Running, "circle-play", "state-running", up),
        3 => (Tone::Busy, "loader-circle", "state-restarting", exited("1")),
        5 => (Tone::Idle, "circle-stop", "state-exited", exited("0")),
        6 => (Tone::Failed, "circle-x", "state-oom", exited("137")),
        _ => (
            Tone::Idle,
            "circle-dashed",
            "state-created",
            words.t("status-created"),
        ),
    };
    (
        Badge {
            tone,
            icon,
            word: words.t(key),
        },
        status,
    )
}

/// Returns a row.
pub fn container_row(words: Words, index: usize) -> ContainerRow {
    let id = container_id(index);
    let (name, image) = NAMES[index % NAMES.len()];
    let (state, status) = badge(words, index);
    let running = state.tone == Tone::Running;
    let wave = |step: usize| ((step * (index + 3)) % 17) as f32 / 20.0 + 0.1;
    let points = format::spark(&(0..60).map(wave).collect::<Vec<_>>(), 1.0);
    let load = |kind: &str, key: &str, number: &str| LoadCell {
        dom_id: format!("{kind}-{id}"),
        label: words.t(key),
        number: if running {
            number.to_owned()
        } else {
            String::new()
        },
        points: if running {
            points.clone()
        } else {
            String::new()
        },
    };
    ContainerRow {
        words,
        pick: true,
        alive: running,
        name: name.into(),
        state,
        status,
        image: image.into(),
        update: super::update_mark(words, index),
        cpu: load("cpu", "cpu", "12.4 %"),
        memory: load("memory", "memory", "184 MiB"),
        ports: match index % 3 {
            0 => vec![Port {
                text: "8080/tcp".into(),
                link: Some("http://localhost:8080/".into()),
            }],
            1 => vec![Port {
                text: "5432/tcp".into(),
                link: None,
            }],
            _ => Vec::new(),
        },
        created: Moment {
            text: format::ago(words, 277_000),
            exact: "2026-11-18T02:00:00Z".into(),
        },
        actions: row_actions(words, &id, running),
        id,
    }
}

fn row_actions(words: Words, id: &str, running: bool) -> Vec<Action> {
    let start = if running {
        Action::post(
            words.t("stop"),
            "square",
            paths::ContainerStop(id).to_string(),
        )
    } else {
        Action::post(
            words.t("start"),
            "play",
            paths::ContainerStart(id).to_string(),
        )
    };
    let blocked = (!running).then(|| words.t("blocked-not-running"));
    let terminal = paths::ContainerTerminal(id).to_string();
    let back = "/containers";
    vec![
        start.in_row(back),
        Action::post(
            words.t("restart"),
            "rotate-cw",
            paths::ContainerRestart(id).to_string(),
        )
        .in_row(back),
        Action::link(
            words.t("logs"),
            "file-text",
            paths::ContainerLogs(id).to_string(),
        )
        .in_row(back),
        Action::link(words.t("terminal"), "terminal", terminal)
            .in_row(back)
            .unless(blocked),
        Action::ask(
            words.t("remove"),
            "trash-2",
            paths::ContainerRemove(id).to_string(),
        )
        .in_row(back),
    ]
}

/// The list with this many containers.
pub fn containers_index(shell: Shell, total: usize) -> ContainersIndex {
    let words = shell.words;
    let view = View {
        path: "/containers".into(),
        page: 1,
        sort: "name".into(),
        ..View::default()
    };
    let column = |name, key: &str, numeric| Column::sorted(&view, name, words.t(key), numeric);
    let new = Action::link(
        words.t("container-new"),
        "plus",
        paths::ContainerNew.to_string(),
    );
    ContainersIndex {
        actions: vec![new.clone().look(Look::Primary)],
        filter: Filter {
            words,
            hint: words.t("containers-filter"),
            chips: vec![
                (words.t("all"), total.to_string(), view.url(), true),
                (
                    words.t("state-running"),
                    (total / 2).to_string(),
                    "?filter=a".into(),
                    false,
                ),
                (
                    words.t("state-exited"),
                    (total / 3).to_string(),
                    "?filter=b".into(),
                    false,
                ),
            ],
            view: view.clone(),
        },
        columns: vec![
            column("name", "name", false),
            column("state", "state", false),
            column("image", "image", false),
            column("cpu", "cpu", true),
            column("memory", "memory", true),
            Column::plain(words.t("ports"), false).named("ports"),
            column("created", "age", true),
        ],
        rows: (0..total.min(50))
            .map(|index| container_row(words, index))
            .collect(),
        pager: Pager::new(words, &view, 50, total),
        look: super::list_look(words),
        bulk: super::bulk_actions(words),
        logs: Some(paths::Logs.to_string()),
        empty: (total == 0).then(|| Empty {
            words,
            icon: "box",
            title: words.t("containers-none"),
            text: words.t("containers-none-text"),
            action: Some(new.look(Look::Primary)),
            command: "docker run --network none gantry/hello".into(),
        }),
        here: "/containers".into(),
        shell,
    }
}

/// The head of a container in one of the states.
pub fn container_header(words: Words, index: usize, tab: Tab) -> ContainerHeader {
    let row = container_row(words, index);
    let running = row.state.tone == Tone::Running;
    let fact = |icon, key: &str, text: &str, link: Option<&str>| Fact {
        icon,
        label: words.t(key),
        text: text.into(),
        link: link.map(str::to_owned),
    };
    let why = [
        ("code", "137"),
        ("ago", &format::ago(words, 120)),
        ("why", &words.t("exit-oom")),
    ];
    ContainerHeader {
        words,
        sentence: if running {
            words.named("sentence-up", &format::duration(words, 277_000))
        } else {
            words.with("sentence-exited", &why)
        },
        facts: vec![
            fact("layers", "image", &row.image, Some("/images/aa")),
            fact("box", "id", format::short_id(&row.id), None),
            fact("network", "ports", "8080/tcp", None),
        ],
        actions: row_actions(words, &row.id, running)
            .into_iter()
            .filter(|action| !matches!(action.icon, "file-text" | "terminal"))
            .map(|action| Action {
                bare: false,
                look: Look::Plain,
                ..action
            })
            .collect(),
        update: super::update_mark(words, index),
        recipes: super::recipes(words),
        rename: Ok(()),
        tab,
        run: if running { "2026-11-18T00:03:00Z" } else { "" }.into(),
        name: row.name,
        state: row.state,
        id: row.id,
    }
}

/// A container's first tab.
pub fn container_overview(shell: Shell, index: usize) -> ContainerOverview {
    let words = shell.words;
    let header = container_header(words, index, Tab::Overview);
    let text = |key: &str, value: &str| Pair::text(words.t(key), value.into());
    let code = |key: &str, value: &str| Pair::code(words.t(key), value.into());
    let path = paths::ContainerInspect(&header.id).to_string();
    let reveal = Action::post(words.t("inspect-reveal"), "eye", path).on_its_page();
    let card = |key: &str, icon, pairs| FactCard {
        title: words.t(key),
        icon,
        facts: KeyValue { pairs },
        action: (key == "facts-env").then(|| reveal.clone()),
    };
    ContainerOverview {
        networks: super::networks::networks_of(words),
        joinable: vec![Action::link(
            "back".into(),
            "plus",
            "/networks/back?container=1".into(),
        )],
        why: (header.state.tone == Tone::Failed).then(|| super::why_stopped(words)),
        health: (index == 0).then(|| super::health_card(words)),
        cards: vec![
            card(
                "facts-runs",
                "terminal",
                vec![
                    code("command", "nginx -g 'daemon off;'"),
                    code("entrypoint", "/docker-entrypoint.sh"),
                    code("workdir", "/"),
                    text("user", "root"),
                    code("id", &header.id),
                ],
            ),
            card(
                "facts-limits",
                "cpu",
                vec![
                    text("memory-limit", "184 MiB / 256 MiB"),
                    text("cpu-limit", "12.4 % / 150 %"),
                    text("pids-limit", "9 / 256"),
                ],
            ),
            card(
                "facts-network",
                "network",
                vec![text("network", &words.t("network-none"))],
            ),
            card(
                "facts-env",
                "list-tree",
                vec![
                    Pair::code("TZ".into(), "••••••".into()),
                    Pair::code("DATABASE_URL".into(), "••••••".into()),
                ],
            ),
            card(
                "facts-labels",
                "tag",
                vec![Pair::code("app".into(), "shop".into())],
            ),
        ],
        header,
        shell,
    }
}

/// Its load.
pub fn container_stats(shell: Shell) -> ContainerStats {
    let header = container_header(shell.words, 0, Tab::Stats);
    ContainerStats {
        header,
        notice: None,
        host_network: true,
        now: KeyValue::default(),
        newest: Vec::new(),
        rows: Vec::new(),
        shell,
    }
}

/// A terminal that can be opened, and one that cannot.
pub fn container_terminal(shell: Shell, running: bool) -> ContainerTerminal {
    let words = shell.words;
    let header = container_header(words, if running { 0 } else { 5 }, Tab::Terminal);
    let start = Action::post(
        words.t("start"),
        "play",
        paths::ContainerStart(&header.id).to_string(),
    );
    ContainerTerminal {
        notice: (!running).then(|| Notice {
            tone: Tone::Idle,
            text: words.t("terminal-not-running"),
            link: None,
        }),
        actions: if running {
            Vec::new()
        } else {
            vec![start.look(Look::Primary)]
        },
        header,
        shell,
    }
}

/// Its processes.
pub fn container_processes(shell: Shell) -> ContainerProcesses {
    let header = container_header(shell.words, 0, Tab::Processes);
    let row = |cells: [&str; 5]| cells.map(str::to_owned).to_vec();
    let table = ProcessTable {
        titles: row(["UID", "PID", "PPID", "TIME", "CMD"]),
        rows: vec![
            row([
                "root",
                "4121",
                "4090",
                "00:00:01",
                "nginx: master process nginx",
            ]),
            row(["101", "4140", "4121", "00:02:13", "nginx: worker process"]),
        ],
    };
    ContainerProcesses {
        header,
        notice: None,
        table,
        shell,
    }
}

/// Everything about it.
pub fn container_inspect(shell: Shell) -> ContainerInspect {
    let header = container_header(shell.words, 0, Tab::Inspect);
    let json = serde_json::json!({
        "Id": header.id, "Name": "/shop-web-1", "RestartCount": 0,
        "State": {"Status": "running", "Running": true, "Pid": 4121, "ExitCode": 0, "Error": null},
        "Config": {"Env": ["TZ=••••••"], "Cmd": ["nginx", "-g", "daemon off;"]},
    });
    let json = serde_json::to_string_pretty(&json).unwrap_or_default();
    let path = paths::ContainerInspect(&header.id).to_string();
    ContainerInspect {
        reveal: Some(Action::post(shell.words.t("inspect-reveal"), "eye", path).on_its_page()),
        header,
        json,
        shell,
    }
}

/// The create form, with two rules broken when asked for.
pub fn container_new(shell: Shell, broken: bool) -> ContainerNew {
    let words = shell.words;
    let mut problems = Problems::new();
    let mut input = ContainerInput::fresh("nginx:1.29");
    let name = if broken { "-web" } else { "web-1" };
    let memory = if broken { "lots" } else { "512m" };
    input.0.insert("name".into(), name.into());
    input.0.insert("memory".into(), memory.into());
    if broken {
        let field = words.t("create-name");
        problems.insert("name", format!("{field}: {}", words.t("rule-name")));
        let field = words.t("create-memory");
        problems.insert("memory", format!("{field}: {}", words.t("rule-size")));
    }
    ContainerNew {
        notices: if broken {
            vec![Notice::failed(words.n("form-has-problems", 2))]
        } else {
            Vec::new()
        },
        sections: input.sections(words, &FormOf::New, &problems),
        command: "docker run -d --name web-1 --network none --memory 512m nginx:1.29".into(),
        call: Some("curl --unix-socket /run/gantry/engine.sock -X POST http://localhost/v1.51/containers/create?name=web-1".into()),
        paste: Some(Field {
            name: "line",
            label: words.t("paste-label"),
            hint: words.t("paste-hint"),
            kind: Kind::Lines(3),
            code: true,
            ..Field::default()
        }),
        of: FormOf::New,
        action: paths::Containers.to_string(),
        back: paths::Containers.to_string(),
        hidden: Vec::new(),
        kept: Vec::new(),
        images: vec!["nginx:1.29".into(), "gantry/hello:latest".into()],
        blocked: None,
        shell,
    }
}

/// The form of a container that is there.
pub fn container_edit(shell: Shell) -> ContainerNew {
    let words = shell.words;
    let of = FormOf::There("shop-web".into());
    let mut input = ContainerInput::fresh("nginx:1.29");
    for (field, text) in [
        ("name", "shop-web"),
        ("memory", "512m"),
        ("restart", "unless-stopped"),
        ("environment", "DATABASE_URL=••••••"),
    ] {
        input.0.insert(field.into(), text.into());
    }
    ContainerNew {
        sections: input.sections(words, &of, &Problems::new()),
        action: paths::ContainerEdit("ab12").to_string(),
        back: paths::Container("ab12").to_string(),
        hidden: vec![("seen", "0123456789abcdef".into()), ("start", "on".into())],
        kept: vec![Kept {
            member: "HostConfig.SecurityOpt".into(),
            value: r#"["label=disable"]"#.into(),
        }],
        call: None,
        paste: None,
        of,
        ..container_new(shell, false)
    }
}

/// What an edit would do: one limit in place, or also a new command, which takes a new container.
pub fn container_plan(shell: Shell, is_anew: bool) -> ContainerPlan {
    let words = shell.words;
    let row = |key: &str, lost: &str, won: &str, in_place| PlanRow {
        label: words.t(key),
        lost: vec![lost.to_owned()],
        won: vec![won.to_owned()],
        in_place,
    };
    let mut rows = vec![row("create-memory", "256m", "512m", true)];
    if is_anew {
        rows.push(row(
            "create-command",
            "nginx",
            "nginx -g 'daemon off;'",
            false,
        ));
    }
    ContainerPlan {
        notices: Vec::new(),
        is_anew,
        is_nothing: false,
        says: if is_anew {
            vec![
                words.t("plan-anew-steps"),
                words.n("plan-anew-files", 12),
                words.t("plan-anew-back"),
            ]
        } else {
            vec![words.t("plan-in-place-text")]
        },
        rows,
        path: paths::ContainerEdit("ab12").to_string(),
        back: paths::Container("ab12").to_string(),
        hidden: vec![("name".into(), "shop-web".into())],
        keeps_old: false,
        blocked: None,
        shell,
    }
}
