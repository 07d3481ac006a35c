//! What is taken away: a body that the browser keeps and never shows.

use std::io;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use frontend::paths::Value;
use futures_util::stream::BoxStream;

/// What is taken away is nobody's page: no script in it runs, and it loads nothing.
const POLICY: &str = "sandbox; default-src 'none'";

/// Answers with a file of this name and kind.
pub(super) fn download(
    name: &str,
    kind: &'static str,
    size_bytes: Option<u64>,
    bytes: BoxStream<'static, io::Result<Bytes>>,
) -> Response {
    let mut response = Body::from_stream(bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_DISPOSITION, attachment(name));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    if let Some(size_bytes) = size_bytes {
        headers.insert(header::CONTENT_LENGTH, size_bytes.into());
    }
    response
}

/// A file to keep, never to show, under a name that cannot leave its header.
fn attachment(name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .take(150)
        .map(|sign| match sign {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' => sign,
            _ => '_',
        })
        .collect();
    let whole = format!(
        "attachment; filename=\"{plain}\"; filename*=UTF-8''{}",
        // A colon may stand in a query and not here.
        Value(name).to_string().replace(':', "%3A")
    );
    HeaderValue::try_from(whole).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_header() {
        let value = attachment("a\"b\r\nX: y;<é>.txt");
        assert_eq!(
            value.to_str().unwrap(),
            "attachment; filename=\"a_b__X__y____.txt\"; \
             filename*=UTF-8''a%22b%0D%0AX%3A%20y%3B%3C%C3%A9%3E.txt"
        );
    }
}
