//! From what an error means to a status and Docker's error body; logged here and nowhere else.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine_api::error::{ErrorBody, ErrorKind};

use crate::services::error::{ServiceError, chain, is_full};

/// What to do about a full disk, whatever else is said.
const ROOM: &str = "make room";

/// The error of every handler.
#[derive(Debug)]
pub(super) struct ApiError {
    kind: ErrorKind,
    message: String,
    /// In how many seconds it may be tried again, where somebody says so.
    retry_after_s: Option<u64>,
}

/// The result of every handler.
pub(super) type Result<T, E = ApiError> = std::result::Result<T, E>;

impl ApiError {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_after_s: None,
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadRequest, message)
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        let kind = error.kind();
        let mut message = chain(&error);
        if is_full(&error) && !message.contains(ROOM) {
            message =
                format!("{message}: remove images or containers that nobody needs, or {ROOM}");
        }
        if kind == ErrorKind::Internal {
            tracing::error!(message, "an operation failed");
        }
        let retry_after_s = match error {
            ServiceError::RateLimited { after_s, .. } => after_s,
            _ => None,
        };
        Self {
            kind,
            message,
            retry_after_s,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if self.kind == ErrorKind::NotModified {
            return status.into_response();
        }
        let message = self.message;
        let mut response = (status, axum::Json(ErrorBody { message })).into_response();
        if let Some(seconds) = self.retry_after_s {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
