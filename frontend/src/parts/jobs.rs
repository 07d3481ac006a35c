//! Long work: the tray in the bar, a line in it, and a job's own panel.

use askama::Template;
use askama::filters::HtmlSafe;

use super::BuildStep;
use crate::paths;
use crate::ui::{Action, Badge};
use crate::words::Words;

/// The tray; DOM id `jobs`.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/job_tray.html")]
pub struct JobTray {
    /// Language.
    pub words: Words,
    /// Jobs of this person, newest first; the finished ones of the last hour too.
    pub jobs: Vec<JobRow>,
    /// How many run.
    pub n_running: usize,
}

impl HtmlSafe for JobTray {}

impl JobTray {
    fn running_words(&self) -> String {
        self.words.n("jobs-running", self.n_running as u64)
    }
}

/// A job in one line.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/job_row.html")]
pub struct JobRow {
    /// Language.
    pub words: Words,
    /// Its id.
    pub id: String,
    /// "Pull nginx:1.29".
    pub name: String,
    /// Its state.
    pub state: Badge,
    /// Per cent done; none when it cannot be known.
    pub percent: Option<u8>,
    /// "3 of 7 layers, 12 MB of 48 MB", or why it failed.
    pub note: String,
    /// Whether it still runs.
    pub running: bool,
    /// Cancel it.
    pub cancel: Option<Action>,
}

impl HtmlSafe for JobRow {}

impl JobRow {
    fn path(&self) -> String {
        paths::Job(&self.id).to_string()
    }
}

/// A job with its steps; DOM id `job-panel-<id>`.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/job_panel.html")]
pub struct JobPanel {
    /// Language.
    pub words: Words,
    /// Its line.
    pub job: JobRow,
    /// One step for each layer.
    pub steps: Vec<JobStep>,
    /// What is done one after the other.
    pub stages: Vec<JobStage>,
    /// What the last health check of a program said that did not run as it should.
    pub probe: String,
    /// The last lines of its log, without colours.
    pub last_lines: Vec<String>,
    /// The steps of a build, each with what it says.
    pub build: Vec<BuildStep>,
    /// "120 steps left out", or empty.
    pub build_left_out: String,
    /// What a build said outside of its steps.
    pub build_said: Vec<String>,
    /// What it made, or where to go from it, when it has ended: label and address.
    pub results: Vec<(String, String)>,
}

impl HtmlSafe for JobPanel {}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStep {
    /// Short digest of the layer.
    pub name: String,
    /// "Downloading".
    pub phase: String,
    /// Per cent done.
    pub percent: Option<u8>,
    /// "12 MB of 48 MB".
    pub note: String,
}

/// One of the things that are done one after the other.
#[derive(Debug, Clone)]
pub struct JobStage {
    /// "Start the new container".
    pub name: String,
    /// Where it is.
    pub state: Badge,
    /// "At most 35s", or empty.
    pub note: String,
}
