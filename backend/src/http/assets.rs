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
    let twins = [("br", asset.brotli), ("gzip", asset.gzip)];
    let chosen = twins
        .into_iter()
        .find_map(|(coding, twin)| Some((coding, twin.filter(|_| accepts(&headers, coding))?)));
    let mut response = chosen.map_or(asset.bytes, |(_, twin)| twin).into_response();
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
    if let Some((coding, _)) = chosen {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    accepted.is_some_and(|list| {
        list.split(',').any(|item| {
            let (name, weight) = item.split_once(';').unwrap_or((item, ""));
            let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
            name.trim().eq_ignore_ascii_case(coding)
                && weight.parse().is_ok_and(|weight: f32| weight > 0.0)
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
    fn a_coding_is_sent_only_to_who_takes_it() {
        assert!(accepts(&with_encoding("gzip, deflate, br"), "br"));
        assert!(accepts(&with_encoding("br;q=0.5"), "br"));
        assert!(!accepts(&with_encoding("gzip, br;q=0"), "br"));
        assert!(!accepts(&with_encoding("gzip, br;q=0.000"), "br"));
        assert!(!accepts(&with_encoding("gzip"), "br"));
        assert!(!accepts(&HeaderMap::new(), "gzip"));
    }

    #[tokio::test]
    async fn a_file_comes_as_small_as_the_browser_can_take_it() {
        for (accepted, coding) in [
            ("gzip, deflate, br", Some("br")),
            ("gzip, deflate", Some("gzip")),
            ("identity", None),
        ] {
            let asked = Path((assets::DIGEST.to_owned(), "app.css".to_owned()));
            let response = file(Anyone, asked, with_encoding(accepted)).await;
            let given = response.headers().get(header::CONTENT_ENCODING);
            assert_eq!(given.and_then(|value| value.to_str().ok()), coding);
        }
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
