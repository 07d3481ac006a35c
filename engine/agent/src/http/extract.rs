//! What handlers read from a request: query values, bodies, the version spoken.

use std::str::FromStr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use engine_api::body;
use engine_api::error::ErrorKind;
use engine_api::filter::Filters;
use engine_api::query::truth;
use engine_api::version::{ApiVersion, NEWEST};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use serde::de::DeserializeOwned;

use super::error::{ApiError, Result};

/// Most bytes of a JSON body: a create with a megabyte of command line fits.
const BODY_MAX_BYTES: usize = 8 << 20;

/// How long a body that nobody needs may take to arrive.
const DRAIN_DEADLINE: Duration = Duration::from_secs(2);

/// The query's values by name; of a repeated name the first counts, as in Go's readers.
#[derive(Debug, Default)]
pub(super) struct Values(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Values {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let values = Query::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|e| ApiError::bad_request(format!("invalid query: {e}")))?;
        Ok(Self(values.0))
    }
}

impl Values {
    /// Returns a value, if it is there and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    /// Returns every value of a name that may be repeated.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let named = self.0.iter().filter(|(key, _)| key == name);
        named.map(|(_, value)| value.clone()).collect()
    }

    /// Returns a boolean; absent is false.
    pub(super) fn truth(&self, name: &str) -> bool {
        self.text(name).is_some_and(truth)
    }

    /// Returns a number.
    ///
    /// # Errors
    /// When the value is none, or out of range.
    pub(super) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(ApiError::bad_request(format!(
                "invalid value {text:?} of {name}"
            ))),
        }
    }

    /// Returns the filters.
    ///
    /// # Errors
    /// When they are malformed or name an unknown key.
    pub(super) fn filters(&self, known: &[&str]) -> Result<Filters> {
        Filters::parse(self.text("filters").unwrap_or_default(), known)
            .map_err(|e| ApiError::bad_request(e.to_string()))
    }
}

/// The bytes of a JSON body, not parsed yet.
#[derive(Debug)]
pub(super) struct JsonBytes(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        read(request.into_body()).await.map(Self)
    }
}

impl JsonBytes {
    /// Reads them as one thing.
    ///
    /// # Errors
    /// When they are no JSON, or have another shape.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        body::parse(&self.0).map_err(|error| ApiError::bad_request(error.to_string()))
    }
}

/// Reads a JSON body up to the limit.
///
/// # Errors
/// When it is longer, or breaks off.
pub(super) async fn read(body: Body) -> Result<Bytes> {
    let too_large = || {
        let message = format!("the body is longer than {BODY_MAX_BYTES} bytes");
        ApiError::new(ErrorKind::TooLarge, message)
    };
    if body.size_hint().lower() > BODY_MAX_BYTES as u64 {
        return Err(too_large());
    }
    match Limited::new(body, BODY_MAX_BYTES).collect().await {
        Ok(bytes) => Ok(bytes.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => Err(ApiError::bad_request(format!(
            "the body broke off: {error}"
        ))),
    }
}

/// Reads and forgets a body before a refusal: a client that still writes would see a broken pipe
/// instead of the answer. What is too long or too slow for that is left.
pub(super) async fn drain(body: Body) {
    let read = Limited::new(body, BODY_MAX_BYTES).collect();
    // Whatever comes of it, the answer is the same.
    let _ = tokio::time::timeout(DRAIN_DEADLINE, read).await;
}

/// The version that the request speaks, put there by the door.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spoken(pub(super) ApiVersion);

impl<S: Send + Sync> FromRequestParts<S> for Spoken {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> std::result::Result<Self, Self::Rejection> {
        Ok(parts
            .extensions
            .get::<Self>()
            .copied()
            .unwrap_or(Self(NEWEST)))
    }
}
