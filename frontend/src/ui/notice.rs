//! A sentence about what happened: to what, why, what to do.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Icon, Tone, icon};

/// A notice above the content.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "ui/notice.html")]
pub struct Notice {
    /// Running means done, Failed means it failed.
    pub tone: Tone,
    /// The sentence.
    pub text: String,
    /// Where to go on, as label and address.
    pub link: Option<(String, String)>,
}

impl HtmlSafe for Notice {}

impl Notice {
    /// Something was done.
    pub fn done(text: String) -> Notice {
        Notice {
            tone: Tone::Running,
            text,
            link: None,
        }
    }

    /// Something was done, and there is more to know about it.
    pub fn warned(text: String) -> Notice {
        Notice {
            tone: Tone::Warn,
            text,
            link: None,
        }
    }

    /// Something failed.
    pub fn failed(text: String) -> Notice {
        Notice {
            tone: Tone::Failed,
            text,
            link: None,
        }
    }

    fn class(&self) -> &'static str {
        match self.tone {
            Tone::Running => "notice notice--done",
            Tone::Warn => "notice notice--warn",
            Tone::Failed => "notice notice--failed",
            Tone::Busy | Tone::Idle => "notice",
        }
    }

    fn symbol(&self) -> Icon {
        icon(match self.tone {
            Tone::Running => "circle-check",
            Tone::Warn | Tone::Failed => "triangle-alert",
            Tone::Busy | Tone::Idle => "info",
        })
    }

    fn role(&self) -> &'static str {
        if self.tone == Tone::Failed {
            "alert"
        } else {
            "status"
        }
    }
}
