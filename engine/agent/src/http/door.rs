//! Between the connection and the router: path, version, and what every answer carries.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use engine_api::error::ErrorKind;
use engine_api::operation;
use engine_api::version::{self, NEWEST};
use tower::ServiceExt;

use super::error::ApiError;
use super::extract::Spoken;
use super::path::{self, Verdict};
use super::routes;
use crate::engine::Engine;

/// Answers requests, whichever stream they come on.
#[derive(Clone)]
pub struct Door {
    router: Router,
    server: HeaderValue,
}

impl Door {
    /// Returns the door of an engine.
    pub fn new(engine: Arc<Engine>) -> Self {
        let server = format!("Docker/{} (linux)", engine.version());
        Self {
            router: routes::router(engine),
            server: HeaderValue::from_str(&server).unwrap_or(HeaderValue::from_static("Docker")),
        }
    }

    /// Answers one request.
    pub async fn answer(self, mut request: Request) -> Response {
        let mut response = match prepare(&mut request) {
            Ok(()) => match self.router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Err(response) => *response,
        };
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static("api-version"), api_version());
        headers.insert(
            HeaderName::from_static("ostype"),
            HeaderValue::from_static("linux"),
        );
        // The `docker` command has `build --squash` for such engines alone.
        headers.insert(
            HeaderName::from_static("docker-experimental"),
            HeaderValue::from_static("true"),
        );
        headers.insert(header::SERVER, self.server);
        response
    }
}

impl hyper::service::Service<hyper::Request<hyper::body::Incoming>> for Door {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: hyper::Request<hyper::body::Incoming>) -> Self::Future {
        let door = self.clone();
        Box::pin(async move { Ok(door.answer(request.map(Body::new)).await) })
    }
}

/// Judges the path, takes the version off it, and encodes an image's name into one segment.
fn prepare(request: &mut Request) -> Result<(), Box<Response>> {
    let uri = request.uri().clone();
    match path::judge(uri.path()) {
        Verdict::Clean => {}
        Verdict::Refused(why) => return Err(Box::new(ApiError::bad_request(why).into_response())),
        Verdict::Elsewhere(path) => return Err(Box::new(elsewhere(&path, uri.query()))),
    }
    let (spoken, rest) = version::split_path(uri.path())
        .map_err(|e| Box::new(ApiError::bad_request(e.to_string()).into_response()))?;
    let rest = one_segment(request.method().as_str(), rest);
    let target = match uri.query() {
        Some(query) => format!("{rest}?{query}"),
        None => rest,
    };
    *request.uri_mut() = target.parse::<Uri>().map_err(|_| {
        Box::new(ApiError::new(ErrorKind::BadRequest, "invalid path").into_response())
    })?;
    request.extensions_mut().insert(Spoken(spoken));
    Ok(())
}

/// Writes the slashes inside a parameter as `%2F`: the name of an image may hold them, and the
/// router knows parameters of one segment only.
fn one_segment(method: &str, path: &str) -> String {
    let Some((operation, parameter)) = operation::find(method, path) else {
        return path.to_owned();
    };
    if !parameter.contains('/') {
        return path.to_owned();
    }
    let encoded = parameter.replace('/', "%2F");
    operation.path.replacen("{name}", &encoded, 1)
}

fn elsewhere(path: &str, query: Option<&str>) -> Response {
    let target = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut response = axum::http::StatusCode::MOVED_PERMANENTLY.into_response();
    if let Ok(value) = HeaderValue::from_str(&target) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

fn api_version() -> HeaderValue {
    HeaderValue::from_str(&NEWEST.to_string()).unwrap_or(HeaderValue::from_static("1.51"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(method: &str, path: &str) -> Result<String, u16> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        match prepare(&mut request) {
            Ok(()) => Ok(request.uri().to_string()),
            Err(response) => Err(response.status().as_u16()),
        }
    }

    #[test]
    fn the_router_sees_one_form_of_each_path() {
        assert_eq!(
            prepared("GET", "/v1.24/info?a=b"),
            Ok("/info?a=b".to_owned())
        );
        assert_eq!(
            prepared("GET", "/v1.51/images/host:5000/a/b:1/json"),
            Ok("/images/host:5000%2Fa%2Fb:1/json".to_owned())
        );
        assert_eq!(
            prepared("DELETE", "/images/a/b"),
            Ok("/images/a%2Fb".to_owned())
        );
        assert_eq!(prepared("GET", "/v1.99/info"), Err(400));
        assert_eq!(prepared("GET", "/v1.51//info"), Err(301));
        assert_eq!(prepared("GET", "/containers/%2e%2e/json"), Err(400));
    }
}
