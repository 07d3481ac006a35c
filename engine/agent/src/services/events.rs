//! Facts on their way up: a bounded journal in memory, and whoever listens.
//!
//! A fact is published once; its time is unique and rises, so that a listener who lost its
//! connection asks for everything since the last one it saw. A listener that falls more than the
//! journal behind loses its stream, never facts in the middle of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine_api::events::{Actor, Event};
use engine_api::filter::Filters;
use tokio::sync::broadcast;

use crate::clock::Clock;

/// How many facts are kept for replay: some minutes of a busy host.
const JOURNAL_EVENTS: usize = 1024;

/// How many facts a listener may lag behind.
const LAG_EVENTS: usize = 1024;

/// The kinds of things that facts are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Builder,
    Container,
    Image,
    Network,
    Volume,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::Container => "container",
            Self::Image => "image",
            Self::Network => "network",
            Self::Volume => "volume",
        }
    }
}

/// Where facts are published and read.
#[derive(Debug)]
pub(crate) struct Events {
    clock: Clock,
    journal: Mutex<Journal>,
    live: broadcast::Sender<Arc<Event>>,
}

#[derive(Debug, Default)]
struct Journal {
    events: VecDeque<Arc<Event>>,
    last_ns: i64,
}

/// Which facts a listener wants.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// From then on, including it.
    pub since_ns: Option<i64>,
    /// Until then.
    pub until_ns: Option<i64>,
    pub filters: Filters,
}

impl Events {
    pub(crate) fn new(clock: Clock) -> Self {
        let (live, _) = broadcast::channel(LAG_EVENTS);
        Self {
            clock,
            journal: Mutex::default(),
            live,
        }
    }

    /// Tells everybody that something happened to a thing.
    pub(crate) fn publish(
        &self,
        kind: Kind,
        action: impl Into<String>,
        id: impl Into<String>,
        attributes: BTreeMap<String, String>,
    ) {
        let mut journal = self.journal();
        let time_nano = self.clock.now_ns().max(journal.last_ns + 1);
        journal.last_ns = time_nano;
        let event = Arc::new(Event {
            kind: kind.as_str().to_owned(),
            action: action.into(),
            actor: Actor {
                id: id.into(),
                attributes,
            },
            scope: "local".to_owned(),
            time: time_nano.div_euclid(1_000_000_000),
            time_nano,
        });
        if journal.events.len() == JOURNAL_EVENTS {
            journal.events.pop_front();
        }
        journal.events.push_back(Arc::clone(&event));
        // Sent under the lock, so that a listener's replay and its live part join without a gap.
        // Nobody listening is no failure.
        let _ = self.live.send(event);
    }

    /// Begins to listen: first what the journal holds since then, if asked, then what comes.
    pub(crate) fn listen(&self, selection: Selection) -> Listener {
        let journal = self.journal();
        let live = self.live.subscribe();
        let replay = match selection.since_ns {
            None => VecDeque::new(),
            Some(since) => journal
                .events
                .iter()
                .filter(|e| e.time_nano >= since)
                .cloned()
                .collect(),
        };
        drop(journal);
        let ends_in_ns = selection.until_ns.map(|until| until - self.clock.now_ns());
        Listener {
            replay,
            live,
            selection,
            ends_in_ns,
        }
    }

