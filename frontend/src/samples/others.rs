//! Sample doors, images, records and accounts.

use super::{container_header, container_row, jobs, why_stopped};
use crate::format::{self, Moment};
use crate::pages::{
    Account, Ask, AuditIndex, EventsIndex, Figure, Gallery, ImageShow, ImagesIndex, ImagesPrune,
    JobShow, Layer, Login, NameUpdate, Overview, People, PersonRow, Problem, PruneRow, Search,
    SearchResult, SessionRow, Setup,
};
use crate::parts::{
    AuditRow, ContainerRow, EventRow, ImageName, ImageRow, ImageTab, JobPanel, JobStage, JobStep,
    Tab, UpdateMark,
};
use crate::paths;
use crate::shell::{Shell, Theme};
use crate::ui::{
    Action, Badge, Choice, Column, Dialog, Empty, Field, Filter, KeyValue, Kind, Look, Notice,
    Pager, Pair, Tone, View,
};
use crate::words::{Language, Words};

pub(super) fn field(words: Words, name: &'static str, key: &str, kind: Kind) -> Field {
    Field {
        name,
        label: words.t(key),
        kind,
        ..Field::default()
    }
}

pub(super) fn moment(words: Words, seconds: i64) -> Moment {
    Moment {
        text: format::ago(words, seconds),
        exact: "2026-11-21T05:00:00Z".into(),
    }
}

fn filter(words: Words, path: &str, hint: &str) -> Filter {
    let view = View {
        path: path.into(),
        page: 1,
        ..View::default()
    };
    Filter {
        words,
        view,
        hint: words.t(hint),
        chips: Vec::new(),
    }
}

/// Log in, after a wrong password when asked for.
pub fn login(shell: Shell, wrong: bool) -> Login {
    let words = shell.words;
    let name = Field {
        value: if wrong { "minji".into() } else { String::new() },
        autocomplete: "username",
        required: true,
        ..field(words, "name", "account-name", Kind::Text)
    };
    let password = Field {
        autocomplete: "current-password",
        required: true,
        ..field(words, "password", "password", Kind::Password)
    };
    Login {
        notice: wrong.then(|| Notice::failed(words.t("rule-wrong-credentials"))),
        fields: vec![name, password],
        next: "/".into(),
        shell,
    }
}

/// The first run.
pub fn setup(shell: Shell) -> Setup {
    let words = shell.words;
    let hinted = |name, key: &str, hint: &str, kind| Field {
        hint: words.t(hint),
        required: true,
        ..field(words, name, key, kind)
    };
    Setup {
        notice: None,
        fields: vec![
            hinted("name", "account-name", "account-name-hint", Kind::Text),
            hinted("password", "password", "password-hint", Kind::Password),
            Field {
                required: true,
                ..field(words, "again", "password-again", Kind::Password)
            },
        ],
        path: paths::Setup("0123456789abcdef").to_string(),
        shell,
    }
}

/// A page that is not there.
pub fn problem(shell: Shell) -> Problem {
    let words = shell.words;
    let back = paths::Overview.to_string();
    Problem {
        title: words.t("problem-not-found"),
        text: words.t("problem-not-found.text"),
        advice: words.t("problem-not-found.advice"),
        actions: vec![Action::link(
            words.t("back-to-overview"),
            "layout-dashboard",
            back,
        )],
        request_id: "0199c3d2".into(),
        shell,
    }
}

/// The overview, of a fresh server or of a used one.
pub fn overview(shell: Shell, fresh: bool) -> Overview {
    let words = shell.words;
    let new = Action::link(
        words.t("container-new"),
        "plus",
        paths::ContainerNew.to_string(),
    );
    let text = |key: &str, value: &str| Pair::text(words.t(key), value.into());
    Overview {
        figures: figures(words, fresh),
        troubled: if fresh {
            Vec::new()
        } else {
            vec![ContainerRow {
                pick: false,
                ..container_row(words, 6)
            }]
        },
        host: KeyValue {
            pairs: vec![
                text("engine", "gantry-engine 0.1.0"),
                text("kernel", "6.12.9"),
                text("operating-system", "Debian GNU/Linux 13"),
                text("cores", "8"),
                text("memory", "31.3 GiB"),
                text("control-groups", "v2"),
            ],
        },
        events: if fresh { Vec::new() } else { events(words) },
        empty: fresh.then(|| Empty {
            words,
            icon: "box",
            title: words.t("containers-none"),
            text: words.t("containers-none-text"),
            action: Some(new.clone().look(Look::Primary)),
            command: "docker run --network none gantry/hello".into(),
        }),
        actions: vec![new.look(Look::Primary)],
        shell,
    }
}

