//! The table of routes. Who may use each stands in the type of its handler; the golden lists and
//! the tests of who is refused where are made from this table.

use axum::Router;
use axum::extract::State;

use super::extract::Anyone;
use super::table::{Entry, get};
use super::{Error, Result, assets, middleware, pages, sockets};
use crate::app::App;

/// Returns every route.
pub fn table() -> Vec<Entry> {
    let mut table = vec![
        get("/healthz", healthz),
        get(frontend::assets::PATTERN, assets::file),
    ];
    table.extend(pages::table());
    table.extend(sockets::table());
    table
}

/// Returns the router: the table with what happens round every request.
pub fn router(app: &App) -> Router {
    let routes = table()
        .into_iter()
        .fold(Router::new(), |router, entry| entry.mount(router));
    middleware::around(routes.fallback(nothing_here), app)
}

/// Tells a watcher that the server answers and can read its database.
async fn healthz(_: Anyone, State(app): State<App>) -> Result<&'static str> {
    crate::services::setup::is_needed(&app.services).await?;
    Ok("ok\n")
}

async fn nothing_here() -> Error {
    Error::NotFound
}
