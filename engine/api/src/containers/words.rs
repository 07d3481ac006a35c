//! A command line on the wire: a list of words, or one text that is one word.

use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
enum Words {
    List(Vec<String>),
    One(String),
}

/// Reads a list of words; one text stands for a list of one, as in Docker's reader.
///
/// # Errors
/// When it is neither.
pub fn words<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(
        Option::<Words>::deserialize(reader)?.map(|words| match words {
            Words::List(list) => list,
            Words::One(text) => vec![text],
        }),
    )
}
