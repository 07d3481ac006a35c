//! The pages of one image, as tabs.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::paths;
use crate::ui::{Icon, icon};
use crate::words::Words;

/// The tabs.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/image_tabs.html")]
pub struct ImageTabs {
    /// Language.
    pub words: Words,
    /// The image's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The tab that is open.
    pub tab: ImageTab,
    /// Why its content may not be seen.
    pub locked: Option<String>,
}

impl HtmlSafe for ImageTabs {}

/// The tabs of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImageTab {
    /// What it is, and what can be done with it.
    #[default]
    Overview,
    /// What its layers did.
    Layers,
    /// Its files.
    Files,
}

struct TabLink {
    label: String,
    icon: Icon,
    path: String,
    current: bool,
    reason: String,
}

impl ImageTabs {
    fn tabs(&self) -> [TabLink; 3] {
        let id = self.id.as_str();
        let tab = |tab, label: &str, name, path: String| TabLink {
            label: self.words.t(label),
            icon: icon(name),
            path,
            current: self.tab == tab,
            reason: match tab {
                ImageTab::Overview => String::new(),
                _ => self.locked.clone().unwrap_or_default(),
            },
        };
        [
            tab(
                ImageTab::Overview,
                "overview",
                "info",
                paths::Image(id).to_string(),
            ),
            tab(
                ImageTab::Layers,
                "layers",
                "layers",
                paths::ImageLayers(id).to_string(),
            ),
            tab(
                ImageTab::Files,
                "files",
                "folder",
                paths::ImageFiles(id).to_string(),
            ),
        ]
    }
}
