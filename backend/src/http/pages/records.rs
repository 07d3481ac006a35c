//! Events and the audit.

use axum::extract::{Query, State};
use axum::response::Response;
use frontend::pages::{AuditIndex, EventsIndex};
use frontend::paths;
use frontend::shell::Section;
use frontend::ui::{Empty, Pager};

use super::frame::Frame;
use crate::access::{Permit, audit, event};
use crate::app::App;
use crate::http::Result;
use crate::http::present::lists::{self, Asked};
use crate::http::present::{Reader, records};
use crate::services::{audit as entries, events as happened};

pub(super) async fn events(
    permit: Permit<event::List>,
    State(app): State<App>,
    Query(asked): Query<Asked>,
    frame: Frame,
) -> Response {
    let reader = &frame.reader;
    let view = asked.view(paths::Events.to_string());
    let page = happened::list(&app.services, &permit, &lists::event_query(&view, 0));
    let mut shell = reader.shell(Section::Events, reader.words.t("events"));
    if view.filter.is_empty() && view.page == 1 {
        shell.topics = "jobs events".to_owned();
    }
    frame.draw(&EventsIndex {
        shell,
        filter: lists::filter(reader, &view, "events-filter", &[]),
        rows: page
            .rows
            .iter()
            .map(|fact| records::event(reader, fact))
            .collect(),
        pager: lists::pager(reader, &view, &page),
        empty: page.rows.is_empty().then(|| {
            empty(
                reader,
                "activity",
                "events-none-found",
                "events-none-found-text",
            )
        }),
    })
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Before {
    filter: String,
    before: Option<i64>,
}

pub(super) async fn audit(
    permit: Permit<audit::View>,
    State(app): State<App>,
    Query(asked): Query<Before>,
    frame: Frame,
) -> Result<Response> {
    let reader = &frame.reader;
    let filter = entries::Filter {
        text: asked.filter.clone(),
        ..entries::Filter::default()
    };
    let rows = entries::list(&app.services, &permit, filter, asked.before).await?;
    let view = Asked {
        filter: asked.filter,
        ..Asked::default()
    };
    let view = view.view(paths::Audit.to_string());
    let is_full = rows.len() == entries::PAGE_ROWS as usize;
    let older = rows.last().filter(|_| is_full).map(|last| {
        let url = view.url();
        let joint = if url.contains('?') { '&' } else { '?' };
        format!("{url}{joint}before={}", last.number)
    });
    let pager = Pager {
        words: reader.words,
        range: String::new(),
        previous: asked.before.map(|_| view.url()),
        next: older,
    };
    Ok(frame.draw(&AuditIndex {
        shell: reader.shell(Section::Audit, reader.words.t("audit")),
        filter: lists::filter(reader, &view, "audit-filter", &[]),
        rows: rows
            .iter()
            .map(|record| records::audit(reader, record))
            .collect(),
        pager,
        empty: rows
            .is_empty()
            .then(|| empty(reader, "scroll-text", "audit-none", "audit-none-text")),
    }))
}

fn empty(reader: &Reader, icon: &'static str, title: &str, text: &str) -> Empty {
    Empty {
        words: reader.words,
        icon,
        title: reader.words.t(title),
        text: reader.words.t(text),
        action: None,
        command: String::new(),
    }
}
