//! The index: what was last heard of a host, ready to be asked.
//!
//! Readers copy pointers out under a short lock; nobody holds it across an await. Every change is
//! announced to whoever watches, and a watcher that is too slow learns that it missed some.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::broadcast;

use super::facts::{ContainerFact, EventFact, HostFact, HostState, ImageFact, Phase};
use super::networks::NetworkFact;
use super::query::{ContainerQuery, EventQuery, ImageQuery, Page};
use crate::domain::{ContainerId, ImageId};

/// Events that are kept for the page of events.
const MOST_EVENTS: usize = 2_000;
/// Changes that a slow watcher may be behind.
const MOST_CHANGES: usize = 1_024;

/// What changed in the index.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A container is new or different.
    Container {
        /// As it is now.
        fact: Arc<ContainerFact>,
        /// Whether it was not there before.
        is_new: bool,
    },
    /// A container is gone.
    ContainerGone(ContainerId),
    /// The images are different.
    Images,
    /// The networks are different.
    Networks,
    /// Something happened.
    Event(Arc<EventFact>),
    /// The engine came, went, or says something else about itself.
    Host,
    /// Everything was read anew.
    All,
}

/// How many containers are in which phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub all: usize,
    /// Those that run; a paused one does not.
    pub running: usize,
    /// Those that ended.
    pub exited: usize,
    /// Those that ended with another code than 0, or out of memory.
    pub failed: usize,
}

/// Changes that are told again to whoever came a moment late.
const MOST_RECENT: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Facts {
    recent: VecDeque<(Instant, Change)>,
    host: HostFact,
    pub(super) containers: HashMap<ContainerId, Arc<ContainerFact>>,
    images: Vec<Arc<ImageFact>>,
    pub(super) networks: Vec<Arc<NetworkFact>>,
    events: VecDeque<Arc<EventFact>>,
}

/// The last known state of one host. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Index {
    facts: Arc<RwLock<Facts>>,
    changes: broadcast::Sender<Change>,
}

impl Default for Index {
    fn default() -> Self {
        let (changes, _) = broadcast::channel(MOST_CHANGES);
        Self {
            facts: Arc::default(),
            changes,
        }
    }
}

impl Index {
    /// Returns a page of containers.
    pub fn containers(&self, query: &ContainerQuery) -> Page<ContainerFact> {
        self.weighed_containers(query, |_| None)
    }

    /// Returns a page of containers, where the order may be one of weight.
    pub fn weighed_containers(
        &self,
        query: &ContainerQuery,
        weigh: impl Fn(&ContainerFact) -> Option<f64>,
    ) -> Page<ContainerFact> {
        let all: Vec<_> = self.read().containers.values().cloned().collect();
        query.run(all.into_iter(), weigh)
    }

    /// Returns the containers that have processes.
    pub fn alive(&self) -> Vec<ContainerId> {
        let facts = self.read();
        let alive = facts.containers.values();
        let alive = alive.filter(|fact| fact.phase.is_alive());
        alive.map(|fact| fact.id.clone()).collect()
    }

    /// Returns a container.
    pub fn container(&self, id: &ContainerId) -> Option<Arc<ContainerFact>> {
        self.read().containers.get(id).cloned()
    }

    /// Finds the container that somebody means: a whole id, the beginning of just one, or a name.
    pub fn find_container(&self, text: &str) -> Option<Arc<ContainerFact>> {
        let facts = self.read();
        if let Ok(id) = text.parse::<ContainerId>() {
            return facts.containers.get(&id).cloned();
        }
        let name = text.trim_start_matches('/');
        if let Some(fact) = facts.containers.values().find(|fact| fact.name == name) {
            return Some(Arc::clone(fact));
        }
        let mut begins = facts
            .containers
            .values()
            .filter(|fact| fact.id.as_str().starts_with(text));
        let first = begins.next().filter(|_| text.len() >= 4)?;
        begins.next().is_none().then(|| Arc::clone(first))
    }

