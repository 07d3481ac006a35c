//! What is wrong with a Dockerfile, below the editor.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::ui::{Icon, icon};
use crate::words::Words;

/// The faults; DOM id `dockerfile-faults`.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/dockerfile_faults.html")]
pub struct DockerfileFaults {
    /// Language.
    pub words: Words,
    /// By place.
    pub faults: Vec<FaultLine>,
    /// The names of the stages, for whoever chooses one.
    pub stages: Vec<String>,
    /// Whether anybody looked.
    pub is_checked: bool,
}

impl HtmlSafe for DockerfileFaults {}

/// One fault.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultLine {
    /// From 1; 0 when it is about no line.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// "Line 2, column 1".
    pub place: String,
    /// What is wrong, in the engine's words.
    pub text: String,
    /// What was probably meant.
    pub meant: Option<String>,
}

impl DockerfileFaults {
    /// The lines to mark, for the editor.
    fn lines(&self) -> String {
        let lines = self.faults.iter().map(|fault| fault.line.to_string());
        lines.collect::<Vec<_>>().join(" ")
    }

    fn names(&self) -> String {
        self.stages.join("\n")
    }

    fn count(&self) -> String {
        self.words.n("build-faults", self.faults.len() as u64)
    }

    fn fine(&self) -> String {
        self.words.n("build-reads-well", self.stages.len() as u64)
    }

    fn warning(&self) -> Icon {
        icon("triangle-alert")
    }

    fn tick(&self) -> Icon {
        icon("circle-check")
    }
}
