//! What happened: an event of the engine, an entry of the audit.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::format::Moment;
use crate::ui::Badge;

/// An event; DOM id `event-<number>`, list `event-rows`.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/event_row.html")]
pub struct EventRow {
    /// Number, unique on the page.
    pub number: u64,
    /// When.
    pub at: Moment,
    /// `container`, `image`.
    pub kind: String,
    /// Its icon.
    pub icon: &'static str,
    /// `start`, `die`.
    pub action: String,
    /// The thing: its name and where it is.
    pub subject: (String, Option<String>),
    /// What else is known: `exit code 137`.
    pub detail: String,
}

impl HtmlSafe for EventRow {}

/// An audit entry.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/audit_row.html")]
pub struct AuditRow {
    /// Its number.
    pub number: i64,
    /// When.
    pub at: Moment,
    /// Who.
    pub actor: String,
    /// What, in words.
    pub action: String,
    /// On what.
    pub target: String,
    /// How it ended.
    pub outcome: Badge,
    /// From where.
    pub address: String,
    /// Why it failed, or what changed.
    pub detail: String,
}

impl HtmlSafe for AuditRow {}
