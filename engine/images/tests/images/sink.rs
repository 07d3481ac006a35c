//! A registry that takes what is pushed, and fails as a test tells it to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine_images::Digest;
use futures_util::StreamExt;

#[derive(Clone, Default)]
pub(crate) struct Sink {
    pub(crate) address: String,
    shared: Arc<Mutex<Shared>>,
}

/// What is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// So many bytes of the next content are kept, then it says 503.
    KeepsOnly(usize),
    /// The same, and the upload is forgotten.
    Forgets(usize),
    /// The content is to go to this address.
    SendsTo(String),
    /// A change is redirected.
    Redirects,
    /// It says that the manifest has another digest.
    Lies,
    /// It has every layer in the repository that it is asked to take it from.
    Mounts,
    /// That repository is somebody else's, it says with this status.
    RefusesMount(u16),
    /// It keeps the content, and its answer is lost.
    LosesTheLastAnswer,
    /// It says 503 when it is told what the content is, and keeps the upload.
    IsBusyAtTheEnd,
}

#[derive(Default)]
struct Shared {
    uploads: HashMap<String, Vec<u8>>,
    kept: HashMap<String, Vec<u8>>,
    faults: Vec<Fault>,
    /// What has to stand in `Authorization`, and what is said when it does not.
    wanted: Option<(String, String)>,
    asked: Vec<Asked>,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// `PATCH /v2/…`.
    pub(crate) line: String,
    pub(crate) authorization: String,
    pub(crate) content_range: String,
    pub(crate) n_bytes: usize,
}

impl Sink {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let sink = Self {
            address,
            ..Self::default()
        };
        let router = Router::new().fallback(answer).with_state(sink.clone());
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(async move { axum::serve(listener, router).await });
        sink
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.shared.lock().unwrap().faults.push(fault);
    }

    pub(crate) fn want(&self, authorization: &str, challenge: &str) {
        let wanted = (authorization.to_owned(), challenge.to_owned());
        self.shared.lock().unwrap().wanted = Some(wanted);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.lock().unwrap().asked.clone()
    }

    /// The requests that begin so.
    pub(crate) fn asked_with(&self, beginning: &str) -> Vec<Asked> {
        let asked = self.asked().into_iter();
        asked
            .filter(|asked| asked.line.starts_with(beginning))
            .collect()
    }

    /// What is kept under a path, as `/v2/a/manifests/1`.
    pub(crate) fn kept(&self, path: &str) -> Option<Vec<u8>> {
        self.shared.lock().unwrap().kept.get(path).cloned()
    }

    /// Takes a fault that fits, so that it happens once.
    fn fault(&self, fits: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut shared = self.shared.lock().unwrap();
        let at = shared.faults.iter().position(fits)?;
        Some(shared.faults.remove(at))
    }
}

