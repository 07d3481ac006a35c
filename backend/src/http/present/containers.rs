//! Containers: rows, the list, the head, the question before removing.

use std::sync::Arc;

use frontend::format::Moment;
use frontend::pages::{Ask, BulkAction, ContainersIndex};
use frontend::parts::{ContainerHeader, ContainerRow, Fact, Port, Tab};
use frontend::paths;
use frontend::shell::Section;
use frontend::ui::{Action, Column, Dialog, Empty, Look, View};
use jiff::Timestamp;

use super::{Reader, exits, lists, loads, recipes, updates};
use crate::access::PermissionId as Id;
use crate::fleet::{ContainerFact, Counts, Page, Phase};
use crate::services::metrics::Load;

/// What a list is drawn from.
pub struct Found<'a> {
    /// How it is looked at.
    pub view: &'a View,
    /// What the index found.
    pub page: &'a Page<ContainerFact>,
    /// How many containers are in which phase.
    pub counts: Counts,
    /// Which columns, how close together.
    pub choice: lists::Choice,
}

/// Returns the list; `lately` tells what a container has used.
pub fn index(
    reader: &Reader,
    found: &Found<'_>,
    lately: impl Fn(&ContainerFact) -> Vec<Load>,
) -> ContainersIndex {
    let Found {
        view, page, counts, ..
    } = *found;
    let words = reader.words;
    let mut shell = reader.shell(Section::Containers, words.t("containers"));
    let rows = page.rows.iter().map(|fact| format!(" row:{}", fact.id));
    shell.topics = format!("jobs containers{}", rows.collect::<String>());
    let column = |name, key: &str, numeric| Column::sorted(view, name, words.t(key), numeric);
    let chips = [
        ("all", counts.all, ""),
        ("state-running", counts.running, "state:running"),
        ("state-exited", counts.exited, "state:exited"),
    ];
    ContainersIndex {
        actions: vec![new_action(reader)],
        filter: lists::filter(reader, view, "containers-filter", &chips),
        columns: vec![
            column("name", "name", false),
            column("state", "state", false),
            column("image", "image", false),
            column("cpu", "cpu", true),
            column("memory", "memory", true),
            Column::plain(words.t("ports"), false).named("ports"),
            column("created", "age", true),
        ],
        rows: page
            .rows
            .iter()
            .map(|fact| row(reader, fact, &lately(fact)))
            .collect(),
        pager: lists::pager(reader, view, page),
        look: lists::look(reader, "containers", &found.choice, view),
        bulk: bulk(reader),
        logs: reader
            .may(Id::ContainerLogs)
            .then(|| paths::Logs.to_string()),
        empty: match (page.n_all, page.n_matching) {
            (0, _) => Some(none_yet(reader)),
            (_, 0) => Some(nothing_found(reader)),
            _ => None,
        },
        here: view.url(),
        shell,
    }
}

fn bulk(reader: &Reader) -> Vec<BulkAction> {
    let words = reader.words;
    let action = |permission, value, icon, applies, consequence: &str| {
        reader.may(permission).then(|| BulkAction {
            value,
            label: words.t(value),
            icon,
            danger: value == "remove",
            applies,
            consequence: words.t(consequence),
        })
    };
    let actions = [
        action(Id::ContainerStart, "start", "play", "asleep", "bulk-start"),
        action(Id::ContainerStop, "stop", "square", "alive", "bulk-stop"),
        action(
            Id::ContainerRestart,
            "restart",
            "rotate-cw",
            "count",
            "bulk-restart",
        ),
        action(
            Id::ContainerRemove,
            "remove",
            "trash-2",
            "count",
            "bulk-remove",
        ),
    ];
    actions.into_iter().flatten().collect()
}

/// Returns the button that leads to the create form.
pub fn new_action(reader: &Reader) -> Action {
    let label = reader.words.t("container-new");
    let action = Action::link(label, "plus", paths::ContainerNew.to_string());
    reader.guard(action.look(Look::Primary), Id::ContainerCreate, None)
}

/// Returns what stands where the list would be on a fresh server.
pub fn none_yet(reader: &Reader) -> Empty {
    let words = reader.words;
    let path = format!("{}?image=gantry/hello", paths::ContainerNew);
    let action = Action::link(words.t("container-try-hello"), "play", path);
    Empty {
        words,
        icon: "box",
        title: words.t("containers-none"),
        text: words.t("containers-none-text"),
        action: Some(reader.guard(action.look(Look::Primary), Id::ContainerCreate, None)),
        command: "docker run --network none gantry/hello".to_owned(),
    }
}

