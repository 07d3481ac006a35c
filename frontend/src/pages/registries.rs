//! Registries: those that are kept, one with its repositories, the tags of one of them.

use askama::Template;

use crate::format::Moment;
use crate::paths;
use crate::shell::Shell;
use crate::ui::{Action, Empty, Field};

/// The registries that are kept.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/registries_index.html")]
pub struct RegistriesIndex {
    /// The frame.
    pub shell: Shell,
    /// All of them, by name.
    pub rows: Vec<RegistryRow>,
    /// Shown when there are none.
    pub empty: Option<Empty>,
    /// Name, address, user, password; or the reason why none can be added.
    pub add: Result<Vec<Field>, String>,
}

/// One registry in the list.
#[derive(Debug, Clone)]
pub struct RegistryRow {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub address: String,
    /// The name there, or that there is none.
    pub user: String,
    /// When it was added.
    pub since: Moment,
    /// What can be done.
    pub actions: Vec<Action>,
}

impl RegistryRow {
    fn path(&self) -> String {
        paths::Registry(&self.id).to_string()
    }
}

/// The form of one registry.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/registry_edit.html")]
pub struct RegistryEdit {
    /// The frame.
    pub shell: Shell,
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Name, address, user, password.
    pub fields: Vec<Field>,
}

impl RegistryEdit {
    fn path(&self) -> String {
        paths::RegistryEdit(&self.id).to_string()
    }
}

/// One registry with its repositories, or a repository with its tags.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/registry_show.html")]
pub struct RegistryShow {
    /// The frame.
    pub shell: Shell,
    /// What people call the registry.
    pub name: String,
    /// Where it is.
    pub address: String,
    /// The repository whose tags are shown; empty for the repositories.
    pub repository: String,
    /// What can be done.
    pub actions: Vec<Action>,
    /// A part of the names that are shown, where the list can be narrowed.
    pub filter: Option<Field>,
    /// The name of a repository, for registries that do not list them.
    pub ask: Field,
    /// What there is.
    pub rows: Vec<RemoteRow>,
    /// That there are others, or that there is nothing.
    pub note: String,
    /// Its id.
    pub id: String,
}

impl RegistryShow {
    fn path(&self) -> String {
        paths::Registry(&self.id).to_string()
    }

    fn tags_path(&self) -> String {
        paths::RegistryTags(&self.id).to_string()
    }
}

/// A repository, or a tag.
#[derive(Debug, Clone)]
pub struct RemoteRow {
    /// Its name.
    pub name: String,
    /// Where it leads; empty for a tag.
    pub path: String,
    /// What can be done.
    pub actions: Vec<Action>,
}
