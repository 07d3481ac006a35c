//! Why a container stopped.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::ui::{Icon, KeyValue, icon};
use crate::words::Words;

/// The record of a stop; DOM id `why-stopped`.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/why_stopped.html")]
pub struct WhyStopped {
    /// Language.
    pub words: Words,
    /// Whether it ended as it was asked to.
    pub calm: bool,
    /// The question.
    pub title: String,
    /// The exit in one sentence, without its full stop.
    pub sentence: String,
    /// What to do about it.
    pub advice: String,
    /// Signal, who sent it, memory, how long it ran, what had changed.
    pub facts: KeyValue,
    /// What the last health check said.
    pub probe: String,
    /// The last lines of its log, without colours; whether each came by stderr.
    pub last_lines: Vec<(bool, String)>,
    /// Where the whole log is.
    pub logs: String,
}

impl HtmlSafe for WhyStopped {}

impl WhyStopped {
    fn symbol(&self) -> Icon {
        icon(if self.calm { "circle-stop" } else { "skull" })
    }
}
