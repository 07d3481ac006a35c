//! The `filters` query: which objects a list or a stream should show.

use std::collections::BTreeMap;

use serde_json::Value;

/// Conditions by key; those of one key are alternatives, keys are combined with *and*.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<String, Vec<String>>);

/// Why a filter cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Neither `{"key":["value"]}` nor `{"key":{"value":true}}`.
    #[error("invalid filter: {0}")]
    Malformed(String),
    /// A key that this list does not know.
    #[error("invalid filter '{0}'")]
    UnknownKey(String),
    /// A value that this key cannot have.
    #[error("invalid filter '{key}={value}'")]
    Value {
        /// The key.
        key: String,
        /// The value that was given.
        value: String,
    },
}

impl Filters {
    /// Reads the decoded value of the `filters` query; an empty one means no conditions.
    ///
    /// # Errors
    /// When it is of neither form, or names a key that is not in `known`.
    pub fn parse(text: &str, known: &[&str]) -> Result<Self, FilterError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let malformed = |why: String| FilterError::Malformed(why);
        let value: Value = serde_json::from_str(text).map_err(|e| malformed(e.to_string()))?;
        let members = match value {
            Value::Object(members) => members,
            Value::Null => return Ok(Self::default()),
            _ => return Err(malformed("expected an object".to_owned())),
        };
        let mut filters = BTreeMap::new();
        for (key, value) in members {
            if !known.contains(&key.as_str()) {
                return Err(FilterError::UnknownKey(key));
            }
            let values = values_of(value)
                .ok_or_else(|| malformed(format!("the values of {key:?} are not texts")))?;
            filters.insert(key, values);
        }
        Ok(Self(filters))
    }

    /// Returns filters that hold one more condition; used by callers that build a query.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.0
            .entry(key.to_owned())
            .or_default()
            .push(value.to_owned());
        self
    }

    /// Returns the values of a key, or none.
    pub fn values(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// Tells whether the key is absent or one of its values fulfils the condition.
    pub fn any(&self, key: &str, condition: impl Fn(&str) -> bool) -> bool {
        let values = self.values(key);
        values.is_empty() || values.iter().any(|value| condition(value))
    }

    /// Tells whether all `label` conditions hold: `key` is there, or `key=value` is so.
    pub fn labels_match(&self, labels: &BTreeMap<String, String>) -> bool {
        self.values("label")
            .iter()
            .all(|wanted| match wanted.split_once('=') {
                Some((key, value)) => labels.get(key).is_some_and(|v| v == value),
                None => labels.contains_key(wanted),
            })
    }

    /// Reads a key that holds one boolean.
    ///
    /// # Errors
    /// When a value is no boolean.
    pub fn truth(&self, key: &str) -> Result<Option<bool>, FilterError> {
        let Some(value) = self.values(key).first() else {
            return Ok(None);
        };
        match value.to_ascii_lowercase().as_str() {
            "1" | "true" | "t" => Ok(Some(true)),
            "0" | "false" | "f" => Ok(Some(false)),
            _ => Err(FilterError::Value {
                key: key.to_owned(),
                value: value.clone(),
            }),
        }
    }

    /// Tells whether there is no condition.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the newer of the two forms, for a query.
    pub fn to_json(&self) -> String {
        Value::from(
            self.0
                .iter()
                .map(|(key, values)| (key.clone(), Value::from(values.clone())))
                .collect::<serde_json::Map<_, _>>(),
        )
        .to_string()
    }
}

/// `["a","b"]`, or the older `{"a":true,"b":true}`, of which the false ones do not count.
fn values_of(value: Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.into_iter().map(text_of).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(text, on)| on.as_bool().map(|on| on.then_some(text)))
            .collect::<Option<Vec<_>>>()
            .map(|values| values.into_iter().flatten().collect()),
        _ => None,
    }
}

fn text_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["label", "status", "dangling"];

    #[test]
    fn both_forms_mean_the_same() {
        let newer = Filters::parse(r#"{"label":["a=b","c"]}"#, KNOWN).unwrap();
        let older = Filters::parse(r#"{"label":{"a=b":true,"c":true,"d":false}}"#, KNOWN).unwrap();
        assert_eq!(newer, older);
        assert_eq!(Filters::parse(&newer.to_json(), KNOWN).unwrap(), newer);
    }

    #[test]
    fn all_labels_must_hold_and_one_status_suffices() {
        let filters = Filters::parse(
            r#"{"label":["a=b","c"],"status":["exited","running"]}"#,
            KNOWN,
        )
        .unwrap();
        let mut labels = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        assert!(!filters.labels_match(&labels));
        labels.insert("c".to_owned(), String::new());
        assert!(filters.labels_match(&labels));
        assert!(filters.any("status", |s| s == "running"));
        assert!(!filters.any("status", |s| s == "paused"));
        assert!(filters.any("name", |_| false), "no condition holds always");
    }

    #[test]
    fn unknown_keys_and_other_shapes_are_refused() {
        assert_eq!(
            Filters::parse(r#"{"colour":["red"]}"#, KNOWN),
            Err(FilterError::UnknownKey("colour".to_owned()))
        );
        for bad in [
            "[",
            "[]",
            "3",
            r#"{"label":"a"}"#,
            r#"{"label":[1]}"#,
            r#"{"label":{"a":1}}"#,
        ] {
            assert!(
                matches!(Filters::parse(bad, KNOWN), Err(FilterError::Malformed(_))),
                "{bad}"
            );
        }
        assert!(Filters::parse("", KNOWN).unwrap().is_empty());
        assert!(Filters::parse("null", KNOWN).unwrap().is_empty());
    }
}