    /// Counts the containers.
    pub fn counts(&self) -> Counts {
        let facts = self.read();
        let count = |fits: fn(&ContainerFact) -> bool| {
            facts.containers.values().filter(|fact| fits(fact)).count()
        };
        Counts {
            all: facts.containers.len(),
            running: count(|fact| fact.phase == Phase::Running),
            exited: count(|fact| fact.phase == Phase::Exited),
            failed: count(|fact| {
                fact.phase == Phase::Dead
                    || (fact.phase == Phase::Exited
                        && (fact.state.exit_code != 0 || fact.state.oom_killed))
            }),
        }
    }

    /// Returns a page of images.
    pub fn images(&self, query: &ImageQuery) -> Page<ImageFact> {
        let all = self.read().images.clone();
        query.run(all.into_iter())
    }

    /// Returns the containers that ended or cannot be taken away and that fit, the last one first.
    pub fn ended_last(
        &self,
        most: usize,
        fits: impl Fn(&ContainerFact) -> bool,
    ) -> Vec<Arc<ContainerFact>> {
        let mut ended: Vec<_> = {
            let facts = self.read();
            let all = facts.containers.values();
            let has_ended = |fact: &&Arc<ContainerFact>| {
                matches!(fact.phase, Phase::Exited | Phase::Dead) && fits(fact)
            };
            all.filter(has_ended).cloned().collect()
        };
        ended.sort_by_cached_key(|fact| {
            let at: Option<Timestamp> = fact.state.finished_at.parse().ok();
            (std::cmp::Reverse(at), fact.name.clone())
        });
        ended.truncate(most);
        ended
    }

    /// Returns how many images there are, and their sizes together.
    pub fn image_totals(&self) -> (usize, u64) {
        let facts = self.read();
        let size = |image: &Arc<ImageFact>| u64::try_from(image.summary.size).unwrap_or(0);
        (facts.images.len(), facts.images.iter().map(size).sum())
    }

    /// Finds the image that somebody means: its id, with or without `sha256:`, or a tag.
    pub fn find_image(&self, text: &str) -> Option<Arc<ImageFact>> {
        let facts = self.read();
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let by_id =
            |fact: &&Arc<ImageFact>| digits.len() >= 12 && fact.id.digits().starts_with(digits);
        let by_tag = |fact: &&Arc<ImageFact>| fact.tags.iter().any(|tag| tag == text);
        facts
            .images
            .iter()
            .find(by_id)
            .or_else(|| facts.images.iter().find(by_tag))
            .cloned()
    }

    /// Returns the containers that were made of an image.
    pub fn users_of(&self, image: &ImageId) -> Vec<Arc<ContainerFact>> {
        let facts = self.read();
        let mut users: Vec<_> = facts
            .containers
            .values()
            .filter(|fact| fact.summary.image_id == image.as_str())
            .cloned()
            .collect();
        users.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        users
    }

    /// Returns what the containers that have processes are made of: the image's name as it was asked
    /// for, and its id.
    pub fn running_images(&self) -> BTreeSet<(String, String)> {
        let facts = self.read();
        let alive = facts.containers.values();
        let alive = alive.filter(|fact| fact.phase.is_alive());
        alive
            .map(|fact| (fact.summary.image.clone(), fact.summary.image_id.clone()))
            .collect()
    }

    /// Returns every name of an image, with the image.
    pub fn named_images(&self) -> Vec<(String, Arc<ImageFact>)> {
        let facts = self.read();
        let all = facts.images.iter();
        all.flat_map(|image| {
            image
                .tags
                .iter()
                .map(|tag| (tag.clone(), Arc::clone(image)))
        })
        .collect()
    }

    /// Has the containers that fit, and the images, drawn again: something that is shown with them
    /// has changed.
    pub fn redraw(&self, fits: impl Fn(&ContainerFact) -> bool) {
        let all: Vec<_> = self.read().containers.values().cloned().collect();
        for fact in all.into_iter().filter(|fact| fits(fact)) {
            let mut facts = self.write();
            // As it is by now: what changed meanwhile has been announced, and nobody may go back.
            let Some(fact) = facts.containers.get(&fact.id).cloned() else {
                continue;
            };
            let is_new = false;
            self.tell(&mut facts, Change::Container { fact, is_new });
        }
        self.announce(Change::Images);
    }

