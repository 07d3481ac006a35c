//! The sessions as the session layer sees them.
//!
//! A save never brings back a row that is gone: a request that was under way while somebody logged
//! out cannot log in again by ending later.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::Row;
use time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result as SessionResult};

use super::sessions::{ABSOLUTE, ACCOUNT, ADDRESS, BROWSER, IDLE, end_surplus, key, touch};
use super::{Reads, Store, StoreError};
use crate::clock::{self, Clock};

/// The sessions as the session layer sees them.
#[derive(Clone, Debug)]
pub struct Sessions {
    store: Store,
    clock: Clock,
}

impl Sessions {
    /// Returns the sessions of a store.
    pub const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    async fn insert(&self, record: &Record) -> Result<(), StoreError> {
        let member = |name| record.data.get(name).and_then(|value| value.as_str());
        let account = member(ACCOUNT).ok_or(StoreError::Damaged { what: "session" })?;
        let now = self.clock.now();
        let mut write = self.store.write().await?;
        sqlx::query(
            "insert into session
                 (session_key, account_id, browser, address, created_at, last_seen_at, expires_at,
                  data)
             values (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(key(&record.id).as_str())
        .bind(account)
        .bind(member(BROWSER).unwrap_or_default())
        .bind(member(ADDRESS).unwrap_or_default())
        .bind(clock::text(now))
        .bind(clock::text(now))
        .bind(clock::text(now + ABSOLUTE))
        .bind(data(record)?)
        .execute(write.connection())
        .await?;
        end_surplus(&mut write, account).await?;
        write
            .commit_silent("the login that makes a session has its own entry")
            .await
    }

    async fn update(&self, record: &Record) -> Result<(), StoreError> {
        let mut write = self.store.write().await?;
        sqlx::query("update session set data = ? where session_key = ?")
            .bind(data(record)?)
            .bind(key(&record.id).as_str())
            .execute(write.connection())
            .await?;
        write
            .commit_silent("what a session remembers is no decision")
            .await
    }

    async fn find(&self, id: &Id) -> Result<Option<Record>, StoreError> {
        let now = self.clock.now();
        let key = key(id);
        let row = sqlx::query(
            "select data, last_seen_at, expires_at
             from session
             where session_key = ? and expires_at > ? and last_seen_at > ?",
        )
        .bind(key.as_str())
        .bind(clock::text(now))
        .bind(clock::text(now - IDLE))
        .fetch_optional(self.store.read().await?.connection())
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let damaged = |what| StoreError::Damaged { what };
        let moment = |column: &str| -> Result<Timestamp, StoreError> {
            row.try_get::<String, _>(column)?
                .parse()
                .map_err(|_| damaged("time"))
        };
        if let Err(error) = touch(&self.store, &key, moment("last_seen_at")?, now).await {
            let error = crate::errors::chain(&error);
            tracing::warn!(error, "a session's use could not be noted");
        }
        let text: String = row.try_get("data")?;
        Ok(Some(Record {
            id: *id,
            data: serde_json::from_str(&text).map_err(|_| damaged("session"))?,
            expiry_date: OffsetDateTime::from_unix_timestamp(moment("expires_at")?.as_second())
                .map_err(|_| damaged("time"))?,
        }))
    }

    async fn remove(&self, id: &Id) -> Result<(), StoreError> {
        let mut write = self.store.write().await?;
        sqlx::query("delete from session where session_key = ?")
            .bind(key(id).as_str())
            .execute(write.connection())
            .await?;
        write
            .commit_silent("the logout that ends a session has its own entry")
            .await
    }
}

#[async_trait]
impl tower_sessions::SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> SessionResult<()> {
        for _ in 0..4 {
            match self.insert(record).await {
                Err(error) if error.breaks("session_key") => record.id = Id::default(),
                done => return done.map_err(backend),
            }
        }
        Err(Error::Backend("no free session id".to_owned()))
    }

    async fn save(&self, record: &Record) -> SessionResult<()> {
        self.update(record).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> SessionResult<Option<Record>> {
        self.find(id).await.map_err(backend)
    }

    async fn delete(&self, id: &Id) -> SessionResult<()> {
        self.remove(id).await.map_err(backend)
    }
}

fn data(record: &Record) -> Result<String, StoreError> {
    serde_json::to_string(&record.data).map_err(|_| StoreError::Damaged { what: "session" })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is the end of the error's way"
)]
fn backend(error: StoreError) -> Error {
    Error::Backend(crate::errors::chain(&error))
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::SignedDuration;
    use tower_sessions::SessionStore;

    use super::*;
    use crate::domain::{AccountId, Role};
    use crate::store::accounts::tests::add;
    use crate::store::database::tests::fresh;

    pub(crate) async fn login(sessions: &Sessions, account: &AccountId) -> Record {
        let mut record = Record {
            id: Id::default(),
            data: [
                (ACCOUNT.to_owned(), account.as_str().into()),
                (BROWSER.to_owned(), "Firefox 133 · Linux".into()),
                (ADDRESS.to_owned(), "192.0.2.7".into()),
            ]
            .into(),
            expiry_date: OffsetDateTime::UNIX_EPOCH,
        };
        sessions.create(&mut record).await.unwrap();
        record
    }

    #[tokio::test]
    async fn a_session_that_cannot_be_written_is_still_read() {
        let (_dir, store) = fresh().await;
        let clock = Clock::manual(1_000_000);
        let ana = add(&store, "ana", Role::Owner).await;
        let sessions = Sessions::new(store.clone(), clock.clone());
        let record = login(&sessions, &ana.id).await;
        clock.advance(jiff::SignedDuration::from_mins(1));

        let writing = store.write().await.unwrap();
        let patience = std::time::Duration::from_secs(5);
        let loaded = tokio::time::timeout(patience, sessions.load(&record.id)).await;
        assert!(loaded.unwrap().unwrap().is_some(), "while another writes");
        drop(writing);

        let mut write = store.write().await.unwrap();
        let full = "create trigger full before update on session
                    begin select raise(abort, 'database or disk is full'); end";
        sqlx::query(full).execute(write.connection()).await.unwrap();
        write.commit_silent("a full disk").await.unwrap();
        assert!(sessions.load(&record.id).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_session_ends_when_idle_and_at_the_latest_after_a_week() {
        let (_dir, store) = fresh().await;
        let clock = Clock::manual(1_000_000);
        let ana = add(&store, "ana", Role::Owner).await;
        let sessions = Sessions::new(store, clock.clone());
        let record = login(&sessions, &ana.id).await;
        let idle = login(&sessions, &ana.id).await;

        for _ in 0..15 {
            clock.advance(SignedDuration::from_hours(11));
            assert!(sessions.load(&record.id).await.unwrap().is_some());
        }

        assert!(
            sessions.load(&idle.id).await.unwrap().is_none(),
            "twelve hours unseen"
        );
        clock.advance(SignedDuration::from_hours(11));
        assert!(
            sessions.load(&record.id).await.unwrap().is_none(),
            "a week old"
        );
    }

    #[tokio::test]
    async fn a_session_that_ended_does_not_come_back_with_a_late_save() {
        let (_dir, store) = fresh().await;
        let ana = add(&store, "ana", Role::Owner).await;
        let sessions = Sessions::new(store, Clock::manual(0));
        let record = login(&sessions, &ana.id).await;
        sessions.delete(&record.id).await.unwrap();

        sessions.save(&record).await.unwrap();

        assert!(sessions.load(&record.id).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn the_cookies_value_is_not_in_the_table() {
        let (_dir, store) = fresh().await;
        let ana = add(&store, "ana", Role::Owner).await;
        let sessions = Sessions::new(store.clone(), Clock::manual(0));
        let record = login(&sessions, &ana.id).await;

        let row: String = sqlx::query_scalar("select session_key || data from session")
            .fetch_one(store.read().await.unwrap().connection())
            .await
            .unwrap();

        assert!(!row.contains(&record.id.to_string()));
    }
}
