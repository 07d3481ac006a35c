//! Foreign JSON: read within limits of length and depth.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};

/// Longest manifest, index or list of images.
pub(crate) const MANIFEST_BYTES_MAX: u64 = 4 << 20;
/// Longest configuration of an image.
pub(crate) const CONFIG_BYTES_MAX: u64 = 8 << 20;
const DEPTH_MAX: usize = 64;

/// A document of an image that is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is too long.
    #[error("the {what} is longer than {limit} bytes")]
    TooLong {
        /// Which document.
        what: &'static str,
        /// How long it may be.
        limit: u64,
    },
    /// It nests too deeply.
    #[error("the {what} nests deeper than {DEPTH_MAX} levels")]
    TooDeep {
        /// Which document.
        what: &'static str,
    },
    /// It is not JSON, or has not the shape that it should have.
    #[error("the {what} is malformed")]
    Malformed {
        /// Which document.
        what: &'static str,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// It is well-formed and says something that cannot be.
    #[error("the {what} is refused: {reason}")]
    Refused {
        /// Which document.
        what: &'static str,
        /// What it says.
        reason: String,
    },
}

/// Reads a document.
pub(crate) fn parse<T: DeserializeOwned>(
    bytes: &[u8],
    what: &'static str,
    limit: u64,
) -> Result<T, DocumentError> {
    if bytes.len() as u64 > limit {
        return Err(DocumentError::TooLong { what, limit });
    }
    if depth(bytes) > DEPTH_MAX {
        return Err(DocumentError::TooDeep { what });
    }
    serde_json::from_slice(bytes).map_err(|source| DocumentError::Malformed { what, source })
}

/// Go's writers say `null` where they mean "nothing of it".
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// How deep brackets nest, strings left out.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<serde_json::Value, DocumentError> {
        parse(text.as_bytes(), "manifest", 1000)
    }

    #[test]
    fn depth_and_length_have_limits() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(check(&nested(64)).is_ok());
        assert!(matches!(
            check(&nested(65)),
            Err(DocumentError::TooDeep { .. })
        ));
        assert!(matches!(
            check(&nested(400)),
            Err(DocumentError::TooDeep { .. })
        ));
        assert!(matches!(
            check(&nested(600)),
            Err(DocumentError::TooLong { .. })
        ));
        assert!(check(&format!("{:?}", "[".repeat(100))).is_ok());
        assert!(check(&format!(r#"["\"{}"]"#, "[".repeat(100))).is_ok());
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for text in [
            "",
            "{",
            "{\"a\":\"\\ud800\"}",
            "{} {}",
            "nul",
            "1e9999999999",
        ] {
            assert!(
                matches!(check(text), Err(DocumentError::Malformed { .. })),
                "{text}"
            );
        }
    }
}
