//! The first page.

use axum::extract::State;
use axum::response::Response;

use super::frame::Frame;
use crate::access::{Permit, container, event, host, image};
use crate::app::App;
use crate::http::present::{containers as present, lists, overview};
use crate::services::{containers, events, hosts};

const MOST_TROUBLED: usize = 8;

pub(super) async fn show(
    permit: Permit<host::View>,
    list: Permit<container::List>,
    _images: Permit<image::List>,
    happened: Permit<event::List>,
    State(app): State<App>,
    frame: Frame,
) -> Response {
    let (host, counts) = hosts::show(&app.services, &permit);
    let ended = containers::list(&app.services, &list, &lists::ended_last())
        .rows
        .into_iter();
    let troubled = ended.filter(|fact| present::stopped_abnormally(fact));
    let query = lists::event_query(&frontend::ui::View::default(), 8);
    let facts = overview::Facts {
        host,
        counts,
        troubled: troubled.take(MOST_TROUBLED).collect(),
        images: app.services.index().images(&Default::default()).rows,
        events: events::list(&app.services, &happened, &query).rows,
    };
    let mut page = overview::page(&frame.reader, &facts);
    frame.greet(&mut page.shell);
    frame.draw(&page)
}
