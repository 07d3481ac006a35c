//! The head of a container's pages: name, state, facts, actions, tabs.

use askama::Template;
use askama::filters::HtmlSafe;

use super::UpdateMark;
use crate::paths;
use crate::ui::{Action, Badge, Icon, Recipes, icon};
use crate::words::Words;

/// The head; DOM id `container-header`.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/container_header.html")]
pub struct ContainerHeader {
    /// Language.
    pub words: Words,
    /// The container's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: Badge,
    /// The state as a sentence: "Exited (137) two minutes ago: killed".
    pub sentence: String,
    /// Image, short id, ports.
    pub facts: Vec<Fact>,
    /// How its image stands against its registry.
    pub update: Option<UpdateMark>,
    /// What can be done.
    pub actions: Vec<Action>,
    /// The same from elsewhere.
    pub recipes: Recipes,
    /// Rename in place; the reason when it may not be.
    pub rename: Result<(), String>,
    /// The tab that is open.
    pub tab: Tab,
    /// Which run this is: another one after a restart, empty when it does not run.
    pub run: String,
}

impl HtmlSafe for ContainerHeader {}

/// A fact beside the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its icon.
    pub icon: &'static str,
    /// What it is, for the tooltip.
    pub label: String,
    /// The value.
    pub text: String,
    /// Where it leads.
    pub link: Option<String>,
}

/// The tabs of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    /// Overview.
    #[default]
    Overview,
    /// Logs.
    Logs,
    /// Stats.
    Stats,
    /// Terminal.
    Terminal,
    /// Files.
    Files,
    /// Processes.
    Processes,
    /// Changes.
    Changes,
    /// Inspect.
    Inspect,
}

impl Tab {
    /// Every tab, in its order.
    pub const ALL: [Tab; 8] = [
        Tab::Overview,
        Tab::Logs,
        Tab::Stats,
        Tab::Terminal,
        Tab::Files,
        Tab::Processes,
        Tab::Changes,
        Tab::Inspect,
    ];

    /// Returns its word in the topics of the live socket.
    pub fn word(self) -> &'static str {
        match self {
            Tab::Overview => "overview",
            Tab::Logs => "logs",
            Tab::Stats => "stats",
            Tab::Terminal => "terminal",
            Tab::Files => "files",
            Tab::Processes => "processes",
            Tab::Changes => "changes",
            Tab::Inspect => "inspect",
        }
    }

    /// Returns the tab with this word; the first for any other.
    pub fn of(word: &str) -> Tab {
        Tab::ALL
            .into_iter()
            .find(|tab| tab.word() == word)
            .unwrap_or_default()
    }
}

struct TabLink {
    label: String,
    icon: Icon,
    path: String,
    current: bool,
    key: &'static str,
}

impl ContainerHeader {
    fn tabs(&self) -> Vec<TabLink> {
        let id = self.id.as_str();
        let tab = |tab, label: &str, name, path: String, key| TabLink {
            label: self.words.t(label),
            icon: icon(name),
            path,
            current: self.tab == tab,
            key,
        };
        vec![
            tab(
                Tab::Overview,
                "overview",
                "info",
                paths::Container(id).to_string(),
                "o",
            ),
            tab(
                Tab::Logs,
                "logs",
                "file-text",
                paths::ContainerLogs(id).to_string(),
                "l",
            ),
            tab(
                Tab::Stats,
                "stats",
                "chart-line",
                paths::ContainerStats(id).to_string(),
                "s",
            ),
            tab(
                Tab::Terminal,
                "terminal",
                "terminal",
                paths::ContainerTerminal(id).to_string(),
                "t",
            ),
            tab(
                Tab::Files,
                "files",
                "folder",
                paths::ContainerFiles(id).to_string(),
                "f",
            ),
            tab(
                Tab::Processes,
                "processes",
                "list-tree",
                paths::ContainerProcesses(id).to_string(),
                "p",
            ),
            tab(
                Tab::Changes,
                "changes",
                "file-diff",
                paths::ContainerChanges(id).to_string(),
                "d",
            ),
            tab(
                Tab::Inspect,
                "inspect",
                "braces",
                paths::ContainerInspect(id).to_string(),
                "i",
            ),
        ]
    }

    fn rename_path(&self) -> String {
        paths::ContainerRename(&self.id).to_string()
    }
}
