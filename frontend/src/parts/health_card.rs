//! How a container's program fares, and what the last looks at it found.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::format::Moment;
use crate::ui::{Badge, KeyValue};
use crate::words::Words;

/// The card; DOM id `health`.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/health_card.html")]
pub struct HealthCard {
    /// Language.
    pub words: Words,
    /// Healthy, unhealthy, or not known yet.
    pub state: Badge,
    /// The command, how often, how many failed in a row.
    pub facts: KeyValue,
    /// The last five, newest first.
    pub probes: Vec<Probe>,
}

impl HtmlSafe for HealthCard {}

/// What one look found.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Well or not.
    pub result: Badge,
    /// When.
    pub at: Moment,
    /// How long it took.
    pub took: String,
    /// What it said.
    pub output: String,
}