async fn answer(State(sink): State<Sink>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut asked = Asked {
        line: format!("{} {}", parts.method, parts.uri),
        authorization: text(&parts.headers, header::AUTHORIZATION),
        content_range: text(&parts.headers, header::CONTENT_RANGE),
        n_bytes: 0,
    };
    let wanted = sink.shared.lock().unwrap().wanted.clone();
    if let Some((wanted, challenge)) = wanted
        && asked.authorization != wanted
    {
        sink.shared.lock().unwrap().asked.push(asked);
        let challenge = [(header::WWW_AUTHENTICATE, challenge)];
        return (StatusCode::UNAUTHORIZED, challenge).into_response();
    }
    let path = parts.uri.path();
    if parts.method == Method::PATCH {
        return sink.take(path, asked, body).await;
    }
    let has_length = parts.headers.contains_key(header::CONTENT_LENGTH);
    if matches!(parts.method, Method::POST | Method::PUT) && !has_length {
        return StatusCode::LENGTH_REQUIRED.into_response();
    }
    let content = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    asked.n_bytes = content.len();
    sink.shared.lock().unwrap().asked.push(asked);
    let is_change = !matches!(parts.method, Method::GET | Method::HEAD);
    if is_change && sink.fault(|fault| *fault == Fault::Redirects).is_some() {
        let away = [(header::LOCATION, "/elsewhere")];
        return (StatusCode::TEMPORARY_REDIRECT, away).into_response();
    }
    let query = parts.uri.query().unwrap_or_default().replace("%3A", ":");
    match (parts.method, query.strip_prefix("digest=")) {
        (Method::HEAD, _) if sink.kept(path).is_some() => StatusCode::OK.into_response(),
        (Method::POST, _) => sink.begin(path, query.starts_with("mount=")),
        (Method::GET, _) => sink.tell(path),
        (Method::PUT, Some(digest)) => sink.end(path, digest),
        (Method::PUT, None) => sink.name(path, &content),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Sink {
    fn begin(&self, path: &str, mounts: bool) -> Response {
        if mounts && self.fault(|fault| *fault == Fault::Mounts).is_some() {
            return StatusCode::CREATED.into_response();
        }
        let refused = match self.fault(|fault| mounts && matches!(fault, Fault::RefusesMount(_))) {
            Some(Fault::RefusesMount(status)) => Some(StatusCode::from_u16(status).unwrap()),
            _ => None,
        };
        if let Some(status) = refused {
            let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"x\"")];
            return (status, challenge).into_response();
        }
        let own = format!("{path}{}", self.asked().len());
        let at = match self.fault(|fault| matches!(fault, Fault::SendsTo(_))) {
            Some(Fault::SendsTo(address)) => format!("http://{address}{own}"),
            _ => own,
        };
        (StatusCode::ACCEPTED, [(header::LOCATION, at)]).into_response()
    }

    /// Takes content, or as much of it as the next fault says.
    async fn take(&self, path: &str, mut asked: Asked, body: Body) -> Response {
        let cut = self.fault(|fault| matches!(fault, Fault::KeepsOnly(_) | Fault::Forgets(_)));
        let most = match cut {
            Some(Fault::KeepsOnly(n) | Fault::Forgets(n)) => n,
            _ => usize::MAX,
        };
        let (mut stream, mut came) = (body.into_data_stream(), Vec::new());
        while came.len() < most
            && let Some(Ok(piece)) = stream.next().await
        {
            came.extend_from_slice(&piece);
        }
        came.truncate(most);
        asked.n_bytes = came.len();
        let mut shared = self.shared.lock().unwrap();
        shared.asked.push(asked);
        let upload = shared.uploads.entry(path.to_owned()).or_default();
        upload.extend_from_slice(&came);
        match cut {
            None => (StatusCode::ACCEPTED, [(header::LOCATION, path.to_owned())]).into_response(),
            Some(fault) => {
                if matches!(fault, Fault::Forgets(_)) {
                    shared.uploads.remove(path);
                }
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }

    fn tell(&self, path: &str) -> Response {
        let shared = self.shared.lock().unwrap();
        let Some(upload) = shared.uploads.get(path) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let range = format!("0-{}", upload.len().saturating_sub(1));
        let headers = [(header::LOCATION, path.to_owned()), (header::RANGE, range)];
        (StatusCode::NO_CONTENT, headers).into_response()
    }

    fn end(&self, path: &str, digest: &str) -> Response {
        if self
            .fault(|fault| *fault == Fault::IsBusyAtTheEnd)
            .is_some()
        {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        let is_lost = self.fault(|fault| *fault == Fault::LosesTheLastAnswer);
        let mut shared = self.shared.lock().unwrap();
        let bytes = shared.uploads.remove(path).unwrap_or_default();
        if Digest::of(&bytes).to_string() != digest {
            return StatusCode::BAD_REQUEST.into_response();
        }
        let repository = path.split("/blobs/").next().unwrap_or_default();
        let at = format!("{repository}/blobs/{digest}");
        shared.kept.insert(at, bytes);
        match is_lost {
            Some(_) => StatusCode::GATEWAY_TIMEOUT.into_response(),
            None => StatusCode::CREATED.into_response(),
        }
    }

    fn name(&self, path: &str, manifest: &Bytes) -> Response {
        let said = match self.fault(|fault| *fault == Fault::Lies) {
            Some(_) => Digest::of(b"another"),
            None => Digest::of(manifest),
        };
        let mut shared = self.shared.lock().unwrap();
        shared.kept.insert(path.to_owned(), manifest.to_vec());
        let headers = [("docker-content-digest", said.to_string())];
        (StatusCode::CREATED, headers).into_response()
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}
