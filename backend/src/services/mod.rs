//! The rooms: what the product does.
//!
//! A function takes the [`Services`], a permit, and parsed arguments. What it acts on comes out of
//! the permit. A change is bracketed by the audit: an entry before, its result after; when the
//! entry cannot be written the change does not happen.
//!
//! **Invariant:** nothing here knows HTTP, and nothing changes the world without a permit. Logging
//! in and the first set-up are the two exceptions: there is nobody yet to hold one.
//!
//! Services call no other services, but: all use [`audit`]; `images` works through [`jobs`].

pub mod accounts;
pub mod audit;
pub mod containers;
pub mod drafts;
mod error;
pub mod events;
pub mod hosts;
mod masking;
pub mod setup;

use std::sync::Arc;

pub use error::{Error, Result};

use crate::access::Watchtower;
use crate::access::password::Hasher;
use crate::clock::Clock;
use crate::fleet::{Index, Link};
use crate::store::Store;
use crate::tasks::Tasks;

/// Everything the services work with. Cheap to clone.
#[derive(Clone)]
pub struct Services(Arc<Rooms>);

struct Rooms {
    store: Store,
    clock: Clock,
    tasks: Tasks,
    hasher: Hasher,
    watchtower: Watchtower,
    index: Index,
    link: Link,
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

    fn link(&self) -> &Link {
        &self.0.link
    }
}
