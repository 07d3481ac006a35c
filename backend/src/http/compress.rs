//! Pages are compressed as they are drawn; the assets were when they were built.
//!
//! Compression tells by an answer's length whether one part of it repeats another (BREACH). Who
//! makes a victim's browser ask many times, has words of their own repeated in the answer and sees
//! how long it gets, can so guess a secret beside them, letter by letter. Therefore:
//!
//! - No page holds a token: a change is judged by where it comes from (`Origin`, `Sec-Fetch-Site`),
//!   and the session is in a cookie, whose header is not part of what is compressed.
//! - An answer that does hold a secret is sent [`as_is`]: the values of an environment that somebody
//!   reveals, the set-up link, and the lines of a log, in which strangers may have written.
//! - Only HTML and JSON of ours are compressed: no download, no stream.
//!
//! What is left are pages of names and numbers, which another site cannot ask for with the cookie
//! (`SameSite`) but by leading the whole tab there.
//!
//! It is gzip, not brotli: a page of fifty rows differs by a few hundred bytes, and brotli's window
//! is megabytes for each answer under way.

use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};
use axum::response::Response;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, Predicate as _, SizeAbove};

/// What is smaller than a packet is not made faster by compression.
const LEAST_BYTES: u64 = 1024;
/// Most of the gain for little of the time.
const LEVEL: i32 = 5;

/// Says of an answer whether it may be compressed.
type Choice = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

/// Marks an answer that holds a secret.
#[derive(Clone, Copy)]
struct AsIs;

/// Returns what compresses the answers.
pub(super) fn layer() -> CompressionLayer<And<SizeAbove, Choice>> {
    let choice: Choice = |_, _, headers, extensions| is_page(headers, extensions);
    CompressionLayer::new()
        .no_br()
        .quality(CompressionLevel::Precise(LEVEL))
        .compress_when(SizeAbove::new(LEAST_BYTES).and(choice))
}

/// Keeps an answer from being compressed, because it holds a secret.
pub(super) fn as_is(mut response: Response) -> Response {
    response.extensions_mut().insert(AsIs);
    response
}

fn is_page(headers: &HeaderMap, extensions: &Extensions) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let is_ours = kind.starts_with("text/html") || kind.starts_with("application/json");
    is_ours && extensions.get::<AsIs>().is_none()
}
