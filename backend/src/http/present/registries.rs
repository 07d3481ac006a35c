//! Registries: the list with its form, one with what it has, the question before removing.

use engine_api::registries::NameList;
use frontend::format::Moment;
use frontend::pages::{Ask, RegistriesIndex, RegistryEdit, RegistryRow, RegistryShow, RemoteRow};
use frontend::paths::{self, Value};
use frontend::shell::Section;
use frontend::ui::{Action, Choice, Dialog, Empty, Field, Kind, Notice};

use super::fields::{field, mark, password, rule};
use super::{Reader, told};
use crate::access::PermissionId;
use crate::domain::{FieldError, Registry, RegistryPlace};
use crate::services;

/// What was typed into the form, but for the password.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub address: String,
    /// The name there.
    pub user: String,
    /// The authorities that vouch for it.
    pub authority: String,
}

impl Typed {
    /// Returns what a registry's form begins with.
    pub fn of(registry: &Registry) -> Self {
        Self {
            name: registry.name.to_string(),
            address: registry.address.to_string(),
            user: registry.user.to_string(),
            authority: registry.authority.to_string(),
        }
    }
}

/// Returns the list.
pub fn index(
    reader: &Reader,
    registries: &[Registry],
    typed: &Typed,
    error: Option<&FieldError>,
) -> RegistriesIndex {
    let words = reader.words;
    let mut fields = fields(reader, typed, "registry-secret-hint");
    let rest = mark(words, &mut fields, error);
    let mut shell = reader.shell(Section::Registries, words.t("registries"));
    shell.notices.extend(rest.map(Notice::failed));
    RegistriesIndex {
        shell,
        rows: registries
            .iter()
            .map(|registry| row(reader, registry))
            .collect(),
        empty: registries.is_empty().then(|| Empty {
            words,
            icon: "server",
            title: words.t("registries-none"),
            text: words.t("registries-none-text"),
            action: None,
            command: "docker login registry.example.com".to_owned(),
        }),
        add: match reader.reason(PermissionId::RegistryAdd) {
            Some(reason) => Err(reason),
            None => Ok(fields),
        },
    }
}

fn fields(reader: &Reader, typed: &Typed, secret_hint: &str) -> Vec<Field> {
    let words = reader.words;
    let hinted = |name, label: &str, hint: &str, value: &str| Field {
        hint: words.t(hint),
        value: value.to_owned(),
        autocomplete: "off",
        ..field(words, name, label)
    };
    vec![
        Field {
            required: true,
            ..hinted("name", "name", "registry-name-hint", &typed.name)
        },
        Field {
            required: true,
            code: true,
            placeholder: "registry.example.com".to_owned(),
            ..hinted(
                "address",
                "registry-address",
                "registry-address-hint",
                &typed.address,
            )
        },
        hinted(
            "user",
            "registry-user",
            "registry-keep-user-hint",
            &typed.user,
        ),
        Field {
            required: false,
            hint: words.t(secret_hint),
            ..password(words, "secret", "registry-secret", "new-password")
        },
        Field {
            code: true,
            kind: Kind::Lines(4),
            placeholder: "-----BEGIN CERTIFICATE-----".to_owned(),
            ..hinted(
                "authority",
                "registry-authority",
                "registry-authority-hint",
                &typed.authority,
            )
        },
    ]
}

fn row(reader: &Reader, registry: &Registry) -> RegistryRow {
    RegistryRow {
        id: registry.id.to_string(),
        name: registry.name.to_string(),
        address: registry.address.to_string(),
        user: if registry.user.is_nobody() {
            reader.words.t("registry-nobody")
        } else {
            registry.user.to_string()
        },
        since: Moment::past(reader.words, registry.created_at, reader.now),
        actions: actions(reader, registry)
            .into_iter()
            .map(|action| action.in_row(""))
            .collect(),
    }
}

fn actions(reader: &Reader, registry: &Registry) -> Vec<Action> {
    let words = reader.words;
    let id = registry.id.as_str();
    let test = paths::RegistryTest(id).to_string();
    let edit = paths::RegistryEdit(id).to_string();
    let remove = paths::RegistryRemove(id).to_string();
    vec![
        reader.guard(
            Action::post(words.t("registry-test"), "shield-check", test),
            PermissionId::RegistryTest,
            None,
        ),
        reader.guard(
            Action::link(words.t("registry-edit"), "pencil", edit),
            PermissionId::RegistryEdit,
            None,
        ),
        reader.guard(
            Action::ask(words.t("remove"), "trash-2", remove),
            PermissionId::RegistryRemove,
            None,
        ),
    ]
}

/// Returns the form of one registry.
pub fn edit(
    reader: &Reader,
    place: &RegistryPlace,
    typed: &Typed,
    error: Option<&FieldError>,
) -> RegistryEdit {
    let words = reader.words;
    let mut fields = fields(reader, typed, "registry-secret-kept");
    let rest = mark(words, &mut fields, error);
    let mut shell = reader.shell(Section::Registries, place.name.clone());
    shell.notices.extend(rest.map(Notice::failed));
    RegistryEdit {
        shell,
        id: place.id.to_string(),
        name: place.name.clone(),
        fields,
    }
}

