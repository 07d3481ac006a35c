//! What the services share: the database, the clock, the index, the link.

use std::sync::Arc;

use super::edits::Going;
use super::jobs::Jobs;
use super::metrics::Samplers;
use super::refusals::Refusals;
use super::terminals::Terminals;
use super::updates::{Known, Marks};
use crate::access::Watchtower;
use crate::access::password::Hasher;
use crate::clock::Clock;
use crate::fleet::{self, Index, Link};
use crate::store::Store;
use crate::tasks::Tasks;

/// Everything the services work with. Cheap to clone.
#[derive(Clone)]
pub struct Services(pub(super) Arc<Rooms>);

pub(super) struct Rooms {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) tasks: Tasks,
    pub(super) hasher: Hasher,
    pub(super) watchtower: Watchtower,
    pub(super) index: Index,
    pub(super) link: Link,
    pub(super) jobs: Jobs,
    pub(super) going: Going,
    pub(super) refusals: Refusals,
    pub(super) samplers: Samplers,
    pub(super) terminals: Terminals,
    pub(super) known: Known,
}

impl Services {
    /// Joins the services of one server.
    pub fn new(store: Store, clock: Clock, tasks: Tasks, index: Index, link: Link) -> Self {
        let watchtower = Watchtower::new(store.clone(), clock.clone());
        Self(Arc::new(Rooms {
            hasher: Hasher::default(),
            store,
            clock,
            tasks,
            watchtower,
            index,
            link,
            jobs: Jobs::default(),
            going: Going::default(),
            refusals: Refusals::default(),
            samplers: Samplers::default(),
            terminals: Terminals::default(),
            known: Known::default(),
        }))
    }

    /// Returns the database; for the doors that must look before there is a permit.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Returns the clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Returns the tasks.
    pub fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    /// Returns where changed rights are announced.
    pub fn watchtower(&self) -> &Watchtower {
        &self.0.watchtower
    }

    /// Returns the index; for finding the place that a permit is asked for.
    pub fn index(&self) -> &Index {
        &self.0.index
    }

    /// Returns the jobs; for finding the place that a permit is asked for.
    pub fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }

    /// Returns the edits that go on.
    pub(super) fn going(&self) -> &Going {
        &self.0.going
    }

    pub(super) fn samplers(&self) -> &Samplers {
        &self.0.samplers
    }

    pub(super) fn terminals(&self) -> &Terminals {
        &self.0.terminals
    }

    pub(super) fn known(&self) -> &Known {
        &self.0.known
    }

    /// Returns what tells how images stand against their registries.
    pub fn marks(&self) -> Marks {
        Marks::new(self.known().clone(), self.index().clone())
    }

    /// Returns where the engine answers, for people who want to ask it themselves.
    pub fn engine_address(&self) -> String {
        self.0.link.address()
    }

    pub(super) fn link(&self) -> &Link {
        &self.0.link
    }

    /// Keeps the index in step with the engine, for as long as it is polled.
    pub async fn follow_engine(self) {
        let (link, index, clock) = (
            self.link().clone(),
            self.index().clone(),
            self.clock().clone(),
        );
        fleet::ingest(link, index, clock, fleet::Pulse::default()).await;
    }
}
