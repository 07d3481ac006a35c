//! The first page: what runs, what does not, what just happened.

use askama::Template;

use crate::parts::{ContainerRow, EventRow};
use crate::shell::Shell;
use crate::ui::{Action, Empty, KeyValue};

/// The overview.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/overview.html")]
pub struct Overview {
    /// The frame.
    pub shell: Shell,
    /// The figures at the top.
    pub figures: Vec<Figure>,
    /// Containers that stopped abnormally or are unhealthy.
    pub troubled: Vec<ContainerRow>,
    /// Facts about the host.
    pub host: KeyValue,
    /// The last events.
    pub events: Vec<EventRow>,
    /// Shown instead of all when nothing was ever made.
    pub empty: Option<Empty>,
    /// What can be done here.
    pub actions: Vec<Action>,
}

/// A figure; DOM id `figure-<name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Its icon.
    pub icon: &'static str,
    /// What it counts.
    pub label: String,
    /// The number with its unit.
    pub value: String,
    /// What it is part of.
    pub note: String,
    /// Where it leads.
    pub link: Option<String>,
}
