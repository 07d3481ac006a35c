//! A state: colour, icon and word together.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Icon, icon};

/// A state badge.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "ui/badge.html")]
pub struct Badge {
    /// What the state means.
    pub tone: Tone,
    /// Its icon.
    pub icon: &'static str,
    /// Its word.
    pub word: String,
}

impl HtmlSafe for Badge {}

/// The five meanings that have a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Works.
    Running,
    /// On its way.
    Busy,
    /// Works, but.
    Warn,
    /// Does not work.
    Failed,
    /// Rests.
    Idle,
}

impl Tone {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Tone::Running => "running",
            Tone::Busy => "busy",
            Tone::Warn => "warn",
            Tone::Failed => "failed",
            Tone::Idle => "idle",
        }
    }
}

impl Badge {
    fn symbol(&self) -> Icon {
        icon(self.icon)
    }
}
