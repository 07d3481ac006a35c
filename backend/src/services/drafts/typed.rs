//! The create form as it was typed.

use std::collections::BTreeMap;

/// What is in each field of the create form, by its `name`; empty means "as the image and the
/// engine say". All text, so that nothing typed is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed(BTreeMap<String, String>);

impl Typed {
    /// Returns a form of these names and values.
    pub fn of<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let pairs = pairs.into_iter();
        Self(pairs.map(|(n, v)| (n.into(), v.into())).collect())
    }

    /// Returns what is in a field.
    pub fn text(&self, field: &str) -> &str {
        self.0.get(field).map_or("", String::as_str)
    }

    /// Fills a field.
    pub fn set(&mut self, field: &str, text: String) {
        self.0.insert(field.to_owned(), text);
    }

    /// Returns every field that holds something.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self
            .0
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()));
        pairs.filter(|(_, text)| !text.is_empty())
    }

    /// Adds an item to a field.
    pub(super) fn add(&mut self, field: &str, between: &str, item: &str) {
        let text = self.0.entry(field.to_owned()).or_default();
        if !text.is_empty() {
            text.push_str(between);
        }
        text.push_str(item);
    }
}
