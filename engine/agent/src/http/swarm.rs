//! Docker's clustering, which is not offered: every path of it says so, as a node without it does.

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
    router
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
