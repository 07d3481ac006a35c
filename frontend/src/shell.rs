//! The frame around every page: who looks, where they are, what runs, what just happened.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::parts::JobTray;
use crate::paths;
use crate::ui::{Icon, Notice, icon};
use crate::words::{Language, Words};

/// What the layout needs.
#[derive(Debug, Clone, Default)]
pub struct Shell {
    /// Language of the reader.
    pub words: Words,
    /// Name of the page, for the tab.
    pub title: String,
    /// Which line of the rail is lit.
    pub section: Section,
    /// Who is logged in.
    pub viewer: Viewer,
    /// What just happened.
    pub notices: Vec<Notice>,
    /// That the engine is away and what is shown is old; on pages that show what it said.
    pub engine: Option<Notice>,
    /// Light, dark, or as the system says.
    pub theme: Theme,
    /// Jobs of this person.
    pub jobs: JobTray,
    /// Topics of the live socket, separated by spaces; see [`crate::live`].
    pub topics: String,
}

/// Who is logged in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Viewer {
    /// Name of the account.
    pub name: String,
    /// Name of the role, in words.
    pub role: String,
    /// Whether the registries may be seen.
    pub sees_registries: bool,
    /// Whether the people page may be seen.
    pub sees_people: bool,
    /// Whether the audit page may be seen.
    pub sees_audit: bool,
}

/// The lines of the rail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Section {
    /// None is lit.
    #[default]
    Elsewhere,
    /// Overview.
    Overview,
    /// Containers.
    Containers,
    /// Images.
    Images,
    /// Networks, and ports.
    Networks,
    /// Events.
    Events,
    /// Registries.
    Registries,
    /// People.
    People,
    /// Audit.
    Audit,
}

/// Light, dark, or as the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// All of them, in the order they are offered.
    pub const ALL: [Theme; 3] = [Theme::System, Theme::Light, Theme::Dark];

    /// Returns its name in forms, accounts and the `data-theme` attribute.
    pub fn tag(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    /// Returns the theme with this name; the system's for any other.
    pub fn from_tag(tag: &str) -> Theme {
        Theme::ALL
            .into_iter()
            .find(|theme| theme.tag() == tag)
            .unwrap_or_default()
    }
}

/// A line of the rail.
pub(crate) struct NavItem {
    pub(crate) label: String,
    pub(crate) icon: Icon,
    pub(crate) path: String,
    pub(crate) current: bool,
}

impl Shell {
    pub(crate) fn things(&self) -> Vec<NavItem> {
        vec![
            self.item(
                Section::Overview,
                "overview",
                "layout-dashboard",
                paths::Overview.to_string(),
            ),
            self.item(
                Section::Containers,
                "containers",
                "box",
                paths::Containers.to_string(),
            ),
            self.item(
                Section::Images,
                "images",
                "layers",
                paths::Images.to_string(),
            ),
            self.item(
                Section::Networks,
                "networks",
                "network",
                paths::Networks.to_string(),
            ),
            self.item(
                Section::Events,
                "events",
                "activity",
                paths::Events.to_string(),
            ),
        ]
    }

    pub(crate) fn watch(&self) -> Vec<NavItem> {
        let mut items = Vec::new();
        if self.viewer.sees_registries {
            items.push(self.item(
                Section::Registries,
                "registries",
                "server",
                paths::Registries.to_string(),
            ));
        }
        if self.viewer.sees_people {
            items.push(self.item(
                Section::People,
                "people",
                "users",
                paths::People.to_string(),
            ));
        }
        if self.viewer.sees_audit {
            items.push(self.item(
                Section::Audit,
                "audit",
                "scroll-text",
                paths::Audit.to_string(),
            ));
        }
        items
    }

    pub(crate) fn sees_more(&self) -> bool {
        self.viewer.sees_registries || self.viewer.sees_people || self.viewer.sees_audit
    }

    fn item(&self, section: Section, key: &str, name: &'static str, path: String) -> NavItem {
        NavItem {
            label: self.words.t(key),
            icon: icon(name),
            path,
            current: self.section == section,
        }
    }

    pub(crate) fn asset(&self, path: &str) -> String {
        crate::assets::url(path)
    }

    pub(crate) fn languages(&self) -> [Language; 2] {
        Language::ALL
    }

    pub(crate) fn frame_words(&self) -> String {
        self.words.json(&[
            "connection-lost",
            "connection-back",
            "working",
            "new-one",
            "new-many",
        ])
    }
}

/// The list of keyboard shortcuts, shown by `?`.
#[derive(Debug, Clone, Copy, Template)]
#[template(path = "parts/shortcuts.html")]
pub struct Shortcuts {
    /// Language.
    pub words: Words,
}

impl HtmlSafe for Shortcuts {}

/// A group of shortcuts: its title, and for each what it does and its keys.
type Group = (String, Vec<(String, Vec<&'static str>)>);

impl Shortcuts {
    fn groups(&self) -> Vec<Group> {
        let group = |title: &str, keys: &[Keys]| {
            let keys = keys
                .iter()
                .map(|(label, keys)| (self.words.t(label), (*keys).to_vec()));
            (self.words.t(title), keys.collect())
        };
        GROUPS
            .iter()
            .map(|(title, keys)| group(title, keys))
            .collect()
    }
}

/// What some keys do, and which.
type Keys = (&'static str, &'static [&'static str]);

/// The keys that `static/js/lib/keys.js` hears, by where they work.
const GROUPS: &[(&str, &[Keys])] = &[
    (
        "shortcuts-everywhere",
        &[
            ("shortcut-search", &["Ctrl", "K"]),
            ("shortcut-filter", &["/"]),
            ("shortcut-new", &["n"]),
            ("shortcuts", &["?"]),
        ],
    ),
    (
        "shortcuts-list",
        &[
            ("shortcut-move", &["j", "k"]),
            ("shortcut-open", &["Enter"]),
            ("shortcut-select", &["x"]),
            ("logs", &["l"]),
            ("terminal", &["t"]),
        ],
    ),
    (
        "shortcuts-go",
        &[
            ("overview", &["g", "o"]),
            ("containers", &["g", "c"]),
            ("images", &["g", "i"]),
            ("networks", &["g", "n"]),
            ("events", &["g", "e"]),
            ("jobs", &["g", "j"]),
            ("registries", &["g", "r"]),
            ("people", &["g", "p"]),
            ("audit", &["g", "a"]),
        ],
    ),
    (
        "shortcuts-thing",
        &[
            ("overview", &["o"]),
            ("logs", &["l"]),
            ("stats", &["s"]),
            ("terminal", &["t"]),
            ("processes", &["p"]),
            ("inspect", &["i"]),
        ],
    ),
];

impl Shell {
    pub(crate) fn shortcuts(&self) -> Shortcuts {
        Shortcuts { words: self.words }
    }
}