/// Returns one registry with its repositories.
pub fn show(
    reader: &Reader,
    registry: &Registry,
    filter: &str,
    found: Result<NameList, services::Error>,
) -> RegistryShow {
    let words = reader.words;
    let narrow = Field {
        value: filter.to_owned(),
        ..field(words, "filter", "registry-filter")
    };
    let has_list = found.is_ok();
    let path = |name: &str| {
        let tags = paths::RegistryTags(registry.id.as_str());
        format!("{tags}?repository={}", Value(name))
    };
    let page = remote(reader, registry, "", found, |name| RemoteRow {
        path: path(&name),
        actions: vec![Action::link(words.t("pull-tags"), "tag", path(&name)).in_row("")],
        name,
    });
    RegistryShow {
        filter: has_list.then_some(narrow),
        actions: actions(reader, registry),
        ..page
    }
}

/// Returns a repository with its tags.
pub fn tags(
    reader: &Reader,
    registry: &Registry,
    repository: &str,
    found: Result<NameList, services::Error>,
) -> RegistryShow {
    let words = reader.words;
    let up = paths::Registry(registry.id.as_str()).to_string();
    let page = remote(reader, registry, repository, found, |name| {
        let reference = format!("{}/{repository}:{name}", registry.address);
        let path = format!("{}?pull={}", paths::Images, Value(&reference));
        let pull = Action::link(words.t("registry-pull"), "download", path);
        RemoteRow {
            name,
            path: String::new(),
            actions: vec![reader.guard(pull, PermissionId::ImagePull, None).in_row("")],
        }
    });
    RegistryShow {
        actions: vec![Action::link(registry.name.to_string(), "server", up)],
        ..page
    }
}

fn remote(
    reader: &Reader,
    registry: &Registry,
    repository: &str,
    found: Result<NameList, services::Error>,
    row: impl Fn(String) -> RemoteRow,
) -> RegistryShow {
    let words = reader.words;
    let mut ask = [Field {
        required: true,
        code: true,
        value: repository.to_owned(),
        hint: words.t("repository-hint"),
        ..field(words, "repository", "repository")
    }];
    let title = match repository {
        "" => registry.name.to_string(),
        repository => repository.to_owned(),
    };
    let mut shell = reader.shell(Section::Registries, title);
    let (none, cut) = match repository {
        "" => ("repositories-none", "repositories-cut"),
        _ => ("tags-none", "tags-cut"),
    };
    let (rows, note) = match found {
        Ok(list) => {
            let note = match (list.names.is_empty(), list.is_whole) {
                (_, false) => words.t(cut),
                (true, true) => words.t(none),
                (false, true) => String::new(),
            };
            (list.names.into_iter().map(row).collect(), note)
        }
        Err(services::Error::Invalid(error)) => {
            let rest = mark(words, &mut ask, Some(&error));
            shell.notices.extend(rest.map(Notice::failed));
            (Vec::new(), String::new())
        }
        Err(error) => {
            let why = told(words, &error.noted());
            shell.notices.push(Notice::failed(why));
            (Vec::new(), String::new())
        }
    };
    let [ask] = ask;
    RegistryShow {
        shell,
        id: registry.id.to_string(),
        name: registry.name.to_string(),
        address: registry.address.to_string(),
        repository: repository.to_owned(),
        actions: Vec::new(),
        filter: None,
        ask,
        rows,
        note,
    }
}

/// Returns the choice of a registry for the pull form.
pub fn choice(reader: &Reader, registries: &[Registry], chosen: &str) -> Field {
    let words = reader.words;
    let none = Choice {
        value: String::new(),
        label: words.t("image-registry-none"),
    };
    let kept = registries.iter().map(|registry| Choice {
        value: registry.address.to_string(),
        label: format!("{} ({})", registry.name, registry.address),
    });
    Field {
        kind: Kind::Choice(std::iter::once(none).chain(kept).collect()),
        value: chosen.to_owned(),
        hint: words.t("image-registry-hint"),
        ..field(words, "registry", "image-registry")
    }
}

/// Returns the tags that complete an image's name, and a sentence about them, for a script.
pub fn completion(
    reader: &Reader,
    name: &str,
    found: Result<NameList, services::Error>,
) -> serde_json::Value {
    let words = reader.words;
    let (names, text) = match found {
        Ok(list) => {
            let key = if list.is_whole {
                "pull-tags-found"
            } else {
                "pull-tags-cut"
            };
            let text = words.n(key, list.names.len() as u64);
            let names = list.names.iter().map(|tag| format!("{name}:{tag}"));
            (names.collect(), text)
        }
        Err(services::Error::Invalid(error)) => (Vec::new(), rule(words, &error)),
        Err(error) => (Vec::new(), told(words, &error.noted())),
    };
    let names: Vec<String> = names;
    serde_json::json!({ "names": names, "text": text })
}

/// Returns the question before a registry is removed.
pub fn ask_remove(reader: &Reader, place: &RegistryPlace) -> Ask {
    let words = reader.words;
    let title = words.named("registry-remove-title", &place.name);
    Ask {
        shell: reader.shell(Section::Registries, title.clone()),
        dialog: Dialog {
            words,
            title,
            names: Vec::new(),
            goes: vec![words.named("registry-remove-goes", &place.name)],
            stays: vec![words.t("registry-remove-stays")],
            path: paths::RegistryRemove(place.id.as_str()).to_string(),
            hidden: Vec::new(),
            check: None,
            yes: words.t("remove"),
            back: paths::Registries.to_string(),
        },
    }
}
