//! The sockets' part of the table of routes.

use frontend::paths;

use super::{logs, page, stats, terminal};
use crate::http::{Entry, get};

/// Returns the routes of all sockets.
pub(in crate::http) fn table() -> Vec<Entry> {
    vec![
        get(paths::LivePage::PATTERN, page::open),
        get(paths::LiveLogs::PATTERN, logs::open),
        get(paths::LiveStats::PATTERN, stats::open),
        get(paths::LiveTerminal::PATTERN, terminal::open),
    ]
}
