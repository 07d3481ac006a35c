//! Logs: one container's, and several as one.

use askama::Template;

use crate::parts::{ContainerHeader, LogWindow};
use crate::shell::Shell;
use crate::ui::Notice;

/// A container's log.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/container_logs.html")]
pub struct ContainerLogs {
    /// The frame.
    pub shell: Shell,
    /// The head.
    pub header: ContainerHeader,
    /// Why it cannot be read.
    pub notice: Option<Notice>,
    /// The window on it.
    pub window: LogWindow,
}

/// Several logs, merged by time.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/merged_logs.html")]
pub struct MergedLogs {
    /// The frame.
    pub shell: Shell,
    /// "Logs of 3 containers".
    pub title: String,
    /// Ids of the containers that are here.
    pub ids: Vec<String>,
    /// Names of containers that could be put beside them.
    pub others: Vec<String>,
    /// The window on them.
    pub window: LogWindow,
}
