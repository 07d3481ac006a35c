//! The headers on every answer, errors included.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::extract::Visit;

/// What a page may load and do: everything from here, nothing inline, nothing in a frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const ALWAYS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // `no-referrer` would make browsers send `Origin: null` with our own forms.
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Puts the headers on every answer. What names no other rule of its own is not kept by anybody.
pub(super) async fn on_every_answer(visit: Visit, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        // A file of somebody else's has a stricter policy of its own: it may do nothing at all.
        let is_file = name == header::CONTENT_SECURITY_POLICY && headers.contains_key(&name);
        if !is_file {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if visit.is_secure {
        // Without `includeSubDomains` or `preload`: other names of this machine are not ours.
        let value = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
        demand_tls(headers);
    }
    keep_nothing(headers);
    response
}

/// A cookie that was set over TLS is never sent without it, whoever set it.
fn demand_tls(headers: &mut HeaderMap) {
    let header::Entry::Occupied(cookies) = headers.entry(header::SET_COOKIE) else {
        return;
    };
    let (_, cookies) = cookies.remove_entry_mult();
    for cookie in cookies.collect::<Vec<_>>() {
        let text = cookie.to_str().unwrap_or_default();
        let demands = text.split(';').any(|part| part.trim() == "Secure");
        let demanding = (!demands).then(|| HeaderValue::try_from(format!("{text}; Secure")).ok());
        headers.append(header::SET_COOKIE, demanding.flatten().unwrap_or(cookie));
    }
}

fn keep_nothing(headers: &mut HeaderMap) {
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
