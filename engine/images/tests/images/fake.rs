//! A registry that does what a test tells it to, and remembers what it was asked.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine_images::Digest;
use futures_util::{StreamExt, stream};

use crate::world::Made;

/// How a registry answers when it is asked for one thing.
#[derive(Clone)]
pub(crate) enum Conduct {
    /// A status, headers and a body.
    Say(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Only so much of the body, then the connection ends. Ranges are understood.
    CutAfter(usize),
    /// As above, and ranges are not understood.
    CutAfterWithoutRanges(usize),
    /// Only so much of the body, then nothing, with the connection open.
    StallAfter(usize),
    /// What it is asked for, after a while.
    Slow(Duration),
}

#[derive(Clone, Default)]
pub(crate) struct Fake {
    pub(crate) address: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    things: HashMap<String, Vec<u8>>,
    /// What to do the next times, by the end of the path; the last one stays.
    conducts: BTreeMap<String, Vec<Conduct>>,
    /// What has to stand in `Authorization`, and what is said when it does not.
    wanted: Option<(String, String)>,
    asked: Vec<Asked>,
}

/// One request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) authorization: String,
    pub(crate) range: String,
    pub(crate) body: String,
}

impl Fake {
    /// Starts it on loopback.
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let fake = Self {
            address,
            ..Self::default()
        };
        let router = Router::new().fallback(answer).with_state(fake.clone());
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    /// Offers an image under a tag and under its digest.
    pub(crate) fn offer(&self, repository: &str, tag: &str, made: &Made) {
        let manifest = made.blobs[&made.manifest].clone();
        self.put(
            &format!("/v2/{repository}/manifests/{tag}"),
            manifest.clone(),
        );
        self.put(
            &format!("/v2/{repository}/manifests/{}", made.manifest),
            manifest,
        );
        for (digest, bytes) in &made.blobs {
            self.put(&format!("/v2/{repository}/blobs/{digest}"), bytes.clone());
        }
    }

    pub(crate) fn put(&self, path: &str, bytes: Vec<u8>) {
        self.shared
            .lock()
            .unwrap()
            .things
            .insert(path.to_owned(), bytes);
    }

    /// Says how to answer the next requests for what ends so; the last way stays.
    pub(crate) fn behave(&self, end: impl std::fmt::Display, conducts: &[Conduct]) {
        self.shared
            .lock()
            .unwrap()
            .conducts
            .insert(end.to_string(), conducts.to_vec());
    }

    /// Wants this authorization, and says this in `WWW-Authenticate` to everybody else.
    pub(crate) fn want(&self, authorization: &str, challenge: &str) {
        let wanted = (authorization.to_owned(), challenge.to_owned());
        self.shared.lock().unwrap().wanted = Some(wanted);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.lock().unwrap().asked.clone()
    }

    pub(crate) fn asked_for(&self, digest: Digest) -> Vec<Asked> {
        let end = digest.to_string();
        self.asked()
            .into_iter()
            .filter(|asked| asked.path.ends_with(&end))
            .collect()
    }

    fn conduct(&self, path: &str) -> Option<Conduct> {
        let mut shared = self.shared.lock().unwrap();
        let conducts = &mut shared.conducts;
        let (_, conducts) = conducts
            .iter_mut()
            .find(|(end, _)| path.ends_with(end.as_str()))?;
        if conducts.len() > 1 {
            return Some(conducts.remove(0));
        }
        conducts.first().cloned()
    }
}

async fn answer(State(fake): State<Fake>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let text = |name: header::HeaderName| {
        let value = parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let asked = Asked {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        authorization: text(header::AUTHORIZATION),
        range: text(header::RANGE),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let path = parts.uri.path().to_owned();
    fake.shared.lock().unwrap().asked.push(asked.clone());
    let conduct = fake.conduct(&path);
    if let Some(Conduct::Say(status, headers, body)) = conduct {
        let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
        for (name, value) in headers {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        return response;
    }
    let wanted = fake.shared.lock().unwrap().wanted.clone();
    if let Some((wanted, challenge)) = wanted
        && asked.authorization != wanted
    {
        let challenge = [(header::WWW_AUTHENTICATE, challenge)];
        return (StatusCode::UNAUTHORIZED, challenge).into_response();
    }
    let Some(bytes) = fake.shared.lock().unwrap().things.get(&path).cloned() else {
        let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
        return (StatusCode::NOT_FOUND, body).into_response();
    };
    serve(conduct, &bytes, &asked.range).await
}

async fn serve(conduct: Option<Conduct>, bytes: &[u8], range: &str) -> Response {
    let offset = range
        .strip_prefix("bytes=")
        .and_then(|range| range.strip_suffix('-'));
    let offset = match conduct {
        Some(Conduct::CutAfterWithoutRanges(_)) => 0,
        _ => offset.map_or(0, |offset| offset.parse().unwrap()),
    };
    let rest = Bytes::copy_from_slice(&bytes[offset..]);
    let body = match conduct {
        Some(Conduct::CutAfter(n) | Conduct::CutAfterWithoutRanges(n)) if n < rest.len() => {
            let start = stream::iter([Ok(rest.slice(..n))]);
            let end = stream::once(async {
                // Sent apart, so that the first part arrives before the end of the connection.
                tokio::time::sleep(Duration::from_millis(50)).await;
                Err(std::io::Error::other("cut"))
            });
            Body::from_stream(start.chain(end))
        }
        Some(Conduct::StallAfter(n)) => {
            let start = stream::iter([Ok::<_, std::io::Error>(rest.slice(..n))]);
            Body::from_stream(start.chain(stream::pending()))
        }
        Some(Conduct::Slow(wait)) => {
            tokio::time::sleep(wait).await;
            Body::from(rest)
        }
        _ => Body::from(rest),
    };
    if offset == 0 {
        return body.into_response();
    }
    let range = format!("bytes {offset}-{}/{}", bytes.len() - 1, bytes.len());
    (
        StatusCode::PARTIAL_CONTENT,
        [(header::CONTENT_RANGE, range)],
        body,
    )
        .into_response()
}