fn figures(words: Words, fresh: bool) -> Vec<Figure> {
    let figure = |icon, key: &str, value: &str, note: String, link: Option<&str>| Figure {
        icon,
        label: words.t(key),
        value: value.into(),
        note,
        link: link.map(str::to_owned),
    };
    vec![
        figure(
            "circle-play",
            "running-count",
            if fresh { "0" } else { "6" },
            words.n("of-containers", 8),
            Some("/containers?filter=state:running"),
        ),
        figure(
            "circle-stop",
            "stopped-count",
            if fresh { "0" } else { "2" },
            words.n("of-containers", 8),
            Some("/containers?filter=state:stopped"),
        ),
        figure("cpu", "cpu", "48.1 %", words.n("cpu-of-cores", 8), None),
        figure(
            "memory-stick",
            "memory",
            "1.9 GiB",
            words.named("of-size", "31.3 GiB"),
            None,
        ),
        figure(
            "layers",
            "images",
            "5",
            words.named("images-size", "1.2 GiB"),
            Some("/images"),
        ),
    ]
}

/// Some events.
pub fn events(words: Words) -> Vec<EventRow> {
    let event = |number, icon, kind: &str, action: &str, subject: &str, detail: &str| EventRow {
        number,
        at: Moment {
            text: "2026-11-21 05:00:00".into(),
            exact: "2026-11-21T05:00:00Z".into(),
        },
        kind: words.t(kind),
        icon,
        action: action.into(),
        subject: (subject.into(), Some("/containers/06".into())),
        detail: detail.into(),
    };
    vec![
        event(
            3,
            "box",
            "container",
            "die",
            "image-resizer",
            &words.named("event-exit-code", "137"),
        ),
        event(2, "box", "container", "start", "image-resizer", ""),
        event(1, "layers", "image", "pull", "nginx:1.29", ""),
    ]
}

/// The events page.
pub fn events_index(shell: Shell) -> EventsIndex {
    let words = shell.words;
    let filter = filter(words, "/events", "events-filter");
    let pager = Pager::new(words, &filter.view, 50, 3);
    EventsIndex {
        filter,
        rows: events(words),
        pager,
        empty: None,
        shell,
    }
}

/// Some audit entries.
pub fn audit(words: Words) -> Vec<AuditRow> {
    let entry =
        |number, action: &str, target: &str, tone, icon, key: &str, detail: &str| AuditRow {
            number,
            at: Moment {
                text: "2026-11-21 05:00:00".into(),
                exact: "2026-11-21T05:00:00Z".into(),
            },
            actor: "minji".into(),
            action: words.t(action),
            target: target.into(),
            outcome: Badge {
                tone,
                icon,
                word: words.t(key),
            },
            address: "127.0.0.1".into(),
            detail: detail.into(),
        };
    vec![
        entry(
            3,
            "stop",
            "shop-web-1",
            Tone::Running,
            "circle-check",
            "outcome-done",
            "",
        ),
        entry(
            2,
            "start",
            "scratch-test",
            Tone::Failed,
            "circle-x",
            "outcome-failed",
            "exit code 127",
        ),
        entry(
            1,
            "remove",
            "postgres",
            Tone::Warn,
            "lock",
            "outcome-refused",
            "",
        ),
    ]
}

/// The audit page.
pub fn audit_index(shell: Shell) -> AuditIndex {
    let words = shell.words;
    let filter = filter(words, "/audit", "audit-filter");
    let pager = Pager::new(words, &filter.view, 50, 3);
    AuditIndex {
        filter,
        rows: audit(words),
        pager,
        empty: None,
        shell,
    }
}

