//! Pages before the house: set-up, log in, and what is shown when something is not there.

use askama::Template;

use crate::shell::Shell;
use crate::ui::{Action, Field, Notice};

/// Log in.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/login.html")]
pub struct Login {
    /// The frame.
    pub shell: Shell,
    /// What went wrong.
    pub notice: Option<Notice>,
    /// Name and password.
    pub fields: Vec<Field>,
    /// Where to go after.
    pub next: String,
}

/// The first run: who owns this.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/setup.html")]
pub struct Setup {
    /// The frame.
    pub shell: Shell,
    /// What went wrong.
    pub notice: Option<Notice>,
    /// Name, password, password again.
    pub fields: Vec<Field>,
    /// Where it posts to: the one-time link itself.
    pub path: String,
}

/// Something is not there, not allowed, or broken: with a way on. For those inside.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/problem.html")]
pub struct Problem {
    /// The frame.
    pub shell: Shell,
    /// "Not found".
    pub title: String,
    /// What happened.
    pub text: String,
    /// What to do.
    pub advice: String,
    /// Where to go on.
    pub actions: Vec<Action>,
    /// To look it up in the server's log.
    pub request_id: String,
}

/// The same for those outside.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/problem_outside.html")]
pub struct ProblemOutside {
    /// The frame.
    pub shell: Shell,
    /// "Not found".
    pub title: String,
    /// What happened.
    pub text: String,
    /// What to do.
    pub advice: String,
    /// Where to go on.
    pub actions: Vec<Action>,
}
