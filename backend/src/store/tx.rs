//! Reading and writing: a [`Write`] commits with an audit entry.

use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::{StoreError, audit};
use crate::domain::AuditEntry;

/// Anything that can read: a [`Read`], and a [`Write`] that looks before it changes.
pub trait Reads: Send {
    /// Returns the connection to read from.
    fn connection(&mut self) -> &mut SqliteConnection;
}

/// A connection that can only read.
#[derive(Debug)]
pub struct Read {
    connection: PoolConnection<Sqlite>,
}

impl Read {
    pub(super) const fn new(connection: PoolConnection<Sqlite>) -> Self {
        Self { connection }
    }
}

impl Reads for Read {
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

/// A change that has begun. Dropping it undoes it.
#[derive(Debug)]
#[must_use = "a change that is not committed is undone"]
pub struct Write {
    transaction: Transaction<'static, Sqlite>,
}

impl Write {
    pub(super) const fn new(transaction: Transaction<'static, Sqlite>) -> Self {
        Self { transaction }
    }

    /// Makes the change last, together with the entry that tells of it; returns its number.
    ///
    /// # Errors
    /// When the disk does not take it; then neither the change nor the entry is there.
    pub async fn commit(mut self, entry: &AuditEntry) -> Result<i64, StoreError> {
        let number = audit::append(&mut self, entry, None).await?;
        self.transaction.commit().await?;
        Ok(number)
    }

    /// Makes the change last and completes an entry that was written before it.
    ///
    /// # Errors
    /// As [`Write::commit`].
    pub async fn commit_end_of(mut self, opens: i64, entry: &AuditEntry) -> Result<(), StoreError> {
        audit::append(&mut self, entry, Some(opens)).await?;
        self.transaction.commit().await?;
        Ok(())
    }

    /// Makes a change last that is no decision of anybody: `why` says so to the reader.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub async fn commit_silent(self, why: &'static str) -> Result<(), StoreError> {
        tracing::trace!(why, "a change without an audit entry");
        self.transaction.commit().await?;
        Ok(())
    }
}

impl Reads for Write {
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }
}
