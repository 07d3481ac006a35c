//! How to do from elsewhere what the buttons of a page do: by command, by API call.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Icon, icon};
use crate::words::Words;

/// A menu with one recipe for each action of a page.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "ui/recipes.html")]
pub struct Recipes {
    /// Language.
    pub words: Words,
    /// One for each action.
    pub recipes: Vec<Recipe>,
}

impl HtmlSafe for Recipes {}

/// One action from elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipe {
    /// The word on the button.
    pub label: String,
    /// Its icon.
    pub icon: &'static str,
    /// The line for a shell with the `docker` command.
    pub command: String,
    /// The line for a shell with `curl`.
    pub call: String,
}

impl Recipes {
    fn symbol(&self) -> Icon {
        icon("square-terminal")
    }
}
