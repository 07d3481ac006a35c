//! Images: the list with its two ways in, one image with its layers, the question before removing.

use std::sync::Arc;

use engine_api::images::{HistoryItem, Image};
use frontend::format::{self, Moment};
use frontend::pages::{Ask, ImageShow, ImagesIndex, Layer};
use frontend::parts::{ImageName, ImageRow, ImageTab};
use frontend::paths::{self, Value};
use frontend::shell::Section;
use frontend::ui::{
    Action, Badge, Choice, Column, Dialog, Empty, Field, KeyValue, Kind, Notice, Pair, Tone, View,
};
use jiff::Timestamp;

use super::fields::{field, mark, password};
use super::{Reader, layers, lists, recipes, updates};
use crate::access::PermissionId;
use crate::domain::{FieldError, Registry};
use crate::fleet::{ContainerFact, ImageFact, Page};
use crate::services::images::Shown;

/// What was typed into the pull form, but for the password.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// The registry that was chosen.
    pub registry: String,
    /// The image.
    pub reference: String,
    /// The platform.
    pub platform: String,
    /// The name at the registry.
    pub user: String,
}

/// What stands in the forms of the list: what was typed, and the rule it broke.
#[derive(Clone, Debug, Default)]
pub struct Refused<'a> {
    /// The registries to choose from.
    pub registries: Vec<Registry>,
    /// Whether the forms stand open though nothing is wrong in them.
    pub is_asked: bool,
    /// What was typed.
    pub typed: Typed,
    /// The rule of the pull form.
    pub pull: Option<&'a FieldError>,
    /// The rule of the load form.
    pub load: Option<&'a FieldError>,
}

/// A form of one image's page that was refused: what was typed, and the rule it broke.
#[derive(Clone, Debug, Default)]
pub struct RefusedOne<'a> {
    /// The new name.
    pub name: String,
    /// The name to push.
    pub push: String,
    /// The name at the registry.
    pub user: String,
    /// The rule of the form for a new name.
    pub tag: Option<&'a FieldError>,
    /// The rule of the push form.
    pub pushed: Option<&'a FieldError>,
}

/// An image and how many containers were made of it.
pub type Counted = (Arc<ImageFact>, Vec<Arc<ContainerFact>>);

/// Returns the list.
pub fn index(
    reader: &Reader,
    view: &View,
    page: &Page<ImageFact>,
    rows: &[Counted],
    refused: &Refused<'_>,
    choice: &lists::Choice,
) -> ImagesIndex {
    let words = reader.words;
    let mut shell = reader.shell(Section::Images, words.t("images"));
    shell.topics = "jobs images".to_owned();
    let mut pull = pull_fields(reader, &refused.registries, &refused.typed);
    let mut load = vec![Field {
        hint: words.t("image-file-hint"),
        kind: Kind::File,
        required: true,
        ..field(words, "archive", "image-file")
    }];
    let rest = mark(words, &mut pull, refused.pull);
    let rest = rest.or(mark(words, &mut load, refused.load));
    shell.notices.extend(rest.map(Notice::failed));
    let column = |name, key: &str, numeric| Column::sorted(view, name, words.t(key), numeric);
    let or_reason = |permission, fields| match reader.reason(permission) {
        Some(reason) => Err(reason),
        None => Ok(fields),
    };
    let build = paths::ImageBuildNew.to_string();
    let build = Action::link(words.t("build"), "hammer", build);
    let prune = format!("{}?which=unused", paths::ImagesPrune);
    let prune = Action::link(words.t("images-prune"), "trash-2", prune);
    ImagesIndex {
        build: reader.guard(build, PermissionId::ImageBuild, None),
        prune,
        recipes: recipes::images(reader),
        look: lists::look(reader, "images", choice, view),
        pull: or_reason(PermissionId::ImagePull, pull),
        load: or_reason(PermissionId::ImageLoad, load),
        open: page.n_all == 0
            || refused.is_asked
            || refused.pull.is_some()
            || refused.load.is_some(),
        filter: lists::filter(reader, view, "images-filter", &[]),
        columns: vec![
            column("name", "name", false),
            Column::plain(words.t("id"), false).named("id"),
            column("size", "size", true),
            Column::plain(words.t("image-shared"), true).named("shared"),
            Column::plain(words.t("image-unique"), true).named("unique"),
            Column::plain(words.t("containers"), false).named("containers"),
            column("created", "age", true),
        ],
        rows: rows
            .iter()
            .map(|(fact, users)| row(reader, fact, users))
            .collect(),
        pager: lists::pager(reader, view, page),
        empty: page.rows.is_empty().then(|| Empty {
            words,
            icon: "layers",
            title: words.t("images-none"),
            text: words.t("images-none-text"),
            action: None,
            command: "docker pull nginx:1.29".to_owned(),
        }),
        shell,
    }
}

