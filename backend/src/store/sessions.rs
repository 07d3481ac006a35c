//! Rows of `session`, and the session layer's view of them.
//!
//! A row is found by the fingerprint of the cookie's value, so the table alone opens no door. A
//! save never brings back a row that is gone: a request that was under way while somebody logged
//! out cannot log in again by ending later.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sqlx::Row;
use time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result as SessionResult};

use super::{Reads, Store, StoreError, Write};
use crate::clock::{self, Clock};
use crate::domain::{AccountId, Role, SessionKey};
use crate::ids;

/// A session ends when nothing was heard of it for so long.
pub const IDLE: SignedDuration = SignedDuration::from_hours(12);
/// A session ends so long after its login, whatever happens.
pub const ABSOLUTE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Being seen is written down at most so often.
const TOUCH: SignedDuration = SignedDuration::from_mins(1);

/// The member of a session's data that names its account.
pub const ACCOUNT: &str = "account";

/// Returns the key of a session whose cookie has the given value.
pub fn key(id: &Id) -> SessionKey {
    let fingerprint = ids::fingerprint(&id.to_string());
    fingerprint.parse().expect("a fingerprint is 43 characters")
}

/// Returns the role that a session has now; `None` when it or its account is gone or it is too old.
///
/// # Errors
/// When the database fails.
pub async fn role_of(
    read: &mut impl Reads,
    key: &SessionKey,
    now: Timestamp,
) -> Result<Option<Role>, StoreError> {
    let role: Option<String> = sqlx::query_scalar(
        "select account.role
         from session
         join account on account.account_id = session.account_id
         where session.session_key = ? and session.expires_at > ?",
    )
    .bind(key.as_str())
    .bind(clock::text(now))
    .fetch_optional(read.connection())
    .await?;
    role.map(|role| {
        role.parse()
            .map_err(|_| StoreError::Damaged { what: "role" })
    })
    .transpose()
}

/// Notes that a session is in use, at most once a minute.
///
/// # Errors
/// When the database fails.
pub async fn touch(
    store: &Store,
    key: &SessionKey,
    last_seen_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    if now.duration_since(last_seen_at) < TOUCH {
        return Ok(());
    }
    let mut write = store.write().await?;
    sqlx::query("update session set last_seen_at = ? where session_key = ?")
        .bind(clock::text(now))
        .bind(key.as_str())
        .execute(write.connection())
        .await?;
    write.commit_silent("being seen is no decision").await
}

/// Ends the sessions of an account, all but the one that is kept, if any.
///
/// # Errors
/// When the database fails.
pub async fn end_all(
    write: &mut Write,
    account: &AccountId,
    keep: Option<&SessionKey>,
) -> Result<u64, StoreError> {
    let done = sqlx::query("delete from session where account_id = ? and session_key <> ?")
        .bind(account.as_str())
        .bind(keep.map_or("", SessionKey::as_str))
        .execute(write.connection())
        .await?;
    Ok(done.rows_affected())
}

/// A session as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Which; not a cookie's value.
    pub key: SessionKey,
    /// When the login was.
    pub created_at: Timestamp,
    /// When it was last heard of, to the minute.
    pub last_seen_at: Timestamp,
}

/// Returns the sessions of an account, the one used last first.
///
/// # Errors
/// When the database fails.
pub async fn of_account(
    read: &mut impl Reads,
    account: &AccountId,
) -> Result<Vec<SessionRow>, StoreError> {
    let rows = sqlx::query(
        "select session_key, created_at, last_seen_at
         from session
         where account_id = ?
         order by last_seen_at desc",
    )
    .bind(account.as_str())
    .fetch_all(read.connection())
    .await?;
    let session = |row: &sqlx::sqlite::SqliteRow| {
        let damaged = |what| StoreError::Damaged { what };
        let text = |column: &str| row.try_get::<String, _>(column);
        Ok(SessionRow {
            key: text("session_key")?
                .parse()
                .map_err(|_| damaged("session"))?,
            created_at: text("created_at")?.parse().map_err(|_| damaged("time"))?,
            last_seen_at: text("last_seen_at")?.parse().map_err(|_| damaged("time"))?,
        })
    };
    rows.iter().map(session).collect()
}

/// Removes the sessions that are too old.
///
/// # Errors
/// When the database fails.
pub async fn remove_expired(write: &mut Write, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("delete from session where expires_at <= ? or last_seen_at <= ?")
        .bind(clock::text(now))
        .bind(clock::text(now - IDLE))
        .execute(write.connection())
        .await?;
    Ok(done.rows_affected())
}

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
        let account = record
            .data
            .get(ACCOUNT)
            .and_then(|value| value.as_str())
            .ok_or(StoreError::Damaged { what: "session" })?;
        let now = self.clock.now();
        let mut write = self.store.write().await?;
        sqlx::query(
            "insert into session
                 (session_key, account_id, created_at, last_seen_at, expires_at, data)
             values (?, ?, ?, ?, ?, ?)",
        )
        .bind(key(&record.id).as_str())
        .bind(account)
        .bind(clock::text(now))
        .bind(clock::text(now))
        .bind(clock::text(now + ABSOLUTE))
        .bind(data(record)?)
        .execute(write.connection())
        .await?;
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
        touch(&self.store, &key, moment("last_seen_at")?, now).await?;
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
mod tests {
    use tower_sessions::SessionStore;

    use super::*;
    use crate::store::accounts::tests::add;
    use crate::store::database::tests::fresh;

    async fn login(sessions: &Sessions, account: &AccountId) -> Record {
        let mut record = Record {
            id: Id::default(),
            data: [(ACCOUNT.to_owned(), account.as_str().into())].into(),
            expiry_date: OffsetDateTime::UNIX_EPOCH,
        };
        sessions.create(&mut record).await.unwrap();
        record
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

    #[tokio::test]
    async fn sessions_end_with_their_account_and_all_but_one_on_demand() {
        let (_dir, store) = fresh().await;
        let ana = add(&store, "ana", Role::Owner).await;
        let ben = add(&store, "ben", Role::Viewer).await;
        let sessions = Sessions::new(store.clone(), Clock::manual(0));
        let (kept, ended) = (
            login(&sessions, &ana.id).await,
            login(&sessions, &ana.id).await,
        );
        let of_ben = login(&sessions, &ben.id).await;

        let mut write = store.write().await.unwrap();
        assert_eq!(
            end_all(&mut write, &ana.id, Some(&key(&kept.id)))
                .await
                .unwrap(),
            1
        );
        super::super::accounts::delete(&mut write, &ben.id)
            .await
            .unwrap();
        write.commit_silent("a test").await.unwrap();

        let mut read = store.read().await.unwrap();
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(
            role_of(&mut read, &key(&kept.id), now).await.unwrap(),
            Some(Role::Owner)
        );
        assert_eq!(
            role_of(&mut read, &key(&ended.id), now).await.unwrap(),
            None
        );
        assert_eq!(
            role_of(&mut read, &key(&of_ben.id), now).await.unwrap(),
            None
        );
    }
}
