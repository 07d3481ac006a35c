//! From what an error means to a status and Docker's error body; logged here and nowhere else.

use axum::http::StatusCode;
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
}

/// The result of every handler.
pub(super) type Result<T, E = ApiError> = std::result::Result<T, E>;

impl ApiError {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
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
        Self { kind, message }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if self.kind == ErrorKind::NotModified {
            return status.into_response();
        }
        (
            status,
            axum::Json(ErrorBody {
                message: self.message,
            }),
        )
            .into_response()
    }
}
