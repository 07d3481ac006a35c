//! The css, scripts, fonts and icons, as they were compiled in.
//!
//! The address carries the digest of all files, so a browser keeps each for a year and never asks
//! again; the next version of Gantry has other addresses.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use frontend::assets;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::extract::Anyone;

/// Serves one file.
pub(super) async fn file(
    _: Anyone,
    Path((digest, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = assets::find(&path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let compressed = asset.brotli.filter(|_| accepts_brotli(&headers));
    let mut response = compressed.unwrap_or(asset.bytes).into_response();
    let answer = response.headers_mut();
    answer.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(asset.content_type),
    );
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    // A page from before an update may ask with the old digest: it gets today's file, unkept.
    let keep = if digest == assets::DIGEST {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    if compressed.is_some() {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    response
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    accepted.is_some_and(|list| {
        list.split(',').any(|item| {
            let (name, weight) = item.split_once(';').unwrap_or((item, ""));
            name.trim().eq_ignore_ascii_case("br") && weight.trim() != "q=0"
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_encoding(text: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(text));
        headers
    }

    #[test]
    fn brotli_is_sent_only_to_who_takes_it() {
        assert!(accepts_brotli(&with_encoding("gzip, deflate, br")));
        assert!(accepts_brotli(&with_encoding("br;q=0.5")));
        assert!(!accepts_brotli(&with_encoding("gzip, br;q=0")));
        assert!(!accepts_brotli(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn a_file_is_kept_for_a_year_under_its_own_digest_only() {
        let path = assets::FILES
            .first()
            .expect("the bundle has files")
            .path
            .to_owned();
        for (digest, keep) in [(assets::DIGEST, "immutable"), ("0ld", "no-cache")] {
            let asked = Path((digest.to_owned(), path.clone()));
            let response = file(Anyone, asked, HeaderMap::new()).await;
            let value = response.headers()[header::CACHE_CONTROL]
                .to_str()
                .expect("text");
            assert!(value.contains(keep), "{digest}: {value}");
        }
        let missing = Path((assets::DIGEST.to_owned(), "../Cargo.toml".to_owned()));
        assert_eq!(
            file(Anyone, missing, HeaderMap::new()).await.status(),
            StatusCode::NOT_FOUND
        );
    }
}
