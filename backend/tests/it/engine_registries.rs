//! The registries that the test engine asks: each has one repository with two tags, unless they all
//! say no.

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use engine_api::images::{LoginAnswer, REGISTRY_AUTH_HEADER};
use engine_api::registries::{NameList, RemoteDigest};

use crate::engine::{FakeEngine, json, refuse};

/// Notes what is asked and with which credentials, and answers.
pub(crate) fn answer(
    engine: &FakeEngine,
    operation: &str,
    name: &str,
    request: &Request<hyper::body::Incoming>,
) -> Response<Body> {
    let header = request.headers().get(REGISTRY_AUTH_HEADER);
    let auth = header.map(|value| URL_SAFE.decode(value.as_bytes()).unwrap());
    let auth = String::from_utf8(auth.unwrap_or_default()).unwrap();
    let query = request.uri().query().unwrap_or_default();
    let asked = format!("{operation} {name}?{query}");
    let asked = asked.replace("%2F", "/").replace("%3A", ":");
    engine.with(|state| state.registries.push((asked, auth)));
    if let Some(seconds) = engine.with(|state| state.rests) {
        let mut limited = refuse(StatusCode::TOO_MANY_REQUESTS, "the registry limits us");
        let headers = limited.headers_mut();
        headers.insert(header::RETRY_AFTER, seconds.into());
        return limited;
    }
    if let Some(said) = engine.with(|state| state.registry_says) {
        return refuse(StatusCode::UNAUTHORIZED, said);
    }
    let names = |names: &[&str]| NameList {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        is_whole: true,
    };
    match operation {
        "system.auth" => json(&LoginAnswer::default()),
        "registry.repositories" => json(&names(&["shop/<app>", "shop/app"])),
        "repository.digest" => json(&RemoteDigest {
            digest: engine.with(|state| state.remote.clone()),
        }),
        "repository.tags" => json(&names(&["1", "2"])),
        _ => Response::new(Body::from("{\"status\":\"done\"}\n")),
    }
}
