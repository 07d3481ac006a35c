//! The build form.

use askama::Template;

use crate::parts::DockerfileFaults;
use crate::shell::Shell;
use crate::ui::{Field, Icon, icon};

/// Rows of an empty editor.
const LEAST_ROWS: usize = 14;
/// Rows that the server draws; a longer text is scrolled until a script makes room.
const MOST_ROWS: usize = 400;

/// The build form: a name, a Dockerfile, options, and where the files come from. The files come last,
/// because they are passed on as they come, when all the rest is known.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/image_build_new.html")]
pub struct ImageBuildNew {
    /// The frame.
    pub shell: Shell,
    /// What the image is to be called.
    pub name: Field,
    /// The editor's text.
    pub dockerfile: String,
    /// The rule that it broke as a field.
    pub dockerfile_error: Option<String>,
    /// What is wrong in it.
    pub faults: DockerfileFaults,
    /// What is rarely set.
    pub options: Vec<Field>,
    /// "2 set", or empty.
    pub options_set: String,
    /// The address of a context.
    pub remote: Field,
    /// The archive of a context.
    pub context: Field,
    /// The equivalent line.
    pub command: String,
    /// The equivalent call.
    pub call: String,
    /// The reason why it may not be used; nothing is asked while it is typed then.
    pub blocked: Option<String>,
}

impl ImageBuildNew {
    fn rows(&self) -> usize {
        let n_lines = self.dockerfile.lines().count() + 1;
        n_lines.clamp(LEAST_ROWS, MOST_ROWS)
    }

    fn described_by(&self) -> String {
        let error = match self.dockerfile_error {
            Some(_) => "dockerfile-error ",
            None => "",
        };
        format!("{error}dockerfile-hint dockerfile-faults")
    }

    fn is_invalid(&self) -> bool {
        self.dockerfile_error.is_some() || !self.faults.faults.is_empty()
    }

    fn context_words(&self) -> String {
        self.shell.words.json(&[
            "context-files",
            "context-too-many",
            "context-too-large",
            "context-reading",
            "context-broken",
        ])
    }

    fn warning(&self) -> Icon {
        icon("triangle-alert")
    }
}
