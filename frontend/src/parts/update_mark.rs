//! How something stands against its registry: a badge, its age, and the way on.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::ui::Badge;

/// The mark, beside an image's name.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/update_mark.html")]
pub struct UpdateMark {
    /// The state.
    pub badge: Badge,
    /// "Checked 2 hours ago", or why it could not be checked; may be empty.
    pub note: String,
    /// What to do about it: a word and where it leads.
    pub way: Option<(String, String)>,
}

impl HtmlSafe for UpdateMark {}
