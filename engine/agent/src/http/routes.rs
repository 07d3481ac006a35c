//! Every operation and the handler that answers it.

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use engine_api::error::ErrorKind;
use engine_api::operation::Operation;

use super::error::ApiError;
use super::{events, images, networks, swarm, system, volumes};
use crate::engine::Engine;

/// What handlers share.
pub(super) type App = Arc<Engine>;

/// An operation and its handler.
pub(super) type Route = (&'static Operation, MethodRouter<App>);

/// Returns the router of all operations; any other path is Docker's "page not found".
pub(super) fn router(engine: App) -> Router {
    let mut router = Router::new();
    for (operation, handler) in all() {
        router = router.route(operation.path, handler);
    }
    swarm::route(router)
        .fallback(not_found)
        .method_not_allowed_fallback(not_found)
        .with_state(engine)
}

fn all() -> Vec<Route> {
    let mut routes = system::routes();
    routes.extend(events::routes());
    routes.extend(images::routes());
    routes.extend(networks::routes());
    routes.extend(volumes::routes());
    routes
}

async fn not_found() -> Response {
    ApiError::new(ErrorKind::NotFound, "page not found").into_response()
}
