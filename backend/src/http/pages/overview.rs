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
    let services = &app.services;
    let troubled = containers::ended_last(services, &list, MOST_TROUBLED, present::needs_a_look);
    let query = lists::event_query(&frontend::ui::View::default(), 8);
    let facts = overview::Facts {
        host,
        counts,
        troubled,
        images: app.services.index().image_totals(),
        events: events::list(&app.services, &happened, &query).rows,
    };
    let mut page = overview::page(&frame.reader, &facts);
    frame.greet(&mut page.shell);
    frame.draw(&page)
}
