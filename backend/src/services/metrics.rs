//! Metrics: what containers use.
//!
//! ```text
//! engine ─ one stream per watched container ─→ sampler ─→ history (seconds)
//!                                                  └────→ every watcher
//! engine ─ one question a minute for each other ───────→ history (minutes)
//! ```
//!
//! All who look at a container share one stream of its engine; the first who comes begins it, and
//! it ends within two seconds of the last one's leaving. While a container does not run its sampler
//! waits for it. What nobody looks at is asked once a minute, so that whoever comes sees its last
//! hour: the counters of two questions give the mean of the minute between them.

use std::ops::ControlFlow;
use std::time::Duration;

use engine_api::stats::Stats;
use futures_util::StreamExt;
use tokio::time::{Interval, MissedTickBehavior};

use super::history::History;
use super::samplers::MOST_KEPT;
use super::{Error, Result, Services};
use crate::access::{Permission, Permit, container};
use crate::domain::ContainerId;
use crate::fleet::{EngineClient, JsonLines};

pub use super::load::Load;
pub use super::samplers::{Samplers, Watch};

/// How often a sampler looks whether anybody is there, and a waiting one whether its container runs.
const ROUND: Duration = Duration::from_millis(900);
/// Questions side by side, so that a round is no burst.
const SIDE_BY_SIDE: usize = 4;
/// An answer that takes longer is left for the next round.
const PATIENCE: Duration = Duration::from_secs(10);

/// Begins to look at what a container uses.
///
/// # Errors
/// [`Error::NotFound`] when it is gone.
pub fn watch(services: &Services, permit: &Permit<container::View>) -> Result<Watch> {
    watch_one(services, permit, &permit.place().id)
}

/// Begins to look at a container of a list, in the right of the list.
///
/// # Errors
/// [`Error::NotFound`] when it is gone.
pub fn watch_listed(
    services: &Services,
    permit: &Permit<container::List>,
    id: &ContainerId,
) -> Result<Watch> {
    watch_one(services, permit, id)
}

/// Returns the last sixty rows of what a container used, seconds where somebody watched and minutes
/// else, the oldest first; none of one that does not run.
pub fn lately(
    services: &Services,
    _permit: &Permit<container::List>,
    id: &ContainerId,
) -> Vec<Load> {
    let fact = services.index().container(id);
    if !fact.is_some_and(|fact| fact.phase.is_alive()) {
        return Vec::new();
    }
    services.samplers().read(id, |history| history.last(60))
}

/// Returns what a container used in its last hour, a row a minute, the oldest first.
pub fn last_hour(services: &Services, permit: &Permit<container::View>) -> Vec<Load> {
    let samplers = services.samplers();
    samplers.read(&permit.place().id, History::by_minute)
}

/// Asks for what each running container uses, of those that nobody watches and whose minute is
/// over. Called every few seconds; each container is asked once a minute.
///
/// # Errors
/// Never; a container that does not answer has no row.
pub async fn take_round(services: &Services) -> Result<()> {
    let (index, samplers) = (services.index(), services.samplers());
    samplers.tidy(|id| index.container(id).is_some());
    let host = index.host();
    if !host.state.is_online() {
        return Ok(());
    }
    let host_memory = host.info.map_or(u64::MAX, |info| info.mem_total);
    let now = services.clock().now();
    let due = index.alive().into_iter().take(MOST_KEPT);
    let due = due.filter(|id| samplers.is_due(id, now));
    futures_util::stream::iter(due)
        .for_each_concurrent(SIDE_BY_SIDE, async |id| {
            let asked = tokio::time::timeout(PATIENCE, services.link().usage(&id)).await;
            if let Ok(Ok(stats)) = asked {
                samplers.count(&id, stats, now, host_memory);
            }
        })
        .await;
    Ok(())
}

fn watch_one<P: Permission>(
    services: &Services,
    permit: &Permit<P>,
    id: &ContainerId,
) -> Result<Watch> {
    if services.index().container(id).is_none() {
        return Err(Error::NotFound { kind: "container" });
    }
    let (watch, is_first) = services.samplers().join(id);
    if is_first {
        let client = services.link().client(permit);
        services
            .tasks()
            .spawn("sampler", sample(services.clone(), client, id.clone()));
    }
    Ok(watch)
}

/// Samples until nobody watches or the container is gone.
async fn sample(services: Services, client: EngineClient, id: ContainerId) {
    let samplers = services.samplers();
    let mut round = tokio::time::interval(ROUND);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let Some(fact) = services.index().container(&id) else {
            samplers.end(&id);
            return;
        };
        let host = services.index().host().info;
        let host_memory = host.map_or(u64::MAX, |info| info.mem_total);
        if fact.phase.is_alive()
            && let Ok(stats) = client.container_stats(id.as_str()).await
            && take_in(stats, samplers, &id, &mut round, host_memory)
                .await
                .is_break()
        {
            return;
        }
        // It does not run, or the engine is away; perhaps in a moment.
        round.tick().await;
        if samplers.is_done(&id) {
            return;
        }
    }
}

/// Takes in one stream of samples until it ends; breaks when nobody watches.
async fn take_in(
    mut stats: JsonLines<Stats>,
    samplers: &Samplers,
    id: &ContainerId,
    round: &mut Interval,
    host_memory: u64,
) -> ControlFlow<()> {
    let mut before = None;
    loop {
        tokio::select! {
            next = stats.next() => {
                let Ok(Some(now)) = next else {
                    return ControlFlow::Continue(());
                };
                if let Some(before) = before.take().or_else(|| enclosed(&now)) {
                    let load = Load::between(&before, &now);
                    samplers.put(id, load.limited_below(host_memory));
                }
                before = Some(now);
            }
            _ = round.tick() => {
                if samplers.is_done(id) {
                    return ControlFlow::Break(());
                }
            }
        }
    }
}

/// The sample before the first one, as far as the engine sends it along.
fn enclosed(first: &Stats) -> Option<Stats> {
    first
        .precpu_stats
        .system_cpu_usage
        .filter(|usage| *usage > 0)?;
    Some(Stats {
        read: first.preread.clone(),
        cpu_stats: first.precpu_stats.clone(),
        ..first.clone()
    })
}