fn nothing_found(reader: &Reader) -> Empty {
    let words = reader.words;
    let all = paths::Containers.to_string();
    Empty {
        words,
        icon: "filter",
        title: words.t("containers-nothing-found"),
        text: words.t("containers-nothing-found-text"),
        action: Some(Action::link(words.t("show-all"), "box", all)),
        command: String::new(),
    }
}

/// Returns a container's row, with what it used lately.
pub fn row(reader: &Reader, fact: &Arc<ContainerFact>, lately: &[Load]) -> ContainerRow {
    let id = fact.id.as_str();
    let [cpu, memory] = loads::cells(reader, id, lately);
    let created = Timestamp::from_second(fact.summary.created).unwrap_or_default();
    ContainerRow {
        words: reader.words,
        pick: true,
        alive: fact.phase.is_alive(),
        name: fact.name.clone(),
        state: exits::badge(reader, fact),
        status: exits::status(reader, fact),
        image: fact.summary.image.clone(),
        update: updates::of_row(reader, fact),
        cpu,
        memory,
        ports: ports(fact),
        created: Moment::past(reader.words, created, reader.now),
        actions: row_actions(reader, fact),
        id: id.to_owned(),
    }
}

fn ports(fact: &ContainerFact) -> Vec<Port> {
    let ports = fact.summary.ports.iter().map(|port| Port {
        text: match port.public_port {
            Some(public) => format!("{public}→{}/{}", port.private_port, port.kind),
            None => format!("{}/{}", port.private_port, port.kind),
        },
        link: None,
    });
    ports.collect()
}

fn row_actions(reader: &Reader, fact: &ContainerFact) -> Vec<Action> {
    let words = reader.words;
    let id = fact.id.as_str();
    let back = paths::Containers.to_string();
    let asleep = (!fact.phase.is_alive()).then_some("blocked-not-running");
    let terminal = paths::ContainerTerminal(id).to_string();
    let terminal = Action::link(words.t("terminal"), "terminal", terminal);
    let logs = paths::ContainerLogs(id).to_string();
    let logs = Action::link(words.t("logs"), "file-text", logs);
    let actions = vec![
        start_or_stop(reader, fact),
        restart(reader, fact),
        reader.guard(logs, Id::ContainerLogs, None),
        reader.guard(terminal, Id::ContainerExec, asleep),
        remove(reader, fact),
    ];
    actions
        .into_iter()
        .map(|action| action.in_row(&back))
        .collect()
}

fn start_or_stop(reader: &Reader, fact: &ContainerFact) -> Action {
    let words = reader.words;
    let id = fact.id.as_str();
    if fact.phase.is_alive() {
        let stop = paths::ContainerStop(id).to_string();
        reader.guard(
            Action::post(words.t("stop"), "square", stop),
            Id::ContainerStop,
            None,
        )
    } else {
        let start = paths::ContainerStart(id).to_string();
        reader.guard(
            Action::post(words.t("start"), "play", start),
            Id::ContainerStart,
            None,
        )
    }
}

fn pause_or_unpause(reader: &Reader, fact: &ContainerFact) -> Action {
    let words = reader.words;
    let id = fact.id.as_str();
    let (action, state) = match fact.phase {
        Phase::Paused => {
            let path = paths::ContainerUnpause(id).to_string();
            (Action::post(words.t("unpause"), "circle-play", path), None)
        }
        phase => {
            let path = paths::ContainerPause(id).to_string();
            let asleep = (phase != Phase::Running).then_some("blocked-not-running");
            (Action::post(words.t("pause"), "pause", path), asleep)
        }
    };
    reader.guard(action, Id::ContainerPause, state)
}

fn restart(reader: &Reader, fact: &ContainerFact) -> Action {
    let path = paths::ContainerRestart(fact.id.as_str()).to_string();
    let action = Action::post(reader.words.t("restart"), "rotate-cw", path);
    reader.guard(action, Id::ContainerRestart, None)
}

fn remove(reader: &Reader, fact: &ContainerFact) -> Action {
    let path = paths::ContainerRemove(fact.id.as_str()).to_string();
    let action = Action::ask(reader.words.t("remove"), "trash-2", path);
    reader.guard(action, Id::ContainerRemove, None)
}

