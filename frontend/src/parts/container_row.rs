//! One container in the list, and its two numbers that change every few seconds.

use askama::Template;
use askama::filters::HtmlSafe;

use super::UpdateMark;
use crate::format::Moment;
use crate::paths;
use crate::ui::{Action, Badge};
use crate::words::Words;

/// A row; DOM id `row-<id>`, list `container-rows`.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/container_row.html")]
pub struct ContainerRow {
    /// Language.
    pub words: Words,
    /// Whether it can be selected: in the list, where many things are done at once.
    pub pick: bool,
    /// Whether it runs.
    pub alive: bool,
    /// The container's id.
    pub id: String,
    /// Its name, without the slash.
    pub name: String,
    /// Its state.
    pub state: Badge,
    /// The state in more words: "Up 3 days".
    pub status: String,
    /// Its image, as it was asked for.
    pub image: String,
    /// How that stands against its registry.
    pub update: Option<UpdateMark>,
    /// CPU.
    pub cpu: LoadCell,
    /// Memory.
    pub memory: LoadCell,
    /// Published or listening ports.
    pub ports: Vec<Port>,
    /// When it was created.
    pub created: Moment,
    /// The actions used most.
    pub actions: Vec<Action>,
}

impl HtmlSafe for ContainerRow {}

impl ContainerRow {
    /// Returns the DOM id of a container's row.
    pub fn dom_id(id: &str) -> String {
        format!("row-{id}")
    }

    fn path(&self) -> String {
        paths::Container(&self.id).to_string()
    }
}

/// A port with where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// `8080/tcp`
    pub text: String,
    /// An address a browser can open.
    pub link: Option<String>,
}

/// A number and its last 60 values; DOM id `cpu-<id>` or `memory-<id>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "parts/load_cell.html")]
pub struct LoadCell {
    /// Its DOM id.
    pub dom_id: String,
    /// What it counts, for those who do not see the column.
    pub label: String,
    /// The number with its unit; empty when nothing runs.
    pub number: String,
    /// Points of the sparkline; see [`crate::format::spark`].
    pub points: String,
}

impl HtmlSafe for LoadCell {}
