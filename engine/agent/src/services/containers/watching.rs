//! Figures for those who look on: one look a second at each container that is watched, however many
//! watch it.
//!
//! ```text
//!   stream ── watch ──┬── watched: id → lines ──> every stream of that container
//!   stream ── watch ──┘        ^
//!                           rounds: one task, while anybody watches; one thread that may block
//!                           reads all of them, with files that stay open from round to round
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use engine_api::id::ContainerId;
use engine_runtime::{Phase, rlimit_most, usage};

use super::registry::{Containers, Handle, Site};
use super::stats::{Looker, Sample, stats};
use super::view::View;
use crate::services::error::Result;
use crate::tasks::blocking;

/// How far two looks lie apart.
pub(crate) const PERIOD: Duration = Duration::from_secs(1);
/// What a looker holds open; half of the engine's descriptors may go to lookers. Beyond that a look
/// opens its files each time, which costs about as much again.
const FILES_OF_ONE: u64 = 14;

/// Who is watched.
#[derive(Default)]
pub(crate) struct Watching {
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    by_id: BTreeMap<ContainerId, watch::Sender<Bytes>>,
    /// What was seen of those who came since the last round.
    fresh: BTreeMap<ContainerId, Option<Sample>>,
    /// A task makes the rounds.
    has_rounds: bool,
}

/// What the rounds know of one container.
struct Seen {
    before: Option<Sample>,
    looker: Option<Looker>,
}

/// One container in one round.
struct Turn {
    handle: Arc<Handle>,
    lines: watch::Sender<Bytes>,
    seen: Seen,
}

impl Watching {
    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Containers {
    /// Begins to watch a container: a line of JSON a second, the first a second after `sample`. The
    /// lines end when the container is gone.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn watch_use(
        &self,
        reference: &str,
        sample: Option<Sample>,
    ) -> Result<watch::Receiver<Bytes>> {
        let id = self.find(reference)?.id.clone();
        let mut watched = self.site.watching.watched();
        if let Some(lines) = watched.by_id.get(&id) {
            return Ok(lines.subscribe());
        }
        let (lines, receiver) = watch::channel(Bytes::new());
        watched.by_id.insert(id.clone(), lines);
        watched.fresh.insert(id, sample);
        if !watched.has_rounds {
            watched.has_rounds = true;
            let site = Arc::clone(&self.site);
            self.site.tasks.spawn("figures", rounds(site));
        }
        Ok(receiver)
    }
}

/// Makes the rounds until nobody watches.
async fn rounds(site: Arc<Site>) {
    let n_lookers = usize::try_from(rlimit_most("nofile") / 2 / FILES_OF_ONE).unwrap_or(usize::MAX);
    let mut seen = BTreeMap::new();
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first is at once.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let Some(turns) = turns(&site, &mut seen) else {
            return;
        };
        let place = Arc::clone(&site);
        seen = blocking(move || round(&place, turns, n_lookers)).await;
    }
}

/// Who is to be looked at; `None` when nobody watches any more.
fn turns(site: &Site, seen: &mut BTreeMap<ContainerId, Seen>) -> Option<Vec<Turn>> {
    let mut watched = site.watching.watched();
    let fresh = std::mem::take(&mut watched.fresh);
    for (id, before) in fresh {
        seen.insert(
            id,
            Seen {
                before,
                looker: None,
            },
        );
    }
    let mut turns = Vec::new();
    watched.by_id.retain(|id, lines| {
        let handle = site.by_id(id.as_str());
        let (Some(handle), false) = (handle, lines.is_closed()) else {
            return false;
        };
        let seen = seen.remove(id).unwrap_or(Seen {
            before: None,
            looker: None,
        });
        turns.push(Turn {
            handle,
            lines: lines.clone(),
            seen,
        });
        true
    });
    watched.has_rounds = !turns.is_empty();
    watched.has_rounds.then_some(turns)
}

/// Looks at each and tells those who watch it; blocks.
fn round(site: &Site, turns: Vec<Turn>, n_lookers: usize) -> BTreeMap<ContainerId, Seen> {
    // One look at the machine is enough for all.
    let host = usage::read_host().ok();
    let mut n_open = 0;
    let mut next = BTreeMap::new();
    let mut told = Vec::with_capacity(turns.len());
    for Turn {
        handle,
        lines,
        mut seen,
    } in turns
    {
        let id = handle.id.clone();
        if seen
            .before
            .as_ref()
            .is_some_and(|before| before.is_younger(site, PERIOD / 2))
        {
            // Two looks that lie too close say nothing about the time between them.
            next.insert(id, seen);
            continue;
        }
        let view = handle.view();
        let sample = look(site, &view, &mut seen.looker, host);
        let mut sample = sample;
        let figures = stats(&view, sample.as_mut(), seen.before.as_ref());
        if let Ok(mut line) = serde_json::to_vec(&figures) {
            line.push(b'\n');
            told.push((lines, Bytes::from(line)));
        }
        if let Some(looker) = &mut seen.looker {
            looker.reuse(figures);
        }
        n_open += usize::from(seen.looker.is_some());
        let looker = seen.looker.filter(|_| n_open <= n_lookers);
        let before = sample;
        next.insert(id, Seen { before, looker });
    }
    // All at once: who writes to them is woken once, not for each.
    for (lines, line) in told {
        lines.send_replace(line);
    }
    next
}

fn look(
    site: &Site,
    view: &View,
    looker: &mut Option<Looker>,
    host: Option<usage::HostUsage>,
) -> Option<Sample> {
    let Phase::Running { pid, .. } = view.phase else {
        *looker = None;
        return None;
    };
    if looker
        .as_ref()
        .is_none_or(|looker| !looker.is_of(pid, &view.record))
    {
        *looker = Looker::new(site, view, pid);
    }
    let sample = looker.as_mut()?.look(site, host);
    if sample.is_none() {
        *looker = None;
    }
    sample
}