/// How something stands against its registry, in each of its ways; the last is none.
pub fn update_mark(words: Words, index: usize) -> Option<UpdateMark> {
    let checked = words.named("update-checked", &format::ago(words, 7_300));
    let refused = words.with(
        "update-unknown-note",
        &[
            ("why", "manifest for nginx:1.29 not found"),
            ("age", &format::ago(words, 640)),
        ],
    );
    let way = (words.t("update-pull"), "/images?pull=nginx:1.29".to_owned());
    let (tone, icon, key, note, way) = match index {
        0 => (Tone::Warn, "download", "update-behind", checked, Some(way)),
        1 => (Tone::Idle, "circle-check", "update-current", checked, None),
        2 => (
            Tone::Idle,
            "triangle-alert",
            "update-unknown",
            refused,
            None,
        ),
        _ => return None,
    };
    let badge = Badge {
        tone,
        icon,
        word: words.t(key),
    };
    Some(UpdateMark { badge, note, way })
}

/// Some images.
pub fn images(words: Words) -> Vec<ImageRow> {
    let quiet = |key: &str| Badge {
        tone: Tone::Idle,
        icon: "circle-dashed",
        word: words.t(key),
    };
    let image = |hex: &str, names: &[&str], size: &str, used: u64| {
        let id = format!("sha256:{}", hex.repeat(32));
        let path = paths::Image(&id).to_string();
        let remove = paths::ImageRemove(&id).to_string();
        let blocked = (used > 0).then(|| words.named("image-blocked-used", "shop-web-1"));
        ImageRow {
            words,
            short_id: format::short_id(&id).to_owned(),
            names: names
                .iter()
                .enumerate()
                .map(|(at, name)| ImageName {
                    name: (*name).to_owned(),
                    update: update_mark(words, at + usize::from(used > 0)),
                })
                .collect(),
            marks: match (used, names) {
                (0, []) => vec![quiet("image-dangling"), quiet("image-unused")],
                (0, _) => vec![quiet("image-unused")],
                _ => Vec::new(),
            },
            size: size.into(),
            shared: "31.2 MiB".into(),
            unique: "40.6 MiB".into(),
            used_by: words.n("image-used-by", used),
            created: moment(words, 900_000),
            actions: vec![
                Action::link(
                    words.t("image-run"),
                    "play",
                    "/containers/new?image=x".into(),
                )
                .in_row("/images"),
                Action::link(words.t("image-tag"), "tag", path).in_row("/images"),
                Action::ask(words.t("remove"), "trash-2", remove)
                    .in_row("/images")
                    .unless(blocked),
            ],
            id,
        }
    };
    vec![
        image("a1", &["gantry/hello:latest"], "412 KiB", 1),
        image("b2", &["nginx:1.29", "nginx:latest"], "71.8 MiB", 0),
        image("c3", &[], "154 MiB", 0),
    ]
}

fn to_build(words: Words) -> Action {
    let path = crate::paths::ImageBuildNew.to_string();
    Action::link(words.t("build"), "hammer", path)
}

fn image_columns(words: Words, view: &View) -> Vec<Column> {
    let column = |name, key: &str, numeric| Column::sorted(view, name, words.t(key), numeric);
    vec![
        column("name", "name", false),
        Column::plain(words.t("id"), false),
        column("size", "size", true),
        Column::plain(words.t("image-shared"), true).named("shared"),
        Column::plain(words.t("image-unique"), true).named("unique"),
        Column::plain(words.t("containers"), false),
        column("created", "age", true),
    ]
}

