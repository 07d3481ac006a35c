//! Jobs: the list, one of them, its end before its time.

use axum::extract::State;
use axum::response::Response;
use frontend::paths;

use super::frame::{Frame, said_and_go};
use crate::access::{Permit, job};
use crate::app::App;
use crate::http::Result;
use crate::http::present::jobs as present;
use crate::services::jobs;

pub(super) async fn list(
    permit: Permit<job::List>,
    State(app): State<App>,
    frame: Frame,
) -> Response {
    let all = jobs::list(&app.services, &permit);
    let mut page = present::index(&frame.reader, &all);
    frame.greet(&mut page.shell);
    frame.draw(&page)
}

pub(super) async fn show(
    permit: Permit<job::View>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let fact = jobs::show(&app.services, &permit)?;
    let mut page = present::show(&frame.reader, &fact);
    frame.greet(&mut page.shell);
    Ok(frame.draw(&page))
}

pub(super) async fn cancel(
    permit: Permit<job::Cancel>,
    State(app): State<App>,
) -> Result<Response> {
    let id = permit.place().id.clone();
    let subject = app
        .services
        .jobs()
        .find(&id)
        .map(|fact| fact.subject)
        .unwrap_or_default();
    jobs::cancel(&app.services, &permit).await?;
    Ok(said_and_go(
        "done-job-cancelled",
        &subject,
        &paths::Job(id.as_str()),
    ))
}
