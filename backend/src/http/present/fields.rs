//! Fields of the small forms, and broken rules in words.

use frontend::Words;
use frontend::ui::{Choice, Field, Kind};

use crate::domain::FieldError;

/// Returns a field of a form: its name, and the key of its label.
pub fn field(words: Words, name: &'static str, label: &str) -> Field {
    Field {
        name,
        label: words.t(label),
        ..Field::default()
    }
}

/// Returns a password field.
pub fn password(
    words: Words,
    name: &'static str,
    label: &str,
    autocomplete: &'static str,
) -> Field {
    Field {
        kind: Kind::Password,
        required: true,
        autocomplete,
        ..field(words, name, label)
    }
}

/// Returns a choice of a form.
pub fn choice(
    words: Words,
    name: &'static str,
    label: &str,
    value: &str,
    choices: Vec<(String, String)>,
) -> Field {
    let choices = choices
        .into_iter()
        .map(|(value, label)| Choice { value, label });
    Field {
        kind: Kind::Choice(choices.collect()),
        value: value.to_owned(),
        ..field(words, name, label)
    }
}

/// Returns the broken rule alone.
pub fn rule(words: Words, error: &FieldError) -> String {
    let values = error.rule.values();
    let values: Vec<_> = values
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    words.with(error.rule.key(), &values)
}

/// Returns "Field: rule", as it stands beside the field of that label.
pub fn sentence(words: Words, label: &str, error: &FieldError) -> String {
    format!("{label}: {}", rule(words, error))
}

/// Puts an error beside its field. Returns it as a sentence when it is about no field of these.
pub fn mark(words: Words, fields: &mut [Field], error: Option<&FieldError>) -> Option<String> {
    let error = error?;
    match fields.iter_mut().find(|field| field.name == error.field) {
        Some(field) => {
            field.error = Some(sentence(words, &field.label, error));
            None
        }
        None => Some(rule(words, error)),
    }
}