    /// Returns a page of events, the newest first.
    pub fn events(&self, query: &EventQuery) -> Page<EventFact> {
        let all: Vec<_> = self.read().events.iter().rev().cloned().collect();
        query.run(all.into_iter())
    }

    /// Returns what is known of the host.
    pub fn host(&self) -> HostFact {
        self.read().host.clone()
    }

    /// Hears of changes from now on.
    pub fn watch(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Returns the changes of the last moments, the oldest first.
    pub fn recent(&self, within: Duration) -> Vec<Change> {
        let facts = self.read();
        let is_recent = |(at, _): &&(Instant, Change)| at.elapsed() <= within;
        let recent = facts.recent.iter().filter(is_recent);
        recent.map(|(_, change)| change.clone()).collect()
    }

    /// Returns the moment of the last event, in nanoseconds, for asking for those after it.
    pub(super) fn last_event_nano(&self) -> Option<i64> {
        self.read().events.back().map(|fact| fact.event.time_nano)
    }

    /// Takes in everything, read anew.
    pub(super) fn replace(
        &self,
        host: HostFact,
        containers: Vec<ContainerFact>,
        images: Vec<ImageFact>,
    ) {
        {
            let mut facts = self.write();
            facts.host = host;
            facts.containers = containers
                .into_iter()
                .map(|fact| (fact.id.clone(), Arc::new(fact)))
                .collect();
            facts.images = images.into_iter().map(Arc::new).collect();
        }
        self.announce(Change::All);
    }

    /// Takes in one container.
    pub(super) fn put_container(&self, fact: ContainerFact) {
        let fact = Arc::new(fact);
        let before = self
            .write()
            .containers
            .insert(fact.id.clone(), Arc::clone(&fact));
        if before.as_ref() != Some(&fact) {
            self.announce(Change::Container {
                fact,
                is_new: before.is_none(),
            });
        }
    }

    /// Takes out one container.
    pub(super) fn remove_container(&self, id: &ContainerId) {
        let before = self.write().containers.remove(id);
        if before.is_some() {
            self.announce(Change::ContainerGone(id.clone()));
        }
    }

    /// Takes in the images.
    pub(super) fn put_images(&self, images: Vec<ImageFact>) {
        let images: Vec<_> = images.into_iter().map(Arc::new).collect();
        let before = std::mem::replace(&mut self.write().images, images.clone());
        if before != images {
            self.announce(Change::Images);
        }
    }

    /// Takes in an event, unless it is known already.
    pub(super) fn put_event(&self, fact: EventFact) -> bool {
        let fact = Arc::new(fact);
        {
            let mut facts = self.write();
            let recent = facts.events.iter().rev().take(256);
            if recent.into_iter().any(|known| known.event == fact.event) {
                return false;
            }
            if facts.events.len() >= MOST_EVENTS {
                facts.events.pop_front();
            }
            facts.events.push_back(Arc::clone(&fact));
        }
        self.announce(Change::Event(fact));
        true
    }

    /// Takes in whether the engine answers.
    pub(super) fn put_state(&self, state: HostState) {
        {
            let mut facts = self.write();
            if facts.host.state == state {
                return;
            }
            facts.host.state = state;
        }
        self.announce(Change::Host);
    }

    pub(super) fn announce(&self, change: Change) {
        self.tell(&mut self.write(), change);
    }

    fn tell(&self, facts: &mut Facts, change: Change) {
        if facts.recent.len() >= MOST_RECENT {
            facts.recent.pop_front();
        }
        facts.recent.push_back((Instant::now(), change.clone()));
        // Nobody watching is no failure.
        let _n_watchers = self.changes.send(change);
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Facts> {
        self.facts.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Facts> {
        self.facts.write().unwrap_or_else(PoisonError::into_inner)
    }
}
