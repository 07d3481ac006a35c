//! What a registry's answer means, from its status and its words.

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::Deserialize;

use super::client::Session;
use super::error::RegistryError;

const ERROR_BYTES_MAX: usize = 64 << 10;

/// Reads a whole answer that should be short.
pub(super) async fn read_capped(
    mut response: Response,
    max_bytes: usize,
    host: &str,
) -> Result<Vec<u8>, RegistryError> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await;
        let chunk = chunk.map_err(|error| RegistryError::from_request(host.to_owned(), error))?;
        let Some(chunk) = chunk else {
            return Ok(body);
        };
        body.extend_from_slice(&chunk);
        if body.len() > max_bytes {
            let reason = "its answer is too long";
            return Err(RegistryError::Protocol {
                host: host.to_owned(),
                reason,
            });
        }
    }
}

pub(super) fn refused(session: &Session) -> RegistryError {
    if session.credentials.is_some() {
        return RegistryError::Unauthorized {
            host: session.host(),
        };
    }
    session.denied()
}

pub(super) async fn accepted(
    session: &Session,
    response: Response,
) -> Result<Response, RegistryError> {
    let host = session.host();
    match response.status() {
        status if status.is_success() => Ok(response),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(session.denied()),
        StatusCode::TOO_MANY_REQUESTS => Err(RegistryError::RateLimited {
            host,
            after_s: retry_after_s(response.headers()),
        }),
        StatusCode::NOT_FOUND => {
            let body = read_capped(response, ERROR_BYTES_MAX, &host)
                .await
                .unwrap_or_default();
            if String::from_utf8_lossy(&body).contains("NAME_UNKNOWN") {
                return Err(session.denied());
            }
            Err(RegistryError::NotFound {
                reference: session.reference.familiar(),
            })
        }
        status => {
            let body = read_capped(response, ERROR_BYTES_MAX, &host)
                .await
                .unwrap_or_default();
            Err(RegistryError::Status {
                host,
                status: status.as_u16(),
                message: message(&body),
            })
        }
    }
}

fn retry_after_s(headers: &HeaderMap) -> Option<u64> {
    let text = |name| headers.get(name)?.to_str().ok();
    let seconds = text(RETRY_AFTER.as_str()).or_else(|| text("ratelimit-reset"))?;
    seconds.split(';').next()?.trim().parse().ok()
}

/// What a registry says about an error: its first message, short and on one line.
fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        #[serde(default)]
        message: String,
    }
    let errors = serde_json::from_slice::<Errors>(body).map(|errors| errors.errors);
    let first = errors
        .unwrap_or_default()
        .into_iter()
        .next()
        .map(|error| error.message);
    first
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect()
}
