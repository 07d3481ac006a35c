//! Sample registries.

use super::others::{field, moment};
use crate::pages::{RegistriesIndex, RegistryEdit, RegistryRow, RegistryShow, RemoteRow};
use crate::paths;
use crate::shell::Shell;
use crate::ui::{Action, Empty, Field, Kind, Notice};
use crate::words::Words;

fn actions(words: Words) -> Vec<Action> {
    let link = |key: &str, icon, path: String| Action::link(words.t(key), icon, path);
    vec![
        Action::post(
            words.t("registry-test"),
            "shield-check",
            paths::RegistryTest("1").to_string(),
        ),
        link(
            "registry-edit",
            "pencil",
            paths::RegistryEdit("1").to_string(),
        ),
        Action::ask(
            words.t("remove"),
            "trash-2",
            paths::RegistryRemove("1").to_string(),
        ),
    ]
}

fn fields(words: Words, secret_hint: &str) -> Vec<Field> {
    vec![
        field(words, "name", "name", Kind::Text),
        Field {
            hint: words.t("registry-address-hint"),
            code: true,
            ..field(words, "address", "registry-address", Kind::Text)
        },
        Field {
            hint: words.t("registry-keep-user-hint"),
            ..field(words, "user", "registry-user", Kind::Text)
        },
        Field {
            hint: words.t(secret_hint),
            ..field(words, "secret", "registry-secret", Kind::Password)
        },
    ]
}

/// The registries that are kept, or none.
pub fn registries_index(shell: Shell, is_empty: bool) -> RegistriesIndex {
    let words = shell.words;
    let row = |name: &str, address: &str, user: String| RegistryRow {
        id: "1".into(),
        name: name.into(),
        address: address.into(),
        user,
        since: moment(words, 90_000),
        actions: actions(words)
            .into_iter()
            .map(|action| action.in_row(""))
            .collect(),
    };
    let rows = vec![
        row("Docker Hub", "docker.io", words.t("registry-nobody")),
        row("Team", "registry.example.com:5000", "ci-robot".into()),
    ];
    RegistriesIndex {
        rows: if is_empty { Vec::new() } else { rows },
        empty: is_empty.then(|| Empty {
            words,
            icon: "server",
            title: words.t("registries-none"),
            text: words.t("registries-none-text"),
            action: None,
            command: "docker login registry.example.com".into(),
        }),
        add: Ok(fields(words, "registry-secret-hint")),
        shell,
    }
}

/// The form of a registry whose address was changed without its password.
pub fn registry_edit(shell: Shell) -> RegistryEdit {
    let words = shell.words;
    let mut fields = fields(words, "registry-secret-kept");
    fields[3].error = Some(words.t("rule-secret-again"));
    RegistryEdit {
        id: "1".into(),
        name: "Team".into(),
        fields,
        shell,
    }
}

/// A registry with its repositories, a repository with its tags, or a registry that lists none.
pub fn registry_show(mut shell: Shell, repository: &str, has_list: bool) -> RegistryShow {
    let words = shell.words;
    let row = |name: &str| RemoteRow {
        name: name.into(),
        path: if repository.is_empty() {
            format!("{}?repository={name}", paths::RegistryTags("1"))
        } else {
            String::new()
        },
        actions: vec![
            Action::link(
                words.t("registry-pull"),
                "download",
                paths::Images.to_string(),
            )
            .in_row(""),
        ],
    };
    let names: &[&str] = match (repository, has_list) {
        (_, false) => &[],
        ("", true) => &["shop/app", "shop/db", "tools/builder"],
        (_, true) => &["1.0", "1.1", "latest"],
    };
    if !has_list {
        let why = "the registry docker.io does not list its repositories";
        shell.notices.push(Notice::failed(why.into()));
    }
    let is_list = repository.is_empty() && has_list;
    RegistryShow {
        id: "1".into(),
        name: "Team".into(),
        address: "registry.example.com:5000".into(),
        repository: repository.into(),
        actions: if repository.is_empty() {
            actions(words)
        } else {
            let up = paths::Registry("1").to_string();
            vec![Action::link("Team".into(), "server", up)]
        },
        filter: is_list.then(|| field(words, "filter", "registry-filter", Kind::Text)),
        ask: Field {
            hint: words.t("repository-hint"),
            ..field(words, "repository", "repository", Kind::Text)
        },
        rows: names.iter().map(|name| row(name)).collect(),
        note: if is_list {
            words.t("repositories-cut")
        } else {
            String::new()
        },
        shell,
    }
}
