//! A definition without what says nothing.

use serde_json::Value;

/// What a document says beyond its defaults: empty, zero and false members are left out.
pub fn said(value: Value) -> Option<Value> {
    match value {
        Value::Object(members) => {
            let members = members.into_iter();
            let members: serde_json::Map<_, _> = members
                .filter_map(|(name, value)| Some((name, said(value)?)))
                .collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        // Within a list the place counts, so a list stays whole or goes.
        Value::Array(items) => {
            let is_empty = items.iter().all(|item| said(item.clone()).is_none());
            (!is_empty).then_some(Value::Array(items))
        }
        Value::String(text) => (!text.is_empty()).then_some(Value::String(text)),
        Value::Bool(yes) => yes.then_some(Value::Bool(yes)),
        Value::Number(number) if number.as_f64() == Some(0.0) => None,
        Value::Null => None,
        number @ Value::Number(_) => Some(number),
    }
}
