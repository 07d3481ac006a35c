//! Failures as answers: a status, and a page or JSON that says what was tried, why it failed, and
//! what to do.
//!
//! A handler returns [`Error`]. Its answer carries a [`Problem`], which the middleware draws: only
//! there it is known what the request accepts and in which language.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::extract::Visit;
use super::present::{Reader, problems, told};
use crate::access::Refused;
use crate::access::session::SessionError;
use crate::domain::FieldError;
use crate::services;

/// The result of a handler.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request has no ordinary answer.
#[derive(Debug)]
pub enum Error {
    /// Nobody is logged in; pages lead to the log-in form.
    LoggedOut {
        /// Where to go on after the login; empty when that is not known.
        then: String,
        /// Whether a page was asked for, which a browser can be led away from.
        is_page: bool,
    },
    /// There is no such page, or no such thing for this person.
    NotFound,
    /// The request cannot be read.
    Malformed {
        /// What is wrong with it.
        message: String,
    },
    /// The request is larger than any form is.
    TooLarge,
    /// The request took longer to come than anybody needs to send it.
    TooSlow,
    /// The request comes from a page of another site.
    OtherSite,
    /// The actor may not.
    Refused(Refused),
    /// A service did not do it.
    Service(services::Error),
}

impl Error {
    /// Returns what a panic looks like from outside.
    pub(super) fn panicked() -> Self {
        Self::Service(services::Error::Internal(anyhow::anyhow!(
            "a handler panicked"
        )))
    }

    /// Returns the field that cannot be taken, if that is what went wrong: the handler shows its
    /// form again.
    ///
    /// # Errors
    /// With itself when it is anything else.
    pub fn into_field(self) -> std::result::Result<FieldError, Self> {
        match self {
            Self::Service(services::Error::Invalid(field)) => Ok(field),
            other => Err(other),
        }
    }
}

impl From<services::Error> for Error {
    fn from(error: services::Error) -> Self {
        match error {
            services::Error::NotFound { .. } => Self::NotFound,
            services::Error::Refused(refused) => Self::Refused(refused),
            other => Self::Service(other),
        }
    }
}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        Self::Service(error.into())
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// A failure as it is told.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The status of the answer.
    pub status: StatusCode,
    /// The key of its words in the message catalogue.
    pub key: &'static str,
    /// What the engine or a rule says about it, as [`services::Error::noted`] has it; empty when the
    /// words suffice.
    pub message: String,
    /// The permission that was missing, if that is what it is.
    pub refused: Option<Refused>,
}

/// Marks an answer that is drawn already, so that nothing draws over it.
pub(super) const IS_DRAWN: HeaderName = HeaderName::from_static("x-gantry-drawn");

impl Problem {
    /// The keys of all problems but those of an engine that is away.
    pub const KEYS: &[&'static str] = &[
        "problem-malformed",
        "problem-logged-out",
        "problem-not-allowed",
        "problem-other-site",
        "problem-not-found",
        "problem-conflict",
        "problem-too-large",
        "problem-too-often",
        "problem-too-slow",
        "problem-engine",
        "problem-unavailable",
        "problem-audit",
        "problem-internal",
    ];

    fn new(status: StatusCode, message: String) -> Self {
        Self {
            status,
            key: key_of(status),
            message,
            refused: None,
        }
    }

    /// Returns how a failure is told.
    pub(super) fn of(error: &Error) -> Self {
        use services::Error as E;
        match error {
            Error::LoggedOut { .. } => Self::new(StatusCode::UNAUTHORIZED, String::new()),
            Error::NotFound => Self::new(StatusCode::NOT_FOUND, String::new()),
            Error::Malformed { message } => Self::new(StatusCode::BAD_REQUEST, message.clone()),
            Error::TooLarge => Self::new(StatusCode::PAYLOAD_TOO_LARGE, String::new()),
            Error::TooSlow => Self::new(StatusCode::REQUEST_TIMEOUT, String::new()),
            Error::OtherSite => Self::new(StatusCode::FORBIDDEN, String::new()),
            Error::Refused(refused) => Self {
                key: "problem-not-allowed",
                refused: Some(refused.clone()),
                ..Self::new(StatusCode::FORBIDDEN, refused.permission.name().to_owned())
            },
            Error::Service(error) => {
                let message = error.noted();
                match error {
                    E::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, String::new()),
                    E::Conflict { .. } | E::InTheWay(_) | E::WentBack { .. } => {
                        Self::new(StatusCode::CONFLICT, message)
                    }
                    E::Invalid(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, message),
                    E::Refused(_) => Self::new(StatusCode::FORBIDDEN, message),
                    E::Engine { .. } => Self::new(StatusCode::BAD_GATEWAY, message),
                    E::Unavailable(diagnosis) => Self {
                        key: diagnosis.key(),
                        ..Self::new(
                            StatusCode::SERVICE_UNAVAILABLE,
                            diagnosis.subject().to_owned(),
                        )
                    },
                    E::Audit(_) => Self {
                        key: "problem-audit",
                        ..Self::new(StatusCode::INSUFFICIENT_STORAGE, String::new())
                    },
                    E::Internal(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, String::new()),
                }
            }
        }
    }
}

/// Returns the key of a status' words in the message catalogue.
pub(super) fn key_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => "problem-malformed",
        StatusCode::UNAUTHORIZED => "problem-logged-out",
        StatusCode::FORBIDDEN => "problem-other-site",
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "problem-not-found",
        StatusCode::CONFLICT => "problem-conflict",
        StatusCode::PAYLOAD_TOO_LARGE => "problem-too-large",
        StatusCode::TOO_MANY_REQUESTS => "problem-too-often",
        StatusCode::REQUEST_TIMEOUT => "problem-too-slow",
        StatusCode::BAD_GATEWAY => "problem-engine",
        StatusCode::SERVICE_UNAVAILABLE => "problem-unavailable",
        _ => "problem-internal",
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::LoggedOut {
            then,
            is_page: true,
        } = &self
        {
            let login = frontend::paths::Login;
            let next = frontend::paths::Value(then);
            let target = if then.is_empty() {
                login.to_string()
            } else {
                format!("{login}?next={next}")
            };
            return Redirect::to(&target).into_response();
        }
        if let Self::Service(error @ (services::Error::Internal(_) | services::Error::Audit(_))) =
            &self
        {
            tracing::error!(error = crate::errors::chain(error), "a request failed");
        }
        let problem = Problem::of(&self);
        let mut response = problem.status.into_response();
        response.extensions_mut().insert(problem);
        response
    }
}

/// Draws a problem as the request accepts it.
pub(super) fn draw(visit: &Visit, reader: &Reader, problem: &Problem) -> Response {
    let mut response = if visit.wants_json {
        let body = serde_json::json!({
            "problem": problem.key,
            "message": told(reader.words, &problem.message),
            "request": visit.request.as_str(),
        });
        (problem.status, Json(body)).into_response()
    } else {
        let html = problems::page(reader, problem, visit.request.as_str());
        (problem.status, Html(html)).into_response()
    };
    mark_drawn(&mut response);
    response
}

/// Marks an answer with a failing status that is a page already.
pub(super) fn mark_drawn(response: &mut Response) {
    let one = HeaderValue::from_static("1");
    response.headers_mut().insert(IS_DRAWN, one);
}