/// The images page.
pub fn images_index(shell: Shell, locked: bool) -> ImagesIndex {
    let words = shell.words;
    let filter = filter(words, "/images", "images-filter");
    let columns = image_columns(words, &filter.view);
    let hinted = |name, key: &str, hint: &str, kind| Field {
        hint: words.t(hint),
        ..field(words, name, key, kind)
    };
    let reason = || {
        let role = words.t("role-viewer");
        words.with(
            "blocked-permission",
            &[("role", &role), ("permission", "image.pull")],
        )
    };
    ImagesIndex {
        build: to_build(words),
        prune: Action::link(
            words.t("images-prune"),
            "trash-2",
            crate::paths::ImagesPrune.to_string(),
        ),
        recipes: super::recipes(words),
        look: super::list_look(words),
        pull: if locked {
            Err(reason())
        } else {
            Ok(vec![
                hinted(
                    "reference",
                    "image-reference",
                    "image-reference-hint",
                    Kind::Text,
                ),
                hinted(
                    "platform",
                    "image-platform",
                    "image-platform-hint",
                    Kind::Text,
                ),
                hinted("user", "registry-user", "registry-user-hint", Kind::Text),
                field(words, "password", "registry-password", Kind::Password),
            ])
        },
        load: if locked {
            Err(reason())
        } else {
            Ok(vec![hinted(
                "archive",
                "image-file",
                "image-file-hint",
                Kind::File,
            )])
        },
        open: true,
        rows: images(words),
        pager: Pager::new(words, &filter.view, 50, 3),
        filter,
        columns,
        empty: None,
        shell,
    }
}

/// What nothing needs, and what its removal frees.
pub fn images_prune(shell: Shell) -> ImagesPrune {
    let rows = images(shell.words).into_iter().skip(1);
    ImagesPrune {
        all: true,
        rows: rows
            .map(|row| PruneRow {
                path: paths::Image(&row.id).to_string(),
                names: match row.names.is_empty() {
                    true => vec![row.short_id],
                    false => row.names.into_iter().map(|name| name.name).collect(),
                },
                size: row.size,
                shared: "28.1 MiB".into(),
                created: row.created,
            })
            .collect(),
        freed: "197 MiB".into(),
        empty: None,
        locked: None,
        shell,
    }
}

/// How an image's names stand against their registries: behind, not known, made here.
fn name_updates(words: Words, id: &str) -> Vec<NameUpdate> {
    let check = Action::post(
        words.t("update-check"),
        "rotate-cw",
        paths::ImageCheck(id).to_string(),
    );
    let pull = Action::link(
        words.t("pull"),
        "download",
        "/images?pull=nginx:1.29".into(),
    );
    vec![
        NameUpdate {
            name: "nginx:1.29".into(),
            mark: update_mark(words, 0).ok_or_else(String::new),
            check: Some(check.clone()),
            pull: Some(pull),
        },
        NameUpdate {
            name: "nginx:latest".into(),
            mark: update_mark(words, 2).ok_or_else(String::new),
            check: Some(check),
            pull: None,
        },
        NameUpdate {
            name: "shop/web:1".into(),
            mark: Err(words.t("update-made-here")),
            check: None,
            pull: None,
        },
    ]
}

/// One image.
pub fn image_show(shell: Shell) -> ImageShow {
    let words = shell.words;
    let row = images(words).remove(1);
    let layer = |command: &str, size: &str| Layer {
        command: command.into(),
        size: size.into(),
        created: format::ago(words, 900_000),
    };
    let names: Vec<_> = row.names.iter().map(|name| name.name.clone()).collect();
    ImageShow {
        updates: name_updates(words, &row.id),
        updates_note: words.t("updates-automatic"),
        recipes: super::recipes(words),
        tabs: super::image_tabs(words, ImageTab::Overview),
        name: "nginx:1.29".into(),
        facts: KeyValue {
            pairs: vec![
                Pair::text(words.t("image-names"), names.join(", ")),
                Pair::code(words.t("digest"), row.id.clone()),
                Pair::text(words.t("size"), row.size),
                Pair::text(words.t("image-platform-is"), "linux/amd64".into()),
            ],
        },
        config: KeyValue {
            pairs: vec![Pair::code(
                words.t("command"),
                "nginx -g 'daemon off;'".into(),
            )],
        },
        actions: row
            .actions
            .into_iter()
            .map(|a| Action {
                bare: false,
                look: Look::Plain,
                ..a
            })
            .collect(),
        layers: vec![
            layer("CMD [\"nginx\"]", ""),
            layer("RUN apt-get install nginx", "41.3 MiB"),
        ],
        tag: Ok(Field {
            hint: words.t("image-tag-hint"),
            ..field(words, "reference", "name", Kind::Text)
        }),
        push: Ok(vec![
            Field {
                hint: words.t("image-push-hint"),
                value: "nginx:1.29".into(),
                ..field(words, "push", "name", Kind::Text)
            },
            Field {
                hint: words.t("registry-user-hint"),
                ..field(words, "user", "registry-user", Kind::Text)
            },
            field(words, "password", "registry-password", Kind::Password),
        ]),
        id: row.id,
        shell,
    }
}

