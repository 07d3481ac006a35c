//! One outline icon out of the sprite. Always beside a word, or inside something with a label.

use askama::Template;
use askama::filters::HtmlSafe;

/// An icon by its name in `static/icons/list.txt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(path = "ui/icon.html")]
pub struct Icon {
    name: &'static str,
    digest: &'static str,
}

impl HtmlSafe for Icon {}

/// Returns an icon.
pub fn icon(name: &'static str) -> Icon {
    Icon {
        name,
        digest: crate::assets::DIGEST,
    }
}
