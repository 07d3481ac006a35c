//! One's own account, and the people of this server.

use askama::Template;

use crate::format::Moment;
use crate::shell::Shell;
use crate::ui::{Action, Field};

/// One's own account.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/account.html")]
pub struct Account {
    /// The frame.
    pub shell: Shell,
    /// Old, new, new again.
    pub password: Vec<Field>,
    /// Language and theme.
    pub look: Vec<Field>,
    /// Where one is logged in.
    pub sessions: Vec<SessionRow>,
}

impl Account {
    fn has_others(&self) -> bool {
        self.sessions.iter().any(|session| !session.current)
    }
}

/// One place where one is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Which, for ending it.
    pub key: String,
    /// The browser of the login.
    pub browser: String,
    /// The address of the login.
    pub address: String,
    /// When the login was.
    pub since: Moment,
    /// Last used.
    pub seen: Moment,
    /// Whether it is this one.
    pub current: bool,
}

/// The people of this server.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/people.html")]
pub struct People {
    /// The frame.
    pub shell: Shell,
    /// All accounts.
    pub rows: Vec<PersonRow>,
    /// Name, password, role; or the reason why nobody can be added.
    pub add: Result<Vec<Field>, String>,
}

/// One person.
#[derive(Debug, Clone)]
pub struct PersonRow {
    /// Name.
    pub name: String,
    /// Role, in words.
    pub role: String,
    /// When added.
    pub since: Moment,
    /// What can be done.
    pub actions: Vec<Action>,
}
