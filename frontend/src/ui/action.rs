//! Something that can be done, or the reason why it cannot.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Icon, icon};

/// A link or a posting button. Posting buttons belong to the one empty form `act` of the layout, so
/// they may stand anywhere, also inside other forms' tables.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/action.html")]
pub struct Action {
    /// The word on it.
    pub label: String,
    /// Its icon.
    pub icon: &'static str,
    /// Where it goes.
    pub path: String,
    /// How it goes there.
    pub method: Method,
    /// How it looks.
    pub look: Look,
    /// Whether the icon stands alone (the label becomes the accessible name).
    pub bare: bool,
    /// Whether it may be used.
    pub state: State,
    /// Where a post returns to, when not to the thing itself.
    pub back: String,
    /// Whether a post leads to the page that answers, instead of being done from this one.
    pub leads_on: bool,
}

impl HtmlSafe for Action {}

/// How an action goes to its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A link to a page.
    Link,
    /// A link to a page that asks; a script shows its dialog over this page.
    Ask,
    /// A post.
    Post,
}

/// How an action looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A bordered button.
    Plain,
    /// The one thing to do here.
    Primary,
    /// Destroys something.
    Danger,
    /// No border: in rows.
    Quiet,
    /// A line of a menu.
    Item,
}

/// Whether an action may be used now, by this person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It may.
    Ready,
    /// It may not, and this is why.
    Blocked(String),
}

impl Action {
    /// A posting button.
    pub fn post(label: String, icon: &'static str, path: String) -> Action {
        Action {
            method: Method::Post,
            ..Action::link(label, icon, path)
        }
    }

    /// A link that looks like a button.
    pub fn link(label: String, icon: &'static str, path: String) -> Action {
        Action {
            label,
            icon,
            path,
            method: Method::Link,
            look: Look::Plain,
            bare: false,
            state: State::Ready,
            back: String::new(),
            leads_on: false,
        }
    }

    /// A link to a page that asks first.
    pub fn ask(label: String, icon: &'static str, path: String) -> Action {
        Action {
            method: Method::Ask,
            look: Look::Danger,
            ..Action::link(label, icon, path)
        }
    }

    /// The same action, looking so.
    pub fn look(self, look: Look) -> Action {
        Action { look, ..self }
    }

    /// The same action as a small icon in a row, returning to the list after a post.
    pub fn in_row(self, back: &str) -> Action {
        Action {
            look: Look::Quiet,
            bare: true,
            back: back.to_owned(),
            ..self
        }
    }

    /// The same action, shown on the page that answers it.
    pub fn on_its_page(self) -> Action {
        Action {
            leads_on: true,
            ..self
        }
    }

    /// The same action, blocked when there is a reason.
    pub fn unless(self, reason: Option<String>) -> Action {
        match reason {
            Some(reason) => Action {
                state: State::Blocked(reason),
                ..self
            },
            None => self,
        }
    }

    fn symbol(&self) -> Icon {
        icon(self.icon)
    }

    fn class(&self) -> &'static str {
        match (self.look, self.bare) {
            (Look::Plain, false) => "button",
            (Look::Plain, true) => "button button--icon",
            (Look::Primary, _) => "button button--primary",
            (Look::Danger, false) => "button button--danger",
            (Look::Danger, true) => "button button--danger button--icon",
            (Look::Quiet, false) => "button button--quiet",
            (Look::Quiet, true) => "button button--quiet button--icon button--small",
            (Look::Item, _) => "menu__item",
        }
    }
}
