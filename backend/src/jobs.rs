//! The background loops, each one line: name, period, service call.

use std::future::Future;
use std::time::Duration;

use crate::services::{self, Services};

const HOUR: Duration = Duration::from_secs(3_600);
/// Each container is asked once a minute; a new one is found within this time. An edit that was cut
/// is looked at as often, and at once when the server starts; so are refusals that were counted.
const QUARTER_MINUTE: Duration = Duration::from_secs(15);

/// Begins the loops; they end with the server.
pub fn begin(services: &Services) {
    let held = services.clone();
    every("forget what expired", HOUR, services, move || {
        let services = held.clone();
        async move { services::accounts::forget_expired(&services).await }
    });
    let held = services.clone();
    every(
        "sample what is not watched",
        QUARTER_MINUTE,
        services,
        move || {
            let services = held.clone();
            async move { services::metrics::take_round(&services).await }
        },
    );
    let held = services.clone();
    every("mend cut edits", QUARTER_MINUTE, services, move || {
        let services = held.clone();
        async move { services::edits::mend(&services).await }
    });
    let held = services.clone();
    every("settle refusals", QUARTER_MINUTE, services, move || {
        let services = held.clone();
        async move { services::refusals::settle(&services).await }
    });
    let held = services.clone();
    every("check for updates", QUARTER_MINUTE, services, move || {
        let services = held.clone();
        async move { services::updates::take_round(&services).await }
    });
    let held = services.clone();
    every("note the audit's head", HOUR, services, move || {
        let services = held.clone();
        async move { services::audit::note_head(&services).await }
    });
}

/// Calls a service now and then; a failure is logged and the next time tried again.
fn every<W>(
    name: &'static str,
    period: Duration,
    services: &Services,
    work: impl Fn() -> W + Send + 'static,
) where
    W: Future<Output = services::Result<()>> + Send,
{
    services.tasks().spawn(name, async move {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = work().await {
                let error = crate::errors::chain(&error);
                tracing::warn!(error, name, "a background loop failed");
            }
        }
    });
}
