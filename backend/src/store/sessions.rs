//! Rows of `session`.
//!
//! A row is found by the fingerprint of the cookie's value, so the table alone opens no door.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sqlx::Row;
use tower_sessions::session::Id;

pub use super::session_layer::Sessions;
use super::{Reads, Store, StoreError, Write};
use crate::clock;
use crate::domain::{AccountId, Role, SessionKey};
use crate::ids;

/// A session ends when nothing was heard of it for so long.
pub const IDLE: SignedDuration = SignedDuration::from_hours(12);
/// A session ends so long after its login, whatever happens.
pub const ABSOLUTE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Being seen is written down at most so often.
const TOUCH: SignedDuration = SignedDuration::from_mins(1);
/// How long that waits for others that write.
const TOUCH_PATIENCE: Duration = Duration::from_millis(100);

/// Sessions of one account; more than anybody has browsers.
const MOST_OF_ONE: i64 = 100;

/// The member of a session's data that names its account.
pub const ACCOUNT: &str = "account";
/// The member that says with which browser the login was.
pub const BROWSER: &str = "browser";
/// The member that says from which address.
pub const ADDRESS: &str = "address";

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

/// Notes that a session is in use, at most once a minute, and not while somebody else writes for
/// long: whoever only looks does not wait for a change.
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
    let Ok(write) = tokio::time::timeout(TOUCH_PATIENCE, store.write()).await else {
        return Ok(());
    };
    let mut write = write?;
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

/// Ends the sessions of an account that were used longest ago, where it has too many: a program that
/// logs in for each request would else fill the table in the seven days that a session may last.
///
/// # Errors
/// When the database fails.
pub(super) async fn end_surplus(write: &mut Write, account: &str) -> Result<(), StoreError> {
    sqlx::query(
        "delete from session
         where account_id = ?1 and session_key not in (
             select session_key
             from session
             where account_id = ?1
             order by last_seen_at desc, created_at desc, rowid desc
             limit ?2
         )",
    )
    .bind(account)
    .bind(MOST_OF_ONE)
    .execute(write.connection())
    .await?;
    Ok(())
}

/// Ends one session of an account; tells whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn end_one(
    write: &mut Write,
    account: &AccountId,
    key: &SessionKey,
) -> Result<bool, StoreError> {
    let done = sqlx::query("delete from session where account_id = ? and session_key = ?")
        .bind(account.as_str())
        .bind(key.as_str())
        .execute(write.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

/// A session as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Which; not a cookie's value.
    pub key: SessionKey,
    /// The browser of the login, as it calls itself.
    pub browser: String,
    /// The address that the login came from.
    pub address: String,
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
        "select session_key, browser, address, created_at, last_seen_at
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
            browser: text("browser")?,
            address: text("address")?,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::store::accounts::tests::add;
    use crate::store::database::tests::fresh;
    use crate::store::session_layer::tests::login;

    #[tokio::test]
    async fn a_session_is_ended_by_its_owner_alone_and_shows_where_it_is() {
        let (_dir, store) = fresh().await;
        let ana = add(&store, "ana", Role::Owner).await;
        let ben = add(&store, "ben", Role::Viewer).await;
        let sessions = Sessions::new(store.clone(), Clock::manual(0));
        let record = login(&sessions, &ana.id).await;
        let key = key(&record.id);

        let mut write = store.write().await.unwrap();
        let rows = of_account(&mut write, &ana.id).await.unwrap();
        assert_eq!(
            (rows[0].browser.as_str(), rows[0].address.as_str()),
            ("Firefox 133 · Linux", "192.0.2.7")
        );
        assert!(!end_one(&mut write, &ben.id, &key).await.unwrap());
        assert!(end_one(&mut write, &ana.id, &key).await.unwrap());
        assert!(!end_one(&mut write, &ana.id, &key).await.unwrap());
    }

    #[tokio::test]
    async fn an_account_has_a_bounded_number_of_sessions_and_the_newest_stay() {
        let (_dir, store) = fresh().await;
        let ana = add(&store, "ana", Role::Owner).await;
        let ben = add(&store, "ben", Role::Viewer).await;
        let sessions = Sessions::new(store.clone(), Clock::manual(0));
        let of_ben = login(&sessions, &ben.id).await;
        let first = login(&sessions, &ana.id).await;
        let mut last = first.clone();
        for _ in 0..MOST_OF_ONE {
            last = login(&sessions, &ana.id).await;
        }

        let mut read = store.read().await.unwrap();
        let rows = of_account(&mut read, &ana.id).await.unwrap();
        assert_eq!(rows.len(), 100);
        let has = |record: &tower_sessions::session::Record| {
            rows.iter().any(|row| row.key == key(&record.id))
        };
        assert!(has(&last) && !has(&first));
        let bens = of_account(&mut read, &ben.id).await.unwrap();
        assert_eq!(bens[0].key, key(&of_ben.id));
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
