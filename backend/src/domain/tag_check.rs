//! What a registry said that one of its tags stands for.

use jiff::Timestamp;

/// The last word of a registry about a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagCheck {
    /// With its registry and its tag: `docker.io/library/nginx:1.29`.
    pub reference: String,
    /// The last digest that it gave, and when.
    pub found: Option<(String, Timestamp)>,
    /// When it was asked last.
    pub checked_at: Timestamp,
    /// Why it gave none then.
    pub problem: Option<String>,
    /// How often in a row it gave none.
    pub n_failures: u32,
    /// Nobody asks before this by itself.
    pub next_at: Timestamp,
    /// The image that had the name here then; empty when none had it.
    pub image_id: String,
}
