//! Docker's clustering and BuildKit, which are not offered: every path of theirs says so, of
//! clustering as a node without it does.

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use engine_api::error::ErrorKind;

use super::error::ApiError;
use super::extract::drain;
use super::routes::App;

const ROOTS: &[&str] = &[
    "/swarm",
    "/nodes",
    "/services",
    "/tasks",
    "/secrets",
    "/configs",
];

/// Adds the paths to the router.
pub(super) fn route(mut router: Router<App>) -> Router<App> {
    for root in ROOTS {
        router = router
            .route(root, any(refuse))
            .route(&format!("{root}/{{*rest}}"), any(refuse));
    }
    for path in ["/session", "/grpc"] {
        router = router.route(path, any(refuse_buildkit));
    }
    router
}

/// What a client of BuildKit is told.
pub(super) const NEEDS_CLASSIC: &str =
    "this engine builds with the classic builder: set DOCKER_BUILDKIT=0";

async fn refuse_buildkit(request: Request) -> Response {
    drain(request.into_body()).await;
    ApiError::bad_request(NEEDS_CLASSIC).into_response()
}

async fn refuse(request: Request) -> Response {
    drain(request.into_body()).await;
    ApiError::new(
        ErrorKind::Unavailable,
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to \
         connect this node to swarm and try again.",
    )
    .into_response()
}
