//! Samplers: the histories of all containers, and who watches which.
//!
//! The lock is held for as long as a few numbers take to copy, never across an await.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine_api::stats::{CpuStats, MemoryStats, Stats};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::history::History;
use super::load::Load;
use crate::domain::ContainerId;

/// Seconds that a slow watcher may be behind.
const MOST_BEHIND: usize = 16;
/// Containers whose history is kept; of more, the rest are not sampled while nobody looks.
pub(super) const MOST_KEPT: usize = 2_000;
/// How long a history of a container is kept that nobody looks at and no round reaches.
const KEPT_FOR: Duration = Duration::from_secs(3_600);
/// How long seconds are kept as such when nobody looks any more.
const SECONDS_FOR: Duration = Duration::from_secs(300);
/// Between the first two looks at a container, so that it soon has a number.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// Between two rows; less than a minute by more than a round may be early.
const MINUTE: SignedDuration = SignedDuration::from_secs(58);

/// The samplers of one server. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Samplers(Arc<Mutex<HashMap<ContainerId, Sampler>>>);

#[derive(Debug)]
struct Sampler {
    history: History,
    /// The counters of the last round, and when they were read.
    counted: Option<(Stats, Timestamp)>,
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
            counted: None,
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
    pub(super) fn join(&self, id: &ContainerId) -> (Watch, bool) {
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
    pub(super) fn put(&self, id: &ContainerId, load: Load) {
        if let Some(sampler) = self.lock().get_mut(id) {
            sampler.history.push(load.clone());
            // Nobody watching is found in the next round.
            let _n_watchers = sampler.loads.send(load);
        }
    }

    /// Ends the task when nobody watches; under the same lock as [`Samplers::join`], so that nobody
    /// joins a task that has just decided to end.
    pub(super) fn is_done(&self, id: &ContainerId) -> bool {
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

    /// Tells whether a container's row of a minute is due: soon after the first look, then one each
    /// minute, and none while its seconds come anyway.
    pub(super) fn is_due(&self, id: &ContainerId, now: Timestamp) -> bool {
        let all = self.lock();
        let Some(sampler) = all.get(id) else {
            return all.len() < MOST_KEPT;
        };
        let Some((_, counted_at)) = &sampler.counted else {
            return !sampler.is_running;
        };
        let pause = match sampler.history.newest() {
            None => FIRST_PAUSE,
            Some(_) => MINUTE,
        };
        !sampler.is_running && now.duration_since(*counted_at) >= pause
    }

    /// Takes in the counters of a round: with those of the round before they are a row.
    pub(super) fn count(&self, id: &ContainerId, now: Stats, at: Timestamp, host_memory: u64) {
        let mut all = self.lock();
        let sampler = all.entry(id.clone()).or_default();
        if let Some((before, _)) = &sampler.counted
            && has_grown(before, &now)
        {
            let load = Load::between(before, &now).limited_below(host_memory);
            sampler.history.push_minute(load);
        }
        sampler.counted = Some((counters(now), at));
    }

    /// Forgets containers that are gone, and thins what nobody has looked at for a while.
    pub(super) fn tidy(&self, is_there: impl Fn(&ContainerId) -> bool) {
        let mut all = self.lock();
        all.retain(|id, sampler| sampler.is_running || is_there(id));
        let unseen = all
            .values_mut()
            .filter(|sampler| !sampler.is_running && sampler.watched_at.elapsed() >= SECONDS_FOR);
        unseen.for_each(|sampler| sampler.history.thin());
    }

    /// Reads a container's history; nothing when there is none.
    pub(super) fn read<T: Default>(&self, id: &ContainerId, read: impl Fn(&History) -> T) -> T {
        let all = self.lock();
        all.get(id)
            .map(|sampler| read(&sampler.history))
            .unwrap_or_default()
    }

    /// Takes a sampler away: its container is gone, and its watchers learn it.
    pub(super) fn end(&self, id: &ContainerId) {
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

/// Tells whether two looks are of one life of a container: its counters begin anew with each.
fn has_grown(before: &Stats, now: &Stats) -> bool {
    let used = |stats: &Stats| stats.cpu_stats.cpu_usage.total_usage;
    used(now) >= used(before) && now.cpu_stats.system_cpu_usage.is_some()
}

/// Keeps of a sample what the next one is compared with.
fn counters(mut stats: Stats) -> Stats {
    stats.memory_stats = MemoryStats::default();
    stats.precpu_stats = CpuStats::default();
    stats.cpu_stats.cpu_usage.percpu_usage = None;
    stats
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

    fn counted(second: u64) -> Stats {
        let mut stats = Stats {
            read: Timestamp::from_second(i64::try_from(second).unwrap())
                .unwrap()
                .to_string(),
            ..Stats::default()
        };
        stats.cpu_stats.online_cpus = Some(2);
        stats.cpu_stats.system_cpu_usage = Some(second * 2_000_000_000);
        stats.cpu_stats.cpu_usage.total_usage = second * 500_000_000;
        stats
    }

    #[test]
    fn two_rounds_are_a_row_and_the_next_is_due_in_a_minute() {
        let samplers = Samplers::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(samplers.is_due(&id(1), at(0)));
        samplers.count(&id(1), counted(0), at(0), u64::MAX);
        assert!(!samplers.is_due(&id(1), at(9)) && samplers.is_due(&id(1), at(10)));
        samplers.count(&id(1), counted(10), at(10), u64::MAX);
        assert!(!samplers.is_due(&id(1), at(60)) && samplers.is_due(&id(1), at(70)));
        samplers.count(&id(1), counted(70), at(70), u64::MAX);

        let rows = samplers.read(&id(1), History::all);
        assert_eq!(rows.len(), 2);
        assert!(
            (rows[1].cpu_percent - 50.0).abs() < 1e-9,
            "the mean of the minute"
        );
        let (_watch, _) = samplers.join(&id(1));
        assert!(!samplers.is_due(&id(1), at(500)), "its seconds come anyway");
    }

    #[test]
    fn a_container_that_was_started_again_has_no_row_across_its_lives() {
        let samplers = Samplers::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        samplers.count(&id(1), counted(100), at(0), u64::MAX);
        samplers.count(&id(1), counted(5), at(60), u64::MAX);
        assert!(samplers.read(&id(1), History::all).is_empty());
        samplers.count(&id(1), counted(65), at(120), u64::MAX);
        assert_eq!(samplers.read(&id(1), History::all).len(), 1);
    }

    #[test]
    fn what_is_gone_is_forgotten() {
        let samplers = Samplers::default();
        samplers.count(&id(1), counted(0), Timestamp::UNIX_EPOCH, 0);
        samplers.count(&id(2), counted(0), Timestamp::UNIX_EPOCH, 0);
        samplers.tidy(|there| *there == id(2));
        assert_eq!(samplers.lock().len(), 1);
    }

    #[test]
    fn histories_that_nobody_looks_at_are_bounded() {
        let samplers = Samplers::default();
        for n in 0..3_000 {
            drop(samplers.join(&id(n)));
            assert!(samplers.is_done(&id(n)));
        }
        assert!(samplers.lock().len() <= MOST_KEPT);
    }
}
