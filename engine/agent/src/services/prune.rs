//! Which things a prune takes: the filters that all prunes share.

use std::collections::BTreeMap;

use engine_api::filter::Filters;

use super::error::{Result, ServiceError};
use super::time;

/// The filters of a prune, read.
pub(super) struct Selection<'f> {
    filters: &'f Filters,
    until_ns: Option<i64>,
}

impl<'f> Selection<'f> {
    /// Reads the filters.
    ///
    /// # Errors
    /// When `until` is no moment, or is given twice.
    pub(super) fn new(filters: &'f Filters, now_ns: i64) -> Result<Self> {
        let until_ns = moment(filters.values("until"), now_ns)?;
        Ok(Self { filters, until_ns })
    }

    /// Says whether something made then, with these labels, is chosen.
    pub(super) fn takes(&self, created_ns: i64, labels: &BTreeMap<String, String>) -> bool {
        let unwanted = self.filters.values("label!");
        let is_unwanted = |wanted: &String| match wanted.split_once('=') {
            Some((key, value)) => labels.get(key).is_some_and(|own| own == value),
            None => labels.contains_key(wanted),
        };
        self.until_ns.is_none_or(|until| created_ns < until)
            && self.filters.labels_match(labels)
            && (unwanted.is_empty() || !unwanted.iter().all(is_unwanted))
    }
}

/// Reads the moment of a filter that may be given once.
///
/// # Errors
/// When it is no moment, or is given twice.
pub(super) fn moment<'t>(
    texts: impl IntoIterator<Item = &'t String>,
    now_ns: i64,
) -> Result<Option<i64>> {
    let mut texts = texts.into_iter();
    let read = |text: &String| {
        time::parse(text, now_ns).map_err(|error| {
            ServiceError::BadRequest(format!("invalid value of the filter until: {error}"))
        })
    };
    let first = texts.next().map(read).transpose()?;
    if texts.next().is_some() {
        let message = "more than one until filter specified";
        return Err(ServiceError::BadRequest(message.to_owned()));
    }
    Ok(first)
}

/// What the event of a prune carries.
pub(super) fn reclaimed(bytes: u64) -> BTreeMap<String, String> {
    BTreeMap::from([("reclaimed".to_owned(), bytes.to_string())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_and_labels_choose() {
        let labels = BTreeMap::from([("tier".to_owned(), "front".to_owned())]);
        let takes = |key: &str, value: &str| {
            let filters = Filters::default().with(key, value);
            let selection = Selection::new(&filters, 10_000_000_000).unwrap();
            selection.takes(5_000_000_000, &labels)
        };
        assert!(takes("label", "tier") && takes("label", "tier=front"));
        assert!(!takes("label", "tier=back") && !takes("label", "other"));
        assert!(!takes("label!", "tier") && takes("label!", "tier=back"));
        assert!(takes("until", "6") && !takes("until", "4") && takes("until", "1s"));
        let filters = Filters::default().with("until", "soon");
        assert!(Selection::new(&filters, 0).is_err());
    }
}