fn pull_fields(reader: &Reader, registries: &[Registry], typed: &Typed) -> Vec<Field> {
    let words = reader.words;
    let hinted = |name, key: &str, value: &str| Field {
        hint: words.t(&format!("{key}-hint")),
        value: value.to_owned(),
        ..field(words, name, key)
    };
    vec![
        super::registries::choice(reader, registries, &typed.registry),
        Field {
            required: true,
            placeholder: "nginx:1.29".to_owned(),
            code: true,
            list: "pull-tags",
            ..hinted("reference", "image-reference", &typed.reference)
        },
        hinted("platform", "image-platform", &typed.platform),
        registry_user(reader, &typed.user),
        registry_password(reader),
    ]
}

/// Returns an image's row.
pub fn row(reader: &Reader, fact: &ImageFact, users: &[Arc<ContainerFact>]) -> ImageRow {
    let words = reader.words;
    let back = paths::Images.to_string();
    let created = Timestamp::from_second(fact.summary.created).unwrap_or_default();
    ImageRow {
        words,
        id: fact.id.to_string(),
        short_id: fact.id.short().to_owned(),
        names: fact
            .tags
            .iter()
            .map(|name| ImageName {
                name: name.clone(),
                update: updates::of_name(reader, fact, name),
            })
            .collect(),
        marks: marks(reader, fact, users),
        size: size(fact.summary.size),
        shared: shares(fact).map_or_else(String::new, |(shared, _)| size(shared)),
        unique: shares(fact).map_or_else(String::new, |(_, unique)| size(unique)),
        used_by: words.n("image-used-by", users.len() as u64),
        created: Moment::past(words, created, reader.now),
        actions: actions(reader, fact, users)
            .into_iter()
            .map(|action| action.in_row(&back))
            .collect(),
    }
}

/// What of an image others use too, and what would be free without it; nothing from an engine that
/// does not say.
fn shares(fact: &ImageFact) -> Option<(i64, i64)> {
    let (all, shared) = (fact.summary.size, fact.summary.shared_size);
    (shared >= 0).then(|| (shared, all.saturating_sub(shared)))
}

/// That no container is made of it, and that it has no name.
fn marks(reader: &Reader, fact: &ImageFact, users: &[Arc<ContainerFact>]) -> Vec<Badge> {
    let quiet = |key: &str| Badge {
        tone: Tone::Idle,
        icon: "circle-dashed",
        word: reader.words.t(key),
    };
    let dangling = fact.tags.is_empty().then(|| quiet("image-dangling"));
    let unused = users.is_empty().then(|| quiet("image-unused"));
    dangling.into_iter().chain(unused).collect()
}

fn actions(reader: &Reader, fact: &ImageFact, users: &[Arc<ContainerFact>]) -> Vec<Action> {
    let words = reader.words;
    let image = Value(fact.name());
    let run = format!("{}?image={image}", paths::ContainerNew);
    let run = Action::link(words.t("image-run"), "play", run);
    let remove = paths::ImageRemove(fact.id.as_str()).to_string();
    let remove = Action::ask(words.t("remove"), "trash-2", remove);
    let names: Vec<_> = users.iter().map(|user| user.name.as_str()).collect();
    let used = (!names.is_empty()).then(|| words.named("image-blocked-used", &names.join(", ")));
    vec![
        reader.guard(run, PermissionId::ContainerCreate, None),
        reader
            .guard(remove, PermissionId::ImageRemove, None)
            .unless(used),
    ]
}

fn actions_of_one(reader: &Reader, fact: &ImageFact, users: &[Arc<ContainerFact>]) -> Vec<Action> {
    let save = paths::ImageSave(fact.id.as_str()).to_string();
    let save = Action::link(reader.words.t("image-save"), "download", save);
    let mut all = actions(reader, fact, users);
    all.insert(1, reader.guard(save, PermissionId::ImageSave, None));
    all
}

/// Returns one image's page.
pub fn show(reader: &Reader, shown: &Shown, refused: &RefusedOne<'_>) -> ImageShow {
    let words = reader.words;
    let fact = &shown.fact;
    let mut shell = reader.shell(Section::Images, fact.name().to_owned());
    shell.topics = "jobs images".to_owned();
    if shown.detail.is_none() && shell.engine.is_none() {
        shell.notices.push(Notice::failed(words.t("host-offline")));
    }
    let mut tag = [Field {
        hint: words.t("image-tag-hint"),
        value: refused.name.clone(),
        required: true,
        ..field(words, "reference", "name")
    }];
    let mut push = push_fields(reader, &fact.tags, refused);
    let rest = mark(words, &mut tag, refused.tag);
    let rest = rest.or(mark(words, &mut push, refused.pushed));
    shell.notices.extend(rest.map(Notice::failed));
    let [tag] = tag;
    let push = match reader.reason(PermissionId::ImagePush) {
        Some(reason) => Err(reason),
        None if fact.tags.is_empty() => Err(words.t("image-push-needs-name")),
        None => Ok(push),
    };
    ImageShow {
        shell,
        id: fact.id.to_string(),
        name: fact.name().to_owned(),
        actions: actions_of_one(reader, fact, &shown.users),
        recipes: recipes::image(reader, fact.name()),
        tabs: layers::tabs(reader, fact, ImageTab::Overview),
        facts: facts(reader, shown),
        config: KeyValue {
            pairs: shown
                .detail
                .as_ref()
                .map_or_else(Vec::new, |image| config(reader, image)),
        },
        updates: {
            let lines = fact.tags.iter();
            lines
                .filter_map(|name| updates::line(reader, fact, name))
                .collect()
        },
        updates_note: updates::note(reader),
        layers: shown
            .history
            .iter()
            .map(|item| layer(reader, item))
            .collect(),
        tag: match reader.reason(PermissionId::ImageTag) {
            Some(reason) => Err(reason),
            None => Ok(tag),
        },
        push,
    }
}

