//! The window on one log or several: its bar, its levels, its lines.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::ui::{Badge, Icon, icon};
use crate::words::Words;

/// The window; the element `<log-view>` makes it live.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/log_window.html")]
pub struct LogWindow {
    /// Language.
    pub words: Words,
    /// Whose logs these are.
    pub sources: Vec<LogSource>,
    /// The last lines, for those without script.
    pub last_lines: Vec<String>,
    /// Where the whole is a file; only of one log.
    pub download: Option<String>,
    /// Where other logs can be put beside it.
    pub merge: Option<String>,
}

impl HtmlSafe for LogWindow {}

/// One log.
#[derive(Debug, Clone)]
pub struct LogSource {
    /// Name of its container.
    pub name: String,
    /// The container's page.
    pub path: String,
    /// Where its lines come from.
    pub socket: String,
    /// State of its container.
    pub state: Badge,
    /// The same page without it; nothing when it is the only one.
    pub without: Option<String>,
}

/// A level that lines may say.
struct Level {
    name: &'static str,
    label: String,
}

impl LogWindow {
    fn levels(&self) -> Vec<Level> {
        let names = ["error", "warn", "info", "debug", "trace"];
        let level = |name| Level {
            name,
            label: self.words.t(&format!("level-{name}")),
        };
        names.map(level).into()
    }

    fn is_merged(&self) -> bool {
        self.merge.is_none()
    }

    /// Its colour, counted from one; after the last the first comes again.
    fn gutter(&self, index: &usize) -> usize {
        index % 8 + 1
    }

    fn symbol(&self, name: &'static str) -> Icon {
        icon(name)
    }
}
