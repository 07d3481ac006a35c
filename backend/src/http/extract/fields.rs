//! The fields of a form, kept as typed: what cannot be taken is shown again.

use std::time::Duration;

use axum::Form;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;

use crate::http::Error;

/// More fields than any form of ours has.
const MOST_FIELDS: usize = 2_000;
/// A form is short: one that takes so long is sent to hold a connection.
const FORM_TIME: Duration = Duration::from_secs(60);

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
        read(request, state, FORM_TIME).await
    }
}

async fn read<S: Send + Sync>(
    request: Request,
    state: &S,
    within: Duration,
) -> Result<Fields, Error> {
    let malformed = |message: String| Error::Malformed { message };
    let form = Form::<Vec<(String, String)>>::from_request(request, state);
    match tokio::time::timeout(within, form).await {
        Ok(Ok(Form(pairs))) if pairs.len() <= MOST_FIELDS => Ok(Fields(pairs)),
        Ok(Ok(_)) => Err(malformed(format!("more than {MOST_FIELDS} fields"))),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(Error::TooLarge)
        }
        Ok(Err(rejection)) => Err(malformed(rejection.body_text())),
        Err(_) => Err(Error::TooSlow),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, Bytes};
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_form_that_comes_byte_by_byte_is_not_waited_for() {
        let drops = stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"a")), ()))
        });
        let request = Request::post("/login")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from_stream(drops))
            .unwrap();

        let refused = read(request, &(), Duration::from_millis(50)).await;

        assert!(matches!(refused, Err(Error::TooSlow)), "{refused:?}");
    }
}