/// A pull in the middle.
pub fn job_panel(words: Words) -> JobPanel {
    let step = |name: &str, key: &str, percent| JobStep {
        name: name.into(),
        phase: words.t(key),
        percent,
        note: words.with("job-bytes", &[("done", "12.0 MiB"), ("total", "48.2 MiB")]),
    };
    JobPanel {
        words,
        job: jobs(words).remove(0),
        steps: vec![
            step("6f28985ad184", "job-layer-here", Some(100)),
            step("c29f54501212", "job-downloading", Some(25)),
            step("0b5e1fa92c11", "job-extracting", Some(70)),
            step("a1c3d0e8f1b2", "job-waiting", Some(0)),
        ],
        stages: Vec::new(),
        probe: String::new(),
        last_lines: Vec::new(),
        build: Vec::new(),
        build_left_out: String::new(),
        build_said: Vec::new(),
        results: Vec::new(),
    }
}

/// An edit that went back.
pub fn job_panel_back(words: Words) -> JobPanel {
    let stage = |key: &str, (tone, icon, word): (Tone, &'static str, &str), note| JobStage {
        name: words.t(key),
        state: Badge {
            tone,
            icon,
            word: words.t(word),
        },
        note,
    };
    let done = (Tone::Running, "circle-check", "job-done");
    let failed = (Tone::Failed, "circle-x", "job-failed");
    let none = String::new;
    let mut job = jobs(words).remove(2);
    job.name = words.named("job-edit", "shop-web-1");
    let why = words.t("obstacle-unhealthy");
    job.note = words.named("edit-went-back-running", &why);
    JobPanel {
        words,
        job,
        steps: Vec::new(),
        stages: vec![
            stage("edit-step-create", done, none()),
            stage("edit-step-stop", done, none()),
            stage("edit-step-rename", done, none()),
            stage("edit-step-start", done, none()),
            stage(
                "edit-step-healthy",
                failed,
                words.named("edit-step-at-most", "1m35s"),
            ),
            stage("edit-step-back", done, none()),
        ],
        probe: "curl: (7) Failed to connect to localhost port 80".into(),
        last_lines: vec![
            "starting shop 4.2".into(),
            "cannot reach the database at db:5432".into(),
        ],
        build: Vec::new(),
        build_left_out: String::new(),
        build_said: Vec::new(),
        results: vec![(words.t("job-open-container"), "/containers/00".into())],
    }
}

/// A job's page.
pub fn job_show(shell: Shell) -> JobShow {
    JobShow {
        panel: job_panel(shell.words),
        shell,
    }
}

/// The page of an edit that went back.
pub fn job_back(shell: Shell) -> JobShow {
    JobShow {
        panel: job_panel_back(shell.words),
        shell,
    }
}

/// The question before a container is removed.
pub fn dialog(words: Words) -> Dialog {
    Dialog {
        words,
        title: words.named("remove-title", "shop-web-1"),
        names: Vec::new(),
        goes: vec![words.t("remove-goes"), words.t("remove-goes-running")],
        stays: vec![words.t("remove-stays")],
        path: "/containers/00/remove".into(),
        hidden: vec![("force", "on".into())],
        check: None,
        yes: words.t("remove"),
        back: "/containers".into(),
    }
}

/// The page that asks.
pub fn ask(shell: Shell) -> Ask {
    Ask {
        dialog: dialog(shell.words),
        shell,
    }
}

/// What was found.
pub fn search(shell: Shell) -> Search {
    let words = shell.words;
    let result = |icon, label: &str, kind: &str| SearchResult {
        icon,
        label: label.into(),
        kind: words.t(kind),
        path: "/containers/00".into(),
    };
    let results = vec![
        result("box", "shop-web-1", "container"),
        result("layers", "web:2", "image"),
    ];
    Search {
        query: "web".into(),
        results,
        shell,
    }
}