    /// Returns how many listen.
    pub(crate) fn n_listeners(&self) -> usize {
        self.live.receiver_count()
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who listens; dropping it ends that.
#[derive(Debug)]
pub(crate) struct Listener {
    replay: VecDeque<Arc<Event>>,
    live: broadcast::Receiver<Arc<Event>>,
    selection: Selection,
    /// How long after the beginning `until` comes; negative when it has passed.
    ends_in_ns: Option<i64>,
}

impl Listener {
    /// Returns when to stop listening, counted from the beginning.
    pub(crate) fn ends_in(&self) -> Option<std::time::Duration> {
        let ns = u64::try_from(self.ends_in_ns?).unwrap_or(0);
        Some(std::time::Duration::from_nanos(ns))
    }

    /// Returns the next fact that was asked for; `None` when the stream is over. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Option<Arc<Event>> {
        loop {
            let event = match self.replay.pop_front() {
                Some(event) => event,
                // Once `until` has passed there is only the replay.
                None if self.ends_in_ns.is_some_and(|ns| ns <= 0) => return None,
                None => self.live.recv().await.ok()?,
            };
            if self
                .selection
                .until_ns
                .is_some_and(|until| event.time_nano > until)
            {
                return None;
            }
            if matches(&event, &self.selection.filters) {
                return Some(event);
            }
        }
    }
}

/// Tells whether an event fulfils the filters of the query.
fn matches(event: &Event, filters: &Filters) -> bool {
    let attributes = &event.actor.attributes;
    let attribute = |name: &str| attributes.get(name).map(String::as_str).unwrap_or_default();
    // "exec_start: sh" is asked for as "exec_start".
    let action = event.action.split(':').next().unwrap_or_default();
    let is = |kind: &str, wanted: &str| {
        event.kind == kind
            && !wanted.is_empty()
            && (event.actor.id.starts_with(wanted) || attribute("name") == wanted)
    };
    let image_named = |wanted: &str| {
        let name = if event.kind == "image" {
            attribute("name")
        } else {
            attribute("image")
        };
        name == wanted || name.split(':').next() == Some(wanted) || is("image", wanted)
    };
    filters.any("type", |wanted| event.kind == wanted)
        && filters.any("event", |wanted| event.action == wanted || action == wanted)
        && filters.any("scope", |wanted| event.scope == wanted)
        && filters.any("container", |wanted| is("container", wanted))
        && filters.any("image", image_named)
        && filters.labels_match(attributes)
        && [
            "network", "volume", "daemon", "plugin", "service", "node", "secret", "config",
        ]
        .iter()
        .all(|kind| filters.any(kind, |wanted| is(kind, wanted)))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use super::*;

    fn events_at(time: &Arc<AtomicI64>) -> Events {
        Events::new(Clock::Fixed(Arc::clone(time)))
    }

    fn publish(events: &Events, action: &str, id: &str) {
        let attributes = BTreeMap::from([
            ("name".to_owned(), "web".to_owned()),
            ("tier".to_owned(), "front".to_owned()),
        ]);
        events.publish(Kind::Container, action, id, attributes);
    }

    async fn actions(listener: &mut Listener) -> Vec<String> {
        let mut actions = Vec::new();
        while let Some(event) = listener.next().await {
            actions.push(event.action.clone());
        }
        actions
    }

    #[tokio::test]
    async fn a_past_until_ends_after_the_replay() {
        let time = Arc::new(AtomicI64::new(100));
        let events = events_at(&time);
        for action in ["create", "start", "die"] {
            publish(&events, action, "a");
        }
        time.store(1_000, std::sync::atomic::Ordering::Relaxed);
        let selection = Selection {
            since_ns: Some(101),
            until_ns: Some(500),
            ..Selection::default()
        };
        let mut listener = events.listen(selection);
        assert_eq!(actions(&mut listener).await, ["start", "die"]);
    }

    #[tokio::test]
    async fn times_are_unique_even_when_the_clock_stands_or_goes_back() {
        let time = Arc::new(AtomicI64::new(100));
        let events = events_at(&time);
        publish(&events, "create", "a");
        time.store(50, std::sync::atomic::Ordering::Relaxed);
        publish(&events, "start", "a");
        let mut listener = events.listen(Selection {
            since_ns: Some(0),
            ..Selection::default()
        });
        let (first, second) = (
            listener.next().await.unwrap(),
            listener.next().await.unwrap(),
        );
        assert!(first.time_nano < second.time_nano);
    }

    #[tokio::test]
    async fn filters_choose_by_kind_action_name_and_label() {
        let events = events_at(&Arc::new(AtomicI64::new(1)));
        for action in ["create", "start", "exec_start: sh -c true"] {
            publish(&events, action, "abcdef");
        }
        let count = async |filters: Filters| {
            let selection = Selection {
                since_ns: Some(0),
                until_ns: Some(0),
                filters,
            };
            let mut listener = events.listen(selection);
            listener.selection.until_ns = None;
            actions(&mut listener).await.len()
        };
        assert_eq!(count(Filters::default()).await, 3);
        assert_eq!(
            count(Filters::default().with("event", "exec_start")).await,
            1
        );
        assert_eq!(count(Filters::default().with("container", "abc")).await, 3);
        assert_eq!(count(Filters::default().with("container", "web")).await, 3);
        assert_eq!(count(Filters::default().with("type", "image")).await, 0);
        assert_eq!(
            count(Filters::default().with("label", "tier=front")).await,
            3
        );
        assert_eq!(
            count(Filters::default().with("label", "tier=back")).await,
            0
        );
    }

    #[tokio::test]
    async fn the_journal_is_bounded() {
        let events = events_at(&Arc::new(AtomicI64::new(1)));
        for _ in 0..3 * JOURNAL_EVENTS {
            publish(&events, "start", "a");
        }
        assert_eq!(events.journal().events.len(), JOURNAL_EVENTS);
    }
}
