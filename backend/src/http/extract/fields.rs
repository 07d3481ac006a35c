//! The fields of a form, kept as typed: what cannot be taken is shown again.

use axum::Form;
use axum::extract::{FromRequest, Request};

use crate::http::Error;

/// More fields than any form of ours has.
const MOST_FIELDS: usize = 2_000;

/// The fields of a form, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Returns the fields of these names and values.
    pub const fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// Returns a field's value, or an empty text.
    pub fn text(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(field, _)| field == name)
            .map_or("", |(_, value)| value)
    }

    /// Returns every value of a field that may be there more than once.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let of_name = self.0.iter().filter(|(field, _)| field == name);
        of_name.map(|(_, value)| value.as_str()).collect()
    }

    /// Tells whether a box is ticked.
    pub fn is_set(&self, name: &str) -> bool {
        !matches!(self.text(name), "" | "0" | "false" | "off")
    }

    /// Returns all fields, in their order.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let malformed = |message: String| Error::Malformed { message };
        match Form::<Vec<(String, String)>>::from_request(request, state).await {
            Ok(Form(pairs)) if pairs.len() <= MOST_FIELDS => Ok(Self(pairs)),
            Ok(_) => Err(malformed(format!("more than {MOST_FIELDS} fields"))),
            Err(rejection) => Err(malformed(rejection.body_text())),
        }
    }
}