/// One's own account.
pub fn account(shell: Shell) -> Account {
    let words = shell.words;
    let languages = Language::ALL.map(|language| Choice {
        value: language.tag().into(),
        label: language.own_name().into(),
    });
    let themes = Theme::ALL.map(|theme| Choice {
        value: theme.tag().into(),
        label: words.t(&format!("theme-{}", theme.tag())),
    });
    let password = |name, key: &str| field(words, name, key, Kind::Password);
    Account {
        password: vec![
            password("old", "password-old"),
            Field {
                hint: words.t("password-hint"),
                ..password("new", "password-new")
            },
            password("again", "password-again"),
        ],
        look: vec![
            field(
                words,
                "language",
                "language",
                Kind::Choice(languages.to_vec()),
            ),
            field(words, "theme", "theme", Kind::Choice(themes.to_vec())),
        ],
        sessions: vec![
            SessionRow {
                key: "this".into(),
                browser: "Firefox 133 · Linux".into(),
                address: "192.0.2.7".into(),
                since: moment(words, 400),
                seen: moment(words, 1),
                current: true,
            },
            SessionRow {
                key: "other".into(),
                browser: "Safari 18 · iPhone".into(),
                address: "2001:db8::7".into(),
                since: moment(words, 400_000),
                seen: moment(words, 90_000),
                current: false,
            },
        ],
        shell,
    }
}

/// The people page.
pub fn people(shell: Shell) -> People {
    let words = shell.words;
    let row = |name: &str, role: &str, blocked: Option<&str>| {
        let path = paths::PersonRemove(name).to_string();
        let remove = Action::ask(words.t("remove"), "trash-2", path);
        PersonRow {
            name: name.into(),
            role: words.t(role),
            since: moment(words, 400_000),
            actions: vec![remove.unless(blocked.map(|key| words.t(key))).in_row("")],
        }
    };
    People {
        rows: vec![
            row("minji", "role-owner", Some("blocked-last-owner")),
            row("anna", "role-viewer", None),
        ],
        add: Ok(vec![
            field(words, "name", "account-name", Kind::Text),
            field(words, "password", "password", Kind::Password),
        ]),
        shell,
    }
}

/// Every part in every state.
pub fn gallery(shell: Shell) -> Gallery {
    let words = shell.words;
    let run = Action::post(words.t("start"), "play", "/gallery".into());
    let blocked = Some(words.t("blocked-not-running"));
    let tones = [
        Tone::Running,
        Tone::Busy,
        Tone::Warn,
        Tone::Failed,
        Tone::Idle,
    ];
    Gallery {
        actions: vec![
            run.clone(),
            run.clone().look(Look::Primary),
            run.clone().look(Look::Danger),
            run.clone().look(Look::Quiet),
            run.clone().in_row(""),
            run.clone().unless(blocked.clone()),
            run.in_row("").unless(blocked),
        ],
        badges: (0..8).map(|index| super::badge(words, index).0).collect(),
        notices: tones
            .map(|tone| Notice {
                tone,
                text: words.t("problem-not-allowed.text"),
                link: None,
            })
            .to_vec(),
        fields: vec![
            Field {
                hint: words.t("create-name.hint"),
                ..field(words, "a", "name", Kind::Text)
            },
            Field {
                value: "-web".into(),
                error: Some(format!("{}: {}", words.t("name"), words.t("rule-name"))),
                ..field(words, "b", "name", Kind::Text)
            },
            field(words, "c", "password", Kind::Password),
            field(words, "d", "create-read-only", Kind::Check),
            Field {
                code: true,
                ..field(words, "e", "create-env", Kind::Lines(3))
            },
        ],
        facts: KeyValue {
            pairs: vec![Pair::code(words.t("id"), super::container_id(1))],
        },
        dialog: dialog(words),
        empty: Empty {
            words,
            icon: "layers",
            title: words.t("images-none"),
            text: words.t("images-none-text"),
            action: None,
            command: "docker pull nginx".into(),
        },
        containers: (0..8).map(|index| container_row(words, index)).collect(),
        header: container_header(words, 0, Tab::Overview),
        why: why_stopped(words),
        images: images(words),
        job: job_panel(words),
        events: events(words),
        audit: audit(words),
        shell,
    }
}
