//! Containers: the list and the tabs of one.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use frontend::pages;
use frontend::parts::Tab;
use frontend::paths;
use frontend::ui::{Action, Look, Notice, Tone};

use super::frame::Frame;
use crate::access::{Permission, PermissionId, Permit, container, network};
use crate::app::App;
use crate::domain::{ContainerPlace, FieldError};
use crate::http::as_is;
use crate::http::present::lists::{self, Asked};
use crate::http::present::{containers as present, details, fields, jobs as present_jobs, loads};
use crate::http::{Error, Result};
use crate::services::containers::ContainerFact;
use crate::services::{self, containers, jobs, logs, metrics, networks};

pub(super) async fn list(
    permit: Permit<container::List>,
    State(app): State<App>,
    Query(asked): Query<Asked>,
    frame: Frame,
) -> Response {
    let view = asked.view(paths::Containers.to_string());
    let query = lists::container_query(&view);
    let rows = containers::list(&app.services, &permit, &query);
    let counts = app.services.index().counts();
    let lately = |fact: &ContainerFact| metrics::lately(&app.services, &permit, &fact.id);
    let found = present::Found {
        view: &view,
        page: &rows,
        counts,
        choice: frame.choice("containers"),
    };
    let mut page = present::index(&frame.reader, &found, lately);
    frame.greet(&mut page.shell);
    frame.draw(&page)
}

pub(super) async fn overview(
    permit: Permit<container::View>,
    log: Result<Permit<container::Logs>>,
    around: Permit<network::List>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let shown = containers::show(&app.services, &permit).await?;
    let lines = match log {
        Ok(log) if present::stopped_abnormally(&shown.fact) => {
            logs::last_lines(&app.services, &log, 30, logs::PAGE_PATIENCE).await
        }
        _ => Vec::new(),
    };
    let page = details::overview(&frame.reader, &shown.fact, shown.detail.as_ref(), &lines);
    let (mine, all) = networks::of_container(&app.services, &around, &shown.fact.id);
    let mut page = details::with_networks(&frame.reader, &shown.fact, (&mine, &all), page);
    frame.greet(&mut page.shell);
    let edit = jobs::edit_of(&app.services, &permit);
    page.shell
        .notices
        .extend(edit.map(|fact| present_jobs::goes_on(&frame.reader, &fact)));
    let drawn = frame.draw(&page);
    // Lines of a log may hold a secret.
    Ok(if page.why.is_none() {
        drawn
    } else {
        as_is(drawn)
    })
}

/// The overview again, with a rule that its rename form broke.
pub(super) async fn refused(
    app: &App,
    permit: &Permit<container::View>,
    frame: &Frame,
    error: &FieldError,
) -> Result<Response> {
    let shown = containers::show(&app.services, permit).await?;
    let detail = shown.detail.as_ref();
    let mut page = details::overview(&frame.reader, &shown.fact, detail, &[]);
    let label = frame.reader.words.t("new-name");
    let text = fields::sentence(frame.reader.words, &label, error);
    page.shell.notices.push(Notice::failed(text));
    Ok(frame.draw_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

pub(super) async fn inspect(
    permit: Permit<container::Inspect>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let document = containers::inspect(&app.services, &permit).await?;
    let fact = fact(&app, &permit)?;
    let page = details::inspect(&frame.reader, &fact, &document, false);
    Ok(frame.draw(&page))
}

/// The same with the values that are masked else; it is noted who asked.
pub(super) async fn reveal(
    permit: Permit<container::Reveal>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let document = containers::reveal(&app.services, &permit).await?;
    let fact = fact(&app, &permit)?;
    let page = details::inspect(&frame.reader, &fact, &document, true);
    Ok(as_is(frame.draw(&page)))
}

pub(super) async fn processes(
    permit: Permit<container::Processes>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let fact = fact(&app, &permit)?;
    let (table, notice) = match fact.phase.is_alive() {
        true => match containers::processes(&app.services, &permit).await {
            Ok(top) => (details::processes(top), None),
            Err(services::Error::Conflict { message }) => (
                pages::ProcessTable::default(),
                Some(Notice::failed(message)),
            ),
            Err(error) => return Err(error.into()),
        },
        false => (pages::ProcessTable::default(), Some(asleep(&frame))),
    };
    let page = pages::ContainerProcesses {
        shell: details::shell(&frame.reader, &fact, Tab::Processes),
        header: present::header(&frame.reader, &fact, Tab::Processes),
        notice,
        table,
    };
    Ok(frame.draw(&page))
}

pub(super) async fn stats(
    permit: Permit<container::View>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let fact = fact(&app, &permit)?;
    let hour = metrics::last_hour(&app.services, &permit);
    let (newest, rows) = loads::hour(&hour);
    let page = pages::ContainerStats {
        shell: details::shell(&frame.reader, &fact, Tab::Stats),
        header: present::header(&frame.reader, &fact, Tab::Stats),
        notice: (!fact.phase.is_alive()).then(|| asleep(&frame)),
        host_network: fact.summary.host_config.network_mode == "host",
        now: loads::now(&frame.reader, &hour),
        newest,
        rows,
    };
    Ok(frame.draw(&page))
}

pub(super) async fn terminal(
    permit: Permit<container::Exec>,
    State(app): State<App>,
    frame: Frame,
) -> Result<Response> {
    let reader = &frame.reader;
    let fact = fact(&app, &permit)?;
    let alive = fact.phase.is_alive();
    let path = paths::ContainerStart(fact.id.as_str()).to_string();
    let start = Action::post(reader.words.t("start"), "play", path).look(Look::Primary);
    let start = reader.guard(start, PermissionId::ContainerStart, None);
    let notice = || Notice {
        tone: Tone::Idle,
        text: reader.words.t("terminal-not-running"),
        link: None,
    };
    let page = pages::ContainerTerminal {
        shell: details::shell(reader, &fact, Tab::Terminal),
        header: present::header(reader, &fact, Tab::Terminal),
        notice: (!alive).then(notice),
        actions: if alive { Vec::new() } else { vec![start] },
    };
    Ok(frame.draw(&page))
}

/// Returns what the index knows of the permit's container.
pub(super) fn fact<P>(app: &App, permit: &Permit<P>) -> Result<Arc<ContainerFact>>
where
    P: Permission<Place = ContainerPlace>,
{
    let fact = app.services.index().container(&permit.place().id);
    fact.ok_or(Error::NotFound)
}

fn asleep(frame: &Frame) -> Notice {
    let words = frame.reader.words;
    Notice {
        tone: Tone::Idle,
        text: format!(
            "{} {}",
            words.t("needs-running"),
            words.t("needs-running-text")
        ),
        link: None,
    }
}
