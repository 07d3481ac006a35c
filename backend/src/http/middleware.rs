//! What happens round every request, from the outside in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt as _;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

use super::error::{self, Error};
use super::extract::Visit;
use super::present::Reader;
use super::{compress, forwarded, headers};
use crate::access::session;
use crate::app::App;
use crate::domain::{Browser, Front, Language, RequestId};
use crate::services::audit;
use crate::store::sessions::{ABSOLUTE, Sessions};

/// The largest body of a form; uploads lift it for themselves.
const MOST_FORM_BYTES: usize = 1024 * 1024;
/// A body may pause for so long.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Puts everything round the routes.
pub(super) fn around(routes: Router<App>, app: &App) -> Router {
    let inner = routes
        .layer(DefaultBodyLimit::max(MOST_FORM_BYTES))
        .layer(RequestBodyTimeoutLayer::new(BODY_TIME))
        .layer(from_fn_with_state(app.clone(), own_sockets_only))
        .layer(own_forms_only(app))
        .layer(CatchPanicLayer::custom(|_| {
            Error::panicked().into_response()
        }))
        .layer(from_fn_with_state(app.clone(), problems));
    with_sessions(&inner, app)
        .layer(CatchPanicLayer::custom(|_| {
            Error::panicked().into_response()
        }))
        .layer(compress::layer())
        .layer(from_fn(headers::on_every_answer))
        .layer(from_fn_with_state(app.clone(), visit))
}

/// A change must come from a page of ours: of the host that was asked, or of the public address,
/// where a proxy asks in another name.
fn own_forms_only(app: &App) -> CsrfLayer {
    let Some(public) = &app.front.public else {
        return CsrfLayer::new();
    };
    let with_public = CsrfLayer::new().add_trusted_origin(public.to_string());
    with_public.unwrap_or_else(|error| {
        tracing::error!(%error, "the public address is no origin");
        CsrfLayer::new()
    })
}

/// Where some browsers come by TLS and others do not, each request has the session of its kind.
fn with_sessions(inner: &Router<App>, app: &App) -> Router {
    let of_kind = |is_secure| {
        let routes = inner.clone().layer(sessions(app, is_secure));
        routes.with_state(app.clone())
    };
    if app.front.is_always_secure() || app.front.proxies.is_empty() {
        return of_kind(app.front.is_always_secure());
    }
    let (secure, plain) = (of_kind(true), of_kind(false));
    Router::new().fallback(async move |visit: Visit, request: Request| {
        let routes = if visit.is_secure { secure } else { plain };
        match routes.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    })
}

/// Over TLS the cookie has the prefix that no sibling domain and no plain page can forge.
fn sessions(app: &App, is_secure: bool) -> SessionManagerLayer<Sessions> {
    let store = Sessions::new(app.services.store().clone(), app.services.clock().clone());
    SessionManagerLayer::new(store)
        .with_name(if is_secure { "__Host-gantry" } else { "gantry" })
        .with_secure(is_secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(time::Duration::seconds(
            ABSOLUTE.as_secs(),
        )))
}

/// Notes what is known of a request before anybody asks who makes it.
async fn visit(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| {
        peer.ip()
    });
    let headers = request.headers();
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    };
    let accept = text(header::ACCEPT);
    let visit = Visit {
        request: RequestId::unique(),
        address: forwarded::address(&app.front, peer, headers),
        is_secure: forwarded::is_secure(&app.front, peer, headers),
        browser: Browser::of(text(header::USER_AGENT)),
        language: Language::accepted(text(header::ACCEPT_LANGUAGE)),
        wants_json: accept.contains("application/json") && !accept.contains("text/html"),
        path: request.uri().path().to_owned(),
    };
    request.extensions_mut().insert(visit);
    next.run(request).await
}

/// A page of another site may open a socket to us, with our cookie: browsers ask nobody before.
/// So a socket must come from a page of ours, and say so.
async fn own_sockets_only(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_socket = request.headers().contains_key(header::SEC_WEBSOCKET_KEY)
        || request.method() == Method::CONNECT
        || request.uri().path().starts_with("/live/");
    if is_socket && !is_own_origin(&request, &app.front) {
        return Error::OtherSite.into_response();
    }
    next.run(request).await
}

fn is_own_origin(request: &Request, front: &Front) -> bool {
    let headers: &HeaderMap = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return false;
    }
    let host = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    let host = host.or_else(|| text("host"));
    let origin = text("origin");
    if let (Some(public), Some(origin)) = (&front.public, origin)
        && origin == public.to_string()
    {
        return true;
    }
    let origin = origin.and_then(|origin| origin.split_once("://"));
    match (origin, host) {
        (Some((_, origin)), Some(host)) => origin.eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// Turns a failure into a page or JSON, as the request accepts, and notes a refused change.
async fn problems(
    State(app): State<App>,
    session: Session,
    visit: Visit,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_drawn = response.headers().contains_key(error::IS_DRAWN);
    if is_drawn || status.is_informational() || status.is_success() || status.is_redirection() {
        return response;
    }
    let problem = match response.extensions().get::<error::Problem>() {
        Some(problem) => problem.clone(),
        None => error::Problem::of_status(status),
    };
    let actor = session::actor(
        &session,
        app.services.store(),
        visit.address,
        visit.request.clone(),
    );
    let actor = actor.await.ok().flatten();
    if let (Some(refused), Some(actor)) = (&problem.refused, &actor)
        && let Err(error) = audit::refused(&app.services, actor, refused).await
    {
        tracing::error!(
            error = crate::errors::chain(&error),
            "a refusal could not be noted"
        );
    }
    let now = app.services.clock().now();
    let reader = match actor {
        Some(actor) => Reader::inside(actor.account, visit.language, now),
        None => Reader::outside(visit.language, now),
    };
    let mut drawn = error::draw(&visit, &reader, &problem);
    for name in [header::RETRY_AFTER, header::ALLOW] {
        if let Some(value) = response.headers().get(&name) {
            drawn.headers_mut().insert(name, value.clone());
        }
    }
    drawn
}

impl error::Problem {
    /// Describes a failure that some layer below answered by its status alone.
    fn of_status(status: StatusCode) -> Self {
        Self {
            status,
            key: error::key_of(status),
            message: String::new(),
            refused: None,
        }
    }
}
