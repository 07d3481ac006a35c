//! Metrics: what containers use, while somebody looks.
//!
//! ```text
//! engine ─ one stream per watched container ─→ sampler ─→ history
//!                                                  └────→ every watcher
//! ```
//!
//! All who look at a container share one stream of its engine; the first who comes begins it, and
//! it ends within two seconds of the last one's leaving. While a container does not run its sampler
//! waits for it.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine_api::stats::Stats;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::load::History;
use super::{Error, Result, Services};
use crate::access::{Permission, Permit, container};
use crate::domain::ContainerId;
use crate::fleet::{EngineClient, JsonLines};

pub use super::load::Load;

/// How often a sampler looks whether anybody is there, and a waiting one whether its container runs.
const ROUND: Duration = Duration::from_millis(900);
/// Seconds that a slow watcher may be behind.
const MOST_BEHIND: usize = 16;
/// Containers whose history is kept while nobody looks.
const MOST_KEPT: usize = 256;
/// How long it is kept.
const KEPT_FOR: Duration = Duration::from_secs(3_600);

/// The samplers of one server. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Samplers(Arc<Mutex<HashMap<ContainerId, Sampler>>>);

#[derive(Debug)]
struct Sampler {
    history: History,
    loads: broadcast::Sender<Load>,
    /// Whether a task samples now.
    is_running: bool,
    /// When somebody looked last.
    watched_at: Instant,
}

impl Default for Sampler {
    fn default() -> Self {
        Self {
            history: History::default(),
            loads: broadcast::channel(MOST_BEHIND).0,
            is_running: false,
            watched_at: Instant::now(),
        }
    }
}

impl Samplers {
    fn lock(&self) -> MutexGuard<'_, HashMap<ContainerId, Sampler>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a watcher; true when it is the first and a task has to begin.
    fn join(&self, id: &ContainerId) -> (Watch, bool) {
        let mut all = self.lock();
        if !all.contains_key(id) && all.len() >= MOST_KEPT {
            forget(&mut all);
        }
        let sampler = all.entry(id.clone()).or_default();
        let watch = Watch {
            history: sampler.history.all(),
            loads: sampler.loads.subscribe(),
        };
        sampler.watched_at = Instant::now();
        (watch, !std::mem::replace(&mut sampler.is_running, true))
    }

    /// Takes in a second and tells the watchers.
    fn put(&self, id: &ContainerId, load: Load) {
        if let Some(sampler) = self.lock().get_mut(id) {
            sampler.history.push(load.clone());
            // Nobody watching is found in the next round.
            let _n_watchers = sampler.loads.send(load);
        }
    }

    /// Ends the task when nobody watches; under the same lock as [`Samplers::join`], so that nobody
    /// joins a task that has just decided to end.
    fn is_done(&self, id: &ContainerId) -> bool {
        let mut all = self.lock();
        let Some(sampler) = all.get_mut(id) else {
            return true;
        };
        if sampler.loads.receiver_count() > 0 {
            sampler.watched_at = Instant::now();
            return false;
        }
        sampler.is_running = false;
        true
    }

    /// Takes a sampler away: its container is gone, and its watchers learn it.
    fn end(&self, id: &ContainerId) {
        self.lock().remove(id);
    }
}

/// Makes room: what nobody has looked at for long goes, and the longest unseen in any case.
fn forget(all: &mut HashMap<ContainerId, Sampler>) {
    all.retain(|_, sampler| sampler.is_running || sampler.watched_at.elapsed() < KEPT_FOR);
    let unseen = all.iter().filter(|(_, sampler)| !sampler.is_running);
    let oldest = unseen.min_by_key(|(_, sampler)| sampler.watched_at);
    if let Some(id) = oldest.map(|(id, _)| id.clone())
        && all.len() >= MOST_KEPT
    {
        all.remove(&id);
    }
}

/// A look at what a container uses. Dropping it ends the look.
#[derive(Debug)]
pub struct Watch {
    history: Vec<Load>,
    loads: broadcast::Receiver<Load>,
}

impl Watch {
    /// Takes what was measured before, the oldest first.
    pub fn take_history(&mut self) -> Vec<Load> {
        std::mem::take(&mut self.history)
    }

    /// Returns the next second; `None` when the container is gone. Safe to cancel.
    pub async fn next(&mut self) -> Option<Load> {
        loop {
            match self.loads.recv().await {
                Ok(load) => return Some(load),
                // A watcher that was too slow goes on with what is newer.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

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

/// Returns what a container used in its last sixty watched seconds, the oldest first.
pub fn last_minute(
    services: &Services,
    _permit: &Permit<container::List>,
    id: &ContainerId,
) -> Vec<Load> {
    let all = services.samplers().lock();
    all.get(id)
        .map(|sampler| sampler.history.last(60))
        .unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u64) -> ContainerId {
        format!("{n:064x}").parse().unwrap()
    }

    #[test]
    fn watchers_share_one_task_and_the_last_ends_it() {
        let samplers = Samplers::default();
        let (first, begins) = samplers.join(&id(1));
        let (second, begins_again) = samplers.join(&id(1));
        assert!(begins && !begins_again);

        drop(first);
        assert!(!samplers.is_done(&id(1)), "somebody watches still");
        drop(second);
        assert!(samplers.is_done(&id(1)));
        let (_third, begins) = samplers.join(&id(1));
        assert!(begins, "who comes later begins anew");
    }

    #[tokio::test]
    async fn a_late_watcher_sees_what_was_before_and_the_end() {
        let samplers = Samplers::default();
        let (first, _) = samplers.join(&id(1));
        samplers.put(
            &id(1),
            Load {
                at_ms: 1,
                ..Load::default()
            },
        );

        let (mut late, _) = samplers.join(&id(1));
        assert_eq!(late.take_history().len(), 1);
        samplers.put(
            &id(1),
            Load {
                at_ms: 2,
                ..Load::default()
            },
        );
        assert_eq!(late.next().await.unwrap().at_ms, 2);

        samplers.end(&id(1));
        assert!(late.next().await.is_none());
        drop(first);
    }

    #[test]
    fn histories_that_nobody_looks_at_are_bounded() {
        let samplers = Samplers::default();
        for n in 0..1_000 {
            drop(samplers.join(&id(n)));
            assert!(samplers.is_done(&id(n)));
        }
        assert!(samplers.lock().len() <= MOST_KEPT);
    }
}
