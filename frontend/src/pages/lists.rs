//! The smaller pages that are mostly one list: events, audit, jobs, search; and the one that asks.

use askama::Template;

use crate::parts::{AuditRow, EventRow, JobPanel, JobRow};
use crate::shell::Shell;
use crate::ui::{Dialog, Empty, Filter, Icon, Pager, icon};

/// Events of the engine.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/events_index.html")]
pub struct EventsIndex {
    /// The frame.
    pub shell: Shell,
    /// The filter field.
    pub filter: Filter,
    /// Newest first.
    pub rows: Vec<EventRow>,
    /// Where one is.
    pub pager: Pager,
    /// Shown when there are no rows.
    pub empty: Option<Empty>,
}

/// Who did what.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/audit_index.html")]
pub struct AuditIndex {
    /// The frame.
    pub shell: Shell,
    /// The filter field.
    pub filter: Filter,
    /// Newest first.
    pub rows: Vec<AuditRow>,
    /// Where one is.
    pub pager: Pager,
    /// Shown when there are no rows.
    pub empty: Option<Empty>,
}

/// All jobs of a person.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/jobs_index.html")]
pub struct JobsIndex {
    /// The frame.
    pub shell: Shell,
    /// Newest first.
    pub rows: Vec<JobRow>,
}

/// One job.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/job_show.html")]
pub struct JobShow {
    /// The frame.
    pub shell: Shell,
    /// The job and its steps.
    pub panel: JobPanel,
}

/// One question before something is destroyed.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/ask.html")]
pub struct Ask {
    /// The frame.
    pub shell: Shell,
    /// The question.
    pub dialog: Dialog,
}

/// What has this name; also what the palette shows.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/search.html")]
pub struct Search {
    /// The frame.
    pub shell: Shell,
    /// What was searched.
    pub query: String,
    /// What was found.
    pub results: Vec<SearchResult>,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchResult {
    /// Its icon.
    pub icon: &'static str,
    /// Its name.
    pub label: String,
    /// What it is.
    pub kind: String,
    /// Where it is.
    pub path: String,
}

impl SearchResult {
    fn symbol(&self) -> Icon {
        icon(self.icon)
    }
}
