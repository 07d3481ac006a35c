//! From the bytes of a JSON body to a typed object, once and strictly.
//!
//! Guard and engine judge the same object: what two readers could understand differently (a key
//! twice, text after the end, a key in other letter case) is refused here. A `null` member counts
//! as absent, as in Docker's own reader; members nobody knows are ignored.

use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Why a body cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Not JSON, cut off, a key twice, or text after the end.
    #[error("invalid JSON: {0}")]
    Syntax(serde_json::Error),
    /// JSON, and not of the expected shape; the field is named.
    #[error("invalid body: {0}")]
    Shape(serde_path_to_error::Error<serde_json::Error>),
    /// A key in another letter case than the known one.
    #[error(transparent)]
    OtherCase(#[from] crate::options::OtherCase),
}

/// Reads a body into `T`.
///
/// # Errors
/// When it is no JSON, holds a key twice, goes on after its end, or has another shape.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyError> {
    shaped(&parse_value(bytes)?)
}

/// Reads a body into `T`, and refuses a key that differs from a known one in letter case only:
/// Docker's own reader would take it. `known` is the body with everything that it can hold.
///
/// # Errors
/// As [`parse`], or names the key and how it is written.
pub fn parse_known<T: DeserializeOwned>(bytes: &[u8], known: &Value) -> Result<T, BodyError> {
    let value = parse_value(bytes)?;
    crate::options::refuse_other_case(&value, known, &[])?;
    shaped(&value)
}

/// Reads a value into `T`.
///
/// # Errors
/// When it has another shape; the field is named.
pub fn shaped<T: DeserializeOwned>(value: &Value) -> Result<T, BodyError> {
    serde_path_to_error::deserialize(value).map_err(BodyError::Shape)
}

/// Reads a body whose emptiness means "all defaults".
///
/// # Errors
/// As [`parse_known`].
pub fn parse_or_default<T: DeserializeOwned + Default>(
    bytes: &[u8],
    known: &Value,
) -> Result<T, BodyError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(T::default());
    }
    parse_known(bytes, known)
}

/// Reads a body into a JSON value without `null` members.
///
/// # Errors
/// When it is no JSON, holds a key twice or goes on after its end.
pub fn parse_value(bytes: &[u8]) -> Result<Value, BodyError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict.deserialize(&mut reader).map_err(BodyError::Syntax)?;
    reader.end().map_err(BodyError::Syntax)?;
    Ok(value)
}

/// Builds a [`Value`] and refuses repeated keys, which `Value`'s own reader overwrites.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Strict)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut seen = std::collections::BTreeSet::new();
        let mut members = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Strict)?;
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format!("the key {key:?} is there twice")));
            }
            if !value.is_null() {
                members.insert(key, value);
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::containers::{ContainerConfig, CreateBody};

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for bad in [
            &br#"{"Image":"a","Image":"b"}"#[..],
            br#"{"Image":"a"} {"Image":"b"}"#,
            br#"{"HostConfig":{"Memory":1,"Memory":2}}"#,
            br#"{"x":{"y":1,"y":null}}"#,
            b"\xef\xbb\xbf{}",
            b"{",
            b"",
        ] {
            assert!(
                parse::<CreateBody>(bad).is_err(),
                "{}",
                String::from_utf8_lossy(bad)
            );
        }
    }

    #[test]
    fn null_counts_as_absent_and_unknown_members_are_ignored() {
        let body: CreateBody =
            parse(br#"{"Image":"a","Env":null,"Labels":null,"Nobody":{"a":[1]}}"#).unwrap();
        assert_eq!(body.config.image, "a");
        assert_eq!(body.config.env, None);
    }

    #[test]
    fn a_wrong_type_names_its_field() {
        for (body, field) in [(&br#"{"Image":7}"#[..], "Image"), (br#"{"Cmd":7}"#, "Cmd")] {
            let message = parse::<ContainerConfig>(body).err().map(|e| e.to_string());
            assert!(
                message.as_ref().is_some_and(|text| text.contains(field)),
                "{message:?}"
            );
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        let deep = "[".repeat(100_000);
        assert!(parse_value(deep.as_bytes()).is_err());
    }
}