fn push_fields(reader: &Reader, names: &[String], refused: &RefusedOne<'_>) -> Vec<Field> {
    let words = reader.words;
    let choice = |name: &String| Choice {
        value: name.clone(),
        label: name.clone(),
    };
    vec![
        Field {
            hint: words.t("image-push-hint"),
            value: refused.push.clone(),
            kind: Kind::Choice(names.iter().map(choice).collect()),
            ..field(words, "push", "name")
        },
        registry_user(reader, &refused.user),
        registry_password(reader),
    ]
}

fn registry_user(reader: &Reader, typed: &str) -> Field {
    Field {
        hint: reader.words.t("registry-user-hint"),
        value: typed.to_owned(),
        autocomplete: "off",
        ..field(reader.words, "user", "registry-user")
    }
}

fn registry_password(reader: &Reader) -> Field {
    Field {
        required: false,
        ..password(reader.words, "password", "registry-password", "off")
    }
}

fn facts(reader: &Reader, shown: &Shown) -> KeyValue {
    let words = reader.words;
    let fact = &shown.fact;
    let mut pairs = vec![
        Pair::text(words.t("image-names"), fact.tags.join(", ")),
        Pair::code(words.t("digest"), fact.id.to_string()),
        Pair::text(words.t("size"), size(fact.summary.size)),
    ];
    if let Some((shared, unique)) = shares(fact) {
        pairs.push(Pair::text(words.t("image-shared"), size(shared)));
        pairs.push(Pair::text(words.t("image-unique"), size(unique)));
    }
    if let Some(image) = &shown.detail {
        let platform = format!("{}/{}", image.os, image.architecture);
        pairs.push(Pair::text(words.t("image-platform-is"), platform));
    }
    if !shown.users.is_empty() {
        let names: Vec<_> = shown.users.iter().map(|user| user.name.clone()).collect();
        pairs.push(Pair::text(words.t("containers"), names.join(", ")));
    }
    KeyValue { pairs }
}

fn config(reader: &Reader, image: &Image) -> Vec<Pair> {
    let words = reader.words;
    let config = &image.config;
    let line = |list: &Option<Vec<String>>| {
        let list = list.as_deref().unwrap_or_default();
        shlex::try_join(list.iter().map(String::as_str)).unwrap_or_else(|_| list.join(" "))
    };
    let mut pairs = Vec::new();
    let mut add = |key: &str, text: String| {
        if !text.is_empty() {
            pairs.push(Pair::code(words.t(key), text));
        }
    };
    add("entrypoint", line(&config.entrypoint));
    add("command", line(&config.cmd));
    add("workdir", config.working_dir.clone());
    add("user", config.user.clone());
    let ports: Vec<_> = config.exposed_ports.keys().cloned().collect();
    add("ports", ports.join(", "));
    pairs
}

fn layer(reader: &Reader, item: &HistoryItem) -> Layer {
    let created = Timestamp::from_second(item.created).unwrap_or_default();
    let command = item
        .created_by
        .trim_start_matches("/bin/sh -c #(nop) ")
        .trim();
    Layer {
        command: if command.is_empty() {
            item.comment.clone()
        } else {
            command.to_owned()
        },
        size: if item.size > 0 {
            size(item.size)
        } else {
            String::new()
        },
        created: Moment::past(reader.words, created, reader.now).text,
    }
}

fn size(bytes: i64) -> String {
    format::bytes(u64::try_from(bytes).unwrap_or(0))
}

/// Returns the question before an image is removed.
pub fn ask_remove(reader: &Reader, fact: &ImageFact, back: &str) -> Ask {
    let words = reader.words;
    let title = words.named("image-remove-title", fact.name());
    Ask {
        shell: reader.shell(Section::Images, title.clone()),
        dialog: Dialog {
            words,
            title,
            names: if fact.tags.len() > 1 {
                fact.tags.clone()
            } else {
                Vec::new()
            },
            goes: vec![words.t("image-remove-goes")],
            stays: vec![words.t("image-remove-stays")],
            path: paths::ImageRemove(fact.id.as_str()).to_string(),
            hidden: vec![("back", back.to_owned())],
            check: None,
            yes: words.t("remove"),
            back: back.to_owned(),
        },
    }
}
