//! Every operation and the handler that answers it.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use engine_api::error::ErrorKind;
use engine_api::operation::Operation;

use super::error::ApiError;
use super::extract::drain;
use super::{
    archive, attach, build, commit, containers, events, execs, images, layers, logs, networks,
    registries, stats, swarm, system, usage, volume_files, volumes, wait,
};
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
    routes.extend(containers::routes());
    routes.extend(archive::routes());
    routes.extend(build::routes());
    routes.extend(commit::routes());
    routes.extend(usage::routes());
    routes.extend(wait::routes());
    routes.extend(attach::routes());
    routes.extend(logs::routes());
    routes.extend(stats::routes());
    routes.extend(execs::routes());
    routes.extend(images::routes());
    routes.extend(layers::routes());
    routes.extend(registries::routes());
    routes.extend(networks::routes());
    routes.extend(volumes::routes());
    routes.extend(volume_files::routes());
    routes
}

async fn not_found(request: Request) -> Response {
    drain(request.into_body()).await;
    ApiError::new(ErrorKind::NotFound, "page not found").into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use engine_api::operation;

    use super::*;

    #[test]
    fn each_operation_is_routed_and_nothing_else() {
        let routed: Vec<_> = all().iter().map(|(operation, _)| operation.name).collect();
        let unique: BTreeSet<_> = routed.iter().copied().collect();
        let listed: BTreeSet<_> = operation::ALL.iter().map(|o| o.name).collect();
        assert_eq!(unique, listed);
        assert_eq!(unique.len(), routed.len(), "an operation is routed twice");
    }
}
