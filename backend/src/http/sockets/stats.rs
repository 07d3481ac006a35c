//! The socket of an open statistics tab.

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use frontend::live::StatsSample;

use crate::access::{Permit, container};
use crate::app::App;
use crate::http::Result;
use crate::http::wire::{self, Gone, Outlet};
use crate::services::metrics::{self, Load, Watch};

/// A page of statistics has nothing to say.
const MOST_BYTES: usize = 1 << 10;

pub(super) async fn open(
    permit: Permit<container::View>,
    State(app): State<App>,
    upgrade: WebSocketUpgrade,
) -> Result<Response> {
    let watch = metrics::watch(&app.services, &permit)?;
    let fact = app.services.index().container(&permit.place().id);
    // Without a limit of its own the engine tells the machine's memory, as Docker does.
    let is_limited = fact.is_some_and(|fact| fact.memory_limit_bytes > 0);
    Ok(wire::accept(
        upgrade,
        MOST_BYTES,
        async move |mut outlet, mut inlet| {
            let cut = tokio::select! {
                _ = send(watch, is_limited, &mut outlet) => None,
                cut = wire::cut(&app, permit.revoked(), inlet.gone()) => Some(cut),
            };
            outlet.close(cut).await;
        },
    ))
}

async fn send(mut watch: Watch, is_limited: bool, outlet: &mut Outlet) -> Result<(), Gone> {
    for load in watch.take_history() {
        outlet.json(&sample(&load, is_limited)).await?;
    }
    while let Some(load) = outlet.wait(watch.next()).await? {
        outlet.json(&sample(&load, is_limited)).await?;
    }
    Ok(())
}

fn sample(load: &Load, is_limited: bool) -> StatsSample {
    StatsSample {
        at_ms: load.at_ms,
        cpu_percent: load.cpu_percent,
        throttled_percent: load.throttled_percent,
        memory_bytes: load.memory_bytes,
        cache_bytes: load.cache_bytes,
        memory_limit_bytes: if is_limited {
            load.memory_limit_bytes
        } else {
            0
        },
        received_bytes: load.received_bytes,
        sent_bytes: load.sent_bytes,
        read_bytes: load.read_bytes,
        written_bytes: load.written_bytes,
        pids: load.pids,
    }
}
