//! Watching whether a decision still holds.
//!
//! A stream lives longer than the request that was allowed. It holds a [`Watch`], which asks again
//! whenever the [`Watchtower`] is told that something changed, and every few seconds besides: so
//! that an account changed by another process (`gantry admin`) ends its streams too.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::permission::PermissionId;
use super::policy;
use crate::clock::Clock;
use crate::domain::SessionKey;
use crate::store::{Store, StoreError, sessions};

/// A right that is gone is noticed within this time at the latest.
const ROUND: Duration = Duration::from_secs(4);

/// Where changes to sessions and accounts are announced.
#[derive(Clone, Debug)]
pub struct Watchtower {
    store: Store,
    clock: Clock,
    changes: Arc<watch::Sender<()>>,
}

impl Watchtower {
    /// Returns a watchtower over the sessions of a store.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            changes: Arc::new(watch::Sender::new(())),
        }
    }

    /// Announces that a session ended or an account changed.
    pub fn announce(&self) {
        self.changes.send_replace(());
    }

    pub(super) fn watch(&self, session: SessionKey, permission: PermissionId) -> Watch {
        Watch {
            store: self.store.clone(),
            clock: self.clock.clone(),
            changes: self.changes.subscribe(),
            session,
            permission,
        }
    }
}

/// One decision under watch.
#[derive(Clone, Debug)]
pub struct Watch {
    store: Store,
    clock: Clock,
    changes: watch::Receiver<()>,
    session: SessionKey,
    permission: PermissionId,
}

impl Watch {
    /// Returns when the decision no longer holds.
    pub async fn revoked(mut self) {
        loop {
            let _change_or_round = tokio::time::timeout(ROUND, self.changes.changed()).await;
            if !self.holds_now().await {
                return;
            }
        }
    }

    /// Tells whether the decision holds. A right that cannot be shown is none.
    pub async fn holds_now(&self) -> bool {
        self.holds().await.unwrap_or_else(|error| {
            let error = crate::errors::chain(&error);
            tracing::error!(error, "a right cannot be read");
            false
        })
    }

    async fn holds(&self) -> Result<bool, StoreError> {
        let mut read = self.store.read().await?;
        let role = sessions::role_of(&mut read, &self.session, self.clock.now()).await?;
        Ok(role.is_some_and(|role| policy::decide(role, self.permission).is_some()))
    }
}