/// Returns the head of a container's pages.
pub fn header(reader: &Reader, fact: &ContainerFact, tab: Tab) -> ContainerHeader {
    let words = reader.words;
    let id = fact.id.as_str();
    let asleep = (!fact.phase.is_alive()).then_some("blocked-not-running");
    let kill = paths::ContainerKill(id).to_string();
    let kill = Action::post(words.t("kill"), "zap", kill).look(Look::Danger);
    let edit = paths::ContainerEdit(id).to_string();
    let edit = Action::link(words.t("edit"), "settings-2", edit);
    let duplicate = paths::ContainerDuplicate(id).to_string();
    let duplicate = Action::link(words.t("duplicate"), "copy", duplicate);
    let fact_of = |icon, key: &str, text: String, link| Fact {
        icon,
        label: words.t(key),
        text,
        link,
    };
    let image = paths::Image(&fact.summary.image_id).to_string();
    let mut facts = vec![
        fact_of("layers", "image", fact.summary.image.clone(), Some(image)),
        fact_of("box", "id", fact.id.short().to_owned(), None),
    ];
    let network = match fact.summary.host_config.network_mode.as_str() {
        "host" => words.t("network-host"),
        "none" => words.t("network-none"),
        other => other.to_owned(),
    };
    facts.push(fact_of("network", "network", network, None));
    ContainerHeader {
        words,
        id: id.to_owned(),
        name: fact.name.clone(),
        state: exits::badge(reader, fact),
        sentence: exits::sentence(reader, fact),
        facts,
        actions: vec![
            start_or_stop(reader, fact),
            restart(reader, fact),
            pause_or_unpause(reader, fact),
            reader.guard(kill, Id::ContainerKill, asleep),
            reader.guard(edit, Id::ContainerEdit, None),
            reader.guard(duplicate, Id::ContainerInspect, None),
            remove(reader, fact),
        ],
        update: updates::of_container(reader, fact),
        recipes: recipes::container(reader, &fact.name),
        rename: reader.reason(Id::ContainerRename).map_or(Ok(()), Err),
        tab,
        run: match fact.phase.is_alive() {
            true => fact.state.started_at.clone(),
            false => String::new(),
        },
    }
}

/// Returns the question before containers are removed.
pub fn ask_remove(reader: &Reader, facts: &[Arc<ContainerFact>], back: &str) -> Ask {
    let words = reader.words;
    let any_runs = facts.iter().any(|fact| fact.phase.is_alive());
    let mut goes = vec![words.t("remove-goes")];
    if any_runs {
        goes.push(words.t("remove-goes-running"));
    }
    let mut hidden = vec![("back", back.to_owned())];
    let (title, path) = match facts {
        [one] => (
            words.named("remove-title", &one.name),
            paths::ContainerRemove(one.id.as_str()).to_string(),
        ),
        many => {
            hidden.push(("action", "remove".to_owned()));
            hidden.push(("sure", "on".to_owned()));
            hidden.extend(many.iter().map(|fact| ("id", fact.id.to_string())));
            let title = words.n("remove-many-title", many.len() as u64);
            (title, paths::ContainersBulk.to_string())
        }
    };
    if any_runs {
        hidden.push(("force", "on".to_owned()));
    }
    let names = facts.iter().map(|fact| fact.name.clone());
    Ask {
        shell: reader.shell(Section::Containers, title.clone()),
        dialog: Dialog {
            words,
            title,
            names: if facts.len() > 1 {
                names.collect()
            } else {
                Vec::new()
            },
            goes,
            stays: vec![words.t("remove-stays")],
            path,
            hidden,
            check: None,
            yes: words.t("remove"),
            back: back.to_owned(),
        },
    }
}

/// Returns whether the overview should name it: it did not end as asked, or is left half removed.
pub fn needs_a_look(fact: &ContainerFact) -> bool {
    fact.phase == Phase::Dead || stopped_abnormally(fact)
}

/// Returns whether the page should open with why it stopped.
pub fn stopped_abnormally(fact: &ContainerFact) -> bool {
    let has_ended = matches!(fact.phase, Phase::Exited | Phase::Dead);
    // A program that was killed because it did not end in time has ended as it was asked to.
    has_ended && !fact.was_asked && exits::is_abnormal(&fact.state)
}
