//! Rows of `audit_entry`: added, listed, verified, never changed.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::chain::{self, Columns};
use super::{Reads, StoreError, Write};
use crate::domain::{AccountId, AuditEntry, AuditRecord, Outcome};

/// Which entries a list should show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this account's.
    pub account: Option<AccountId>,
    /// Only those about this thing: its kind and id.
    pub place: Option<(String, String)>,
    /// Only those whose action, actor, or thing contains this text.
    pub text: String,
    /// Only those with this outcome.
    pub outcome: Option<Outcome>,
}

/// Adds an entry, or the completion of entry `opens`, and returns its number.
///
/// # Errors
/// When the database fails.
pub async fn append(
    write: &mut Write,
    entry: &AuditEntry,
    opens: Option<i64>,
) -> Result<i64, StoreError> {
    let previous: Option<String> =
        sqlx::query_scalar("select hash from audit_entry order by audit_entry_id desc limit 1")
            .fetch_optional(write.connection())
            .await?;
    let previous = previous.unwrap_or_default();
    let columns = Columns::from(entry);
    let hash = chain::hash(&previous, opens, &columns);
    let done = sqlx::query(
        "insert into audit_entry (
             opens, at, actor_kind, account_id, actor, address, request_id, action,
             place_kind, place_id, place_name, outcome, detail, previous_hash, hash
         )
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(opens)
    .bind(columns.at)
    .bind(columns.actor_kind)
    .bind(columns.account_id)
    .bind(columns.actor)
    .bind(columns.address)
    .bind(columns.request_id)
    .bind(columns.action)
    .bind(columns.place_kind)
    .bind(columns.place_id)
    .bind(columns.place_name)
    .bind(columns.outcome)
    .bind(columns.detail)
    .bind(previous)
    .bind(hash)
    .execute(write.connection())
    .await?;
    Ok(done.last_insert_rowid())
}

/// Returns entries, the newest first, each action with its end; those before number `before`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    read: &mut impl Reads,
    filter: &Filter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<AuditRecord>, StoreError> {
    let (place_kind, place_id) = match &filter.place {
        Some((kind, id)) => (Some(kind.as_str()), Some(id.as_str())),
        None => (None, None),
    };
    sqlx::query(
        "select
             entry.audit_entry_id, entry.at, ending.at as ended_at, entry.actor_kind,
             entry.account_id, entry.actor, entry.address, entry.request_id, entry.action,
             entry.place_kind, entry.place_id, entry.place_name,
             coalesce(ending.outcome, entry.outcome) as outcome,
             entry.detail, coalesce(ending.detail, '') as result
         from audit_entry as entry
         left join audit_entry as ending on ending.opens = entry.audit_entry_id
         where entry.opens is null
             and entry.audit_entry_id < ?1
             and (?2 is null or entry.account_id = ?2)
             and (?3 is null or (entry.place_kind = ?3 and entry.place_id = ?4))
             and (?5 is null or coalesce(ending.outcome, entry.outcome) = ?5)
             and (?6 = ''
                 or instr(lower(entry.action), ?6) > 0
                 or instr(lower(entry.actor), ?6) > 0
                 or instr(lower(entry.place_name), ?6) > 0
                 or instr(entry.place_id, ?6) > 0
                 or instr(lower(entry.detail), ?6) > 0)
         order by entry.audit_entry_id desc
         limit ?7",
    )
    .bind(before.unwrap_or(i64::MAX))
    .bind(filter.account.as_ref().map(AccountId::as_str))
    .bind(place_kind)
    .bind(place_id)
    .bind(filter.outcome.map(Outcome::as_str))
    .bind(filter.text.to_lowercase())
    .bind(limit)
    .fetch_all(read.connection())
    .await?
    .iter()
    .map(record)
    .collect()
}

/// Returns the actions that have begun and never ended; after a crash there may be some.
///
/// # Errors
/// When the database fails.
pub async fn open_ended(read: &mut impl Reads) -> Result<Vec<i64>, StoreError> {
    Ok(sqlx::query_scalar(
        "select entry.audit_entry_id
         from audit_entry as entry
         left join audit_entry as ending on ending.opens = entry.audit_entry_id
         where entry.outcome = 'begun' and ending.audit_entry_id is null
         order by entry.audit_entry_id",
    )
    .fetch_all(read.connection())
    .await?)
}

/// What following the chain of entries showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The first entry that does not follow from the one before it.
    pub broken: Option<i64>,
    /// The last entry that does.
    pub head: Head,
    /// The last entry that was ever made, as the database counts.
    pub last_made: i64,
}

/// The end of the chain: whoever notes it elsewhere can see later that nothing before it changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The number of the entry; also how many there are.
    pub number: i64,
    /// Its hash.
    pub hash: String,
}

/// Returns the newest entry of the chain.
///
/// # Errors
/// When the database fails.
pub async fn head(read: &mut impl Reads) -> Result<Head, StoreError> {
    let row = sqlx::query(
        "select audit_entry_id, hash from audit_entry order by audit_entry_id desc limit 1",
    )
    .fetch_optional(read.connection())
    .await?;
    let Some(row) = row else {
        return Ok(Head::default());
    };
    Ok(Head {
        number: row.try_get("audit_entry_id")?,
        hash: row.try_get("hash")?,
    })
}

/// Follows the chain of hashes from the first entry to the last, and asks how many were made: the
/// chain alone does not tell that its newest entries are gone.
///
/// # Errors
/// When the database fails.
pub async fn verify(read: &mut impl Reads) -> Result<Chain, StoreError> {
    let last_made: Option<i64> =
        sqlx::query_scalar("select seq from sqlite_sequence where name = 'audit_entry'")
            .fetch_optional(read.connection())
            .await?;
    let (broken, head) = follow(read).await?;
    Ok(Chain {
        broken,
        head,
        last_made: last_made.unwrap_or(0),
    })
}

async fn follow(read: &mut impl Reads) -> Result<(Option<i64>, Head), StoreError> {
    let mut previous = String::new();
    let mut last = 0_i64;
    loop {
        let rows = sqlx::query(
            "select
                 audit_entry_id, opens, at, actor_kind, account_id, actor, address, request_id,
                 action, place_kind, place_id, place_name, outcome, detail, previous_hash, hash
             from audit_entry
             where audit_entry_id > ?
             order by audit_entry_id
             limit 500",
        )
        .bind(last)
        .fetch_all(read.connection())
        .await?;
        if rows.is_empty() {
            let (number, hash) = (last, previous);
            return Ok((None, Head { number, hash }));
        }
        for row in &rows {
            let number: i64 = row.try_get("audit_entry_id")?;
            let hash: String = row.try_get("hash")?;
            let expected = chain::hash(&previous, row.try_get("opens")?, &columns(row)?);
            if hash != expected || number != last + 1 {
                let head = Head {
                    number: last,
                    hash: previous,
                };
                return Ok((Some(number), head));
            }
            previous = hash;
            last = number;
        }
    }
}

fn columns(row: &SqliteRow) -> Result<Columns, StoreError> {
    let actor_kind: String = row.try_get("actor_kind")?;
    let known = ["account", "unknown", "operator", "server"];
    Ok(Columns {
        at: row.try_get("at")?,
        actor_kind: known
            .into_iter()
            .find(|kind| *kind == actor_kind)
            .unwrap_or(""),
        account_id: row.try_get("account_id")?,
        actor: row.try_get("actor")?,
        address: row.try_get("address")?,
        request_id: row.try_get("request_id")?,
        action: row.try_get("action")?,
        place_kind: row.try_get("place_kind")?,
        place_id: row.try_get("place_id")?,
        place_name: row.try_get("place_name")?,
        outcome: row.try_get("outcome")?,
        detail: row.try_get("detail")?,
    })
}

fn record(row: &SqliteRow) -> Result<AuditRecord, StoreError> {
    let outcome: String = row.try_get("outcome")?;
    let ended_at: Option<String> = row.try_get("ended_at")?;
    Ok(AuditRecord {
        number: row.try_get("audit_entry_id")?,
        at: moment(&row.try_get::<String, _>("at")?)?,
        ended_at: ended_at.as_deref().map(moment).transpose()?,
        account: row.try_get("account_id")?,
        actor: row.try_get("actor")?,
        actor_kind: row.try_get("actor_kind")?,
        address: row.try_get("address")?,
        request: row.try_get("request_id")?,
        action: row.try_get("action")?,
        place_kind: row.try_get("place_kind")?,
        place_id: row.try_get("place_id")?,
        place_name: row.try_get("place_name")?,
        outcome: Outcome::of(&outcome).ok_or(StoreError::Damaged { what: "outcome" })?,
        detail: row.try_get("detail")?,
        result: row.try_get("result")?,
    })
}

fn moment(text: &str) -> Result<Timestamp, StoreError> {
    text.parse()
        .map_err(|_| StoreError::Damaged { what: "time" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AuditActor, PlaceRef};
    use crate::store::database::tests::fresh;

    fn entry(action: &'static str, outcome: Outcome) -> AuditEntry {
        AuditEntry {
            at: Timestamp::UNIX_EPOCH,
            actor: AuditActor::Account {
                id: AccountId::unique(),
                name: "ana".to_owned(),
            },
            address: Some([10, 0, 0, 1].into()),
            request: None,
            action,
            place: PlaceRef {
                kind: "container",
                id: "abc".to_owned(),
                name: "web".to_owned(),
            },
            outcome,
            detail: "timeout=10".to_owned(),
        }
    }

    #[tokio::test]
    async fn an_action_and_its_end_are_read_as_one() {
        let (_dir, store) = fresh().await;
        let begun = entry("container.stop", Outcome::Begun);
        let write = store.write().await.unwrap();
        let number = write.commit(&begun).await.unwrap();
        let mut read = store.read().await.unwrap();
        assert_eq!(open_ended(&mut read).await.unwrap(), vec![number]);

        let mut end = entry("container.stop", Outcome::Failed);
        end.detail = "no such container".to_owned();
        store
            .write()
            .await
            .unwrap()
            .commit_end_of(number, &end)
            .await
            .unwrap();

        let list = list(&mut read, &Filter::default(), None, 50).await.unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].outcome, Outcome::Failed);
        assert_eq!(list[0].detail, "timeout=10");
        assert_eq!(list[0].result, "no such container");
        assert_eq!(open_ended(&mut read).await.unwrap(), Vec::<i64>::new());
    }

    #[tokio::test]
    async fn entries_are_filtered_and_paged() {
        let (_dir, store) = fresh().await;
        for action in ["container.start", "container.stop", "image.pull"] {
            let write = store.write().await.unwrap();
            write.commit(&entry(action, Outcome::Done)).await.unwrap();
        }
        let mut read = store.read().await.unwrap();
        let count = async |read: &mut _, filter: Filter, before| {
            list(read, &filter, before, 50).await.unwrap().len()
        };

        assert_eq!(count(&mut read, Filter::default(), None).await, 3);
        assert_eq!(count(&mut read, Filter::default(), Some(3)).await, 2);
        let text = Filter {
            text: "STOP".to_owned(),
            ..Filter::default()
        };
        assert_eq!(count(&mut read, text, None).await, 1);
        let outcome = Filter {
            outcome: Some(Outcome::Refused),
            ..Filter::default()
        };
        assert_eq!(count(&mut read, outcome, None).await, 0);
        let place = Some(("container".to_owned(), "abc".to_owned()));
        assert_eq!(
            count(
                &mut read,
                Filter {
                    place,
                    ..Filter::default()
                },
                None
            )
            .await,
            3
        );
        let account = Some(AccountId::unique());
        assert_eq!(
            count(
                &mut read,
                Filter {
                    account,
                    ..Filter::default()
                },
                None
            )
            .await,
            0
        );
    }

    #[tokio::test]
    async fn entries_can_be_neither_changed_nor_removed() {
        let (_dir, store) = fresh().await;
        let write = store.write().await.unwrap();
        write
            .commit(&entry("container.stop", Outcome::Done))
            .await
            .unwrap();
        let mut write = store.write().await.unwrap();

        let changed = sqlx::query("update audit_entry set actor = 'ben'")
            .execute(write.connection())
            .await;
        let removed = sqlx::query("delete from audit_entry")
            .execute(write.connection())
            .await;

        assert!(changed.is_err() && removed.is_err());
    }

    #[tokio::test]
    async fn a_forged_row_is_found() {
        let (_dir, store) = fresh().await;
        for _ in 0..3 {
            let write = store.write().await.unwrap();
            write
                .commit(&entry("container.stop", Outcome::Done))
                .await
                .unwrap();
        }
        let mut read = store.read().await.unwrap();
        let whole = verify(&mut read).await.unwrap();
        assert_eq!((whole.broken, whole.head.number), (None, 3));
        assert_eq!(head(&mut read).await.unwrap(), whole.head);

        let mut write = store.write().await.unwrap();
        for forgery in [
            "drop trigger audit_entry_no_update",
            "update audit_entry set actor = 'ben' where audit_entry_id = 2",
        ] {
            sqlx::query(forgery)
                .execute(write.connection())
                .await
                .unwrap();
        }
        write.commit_silent("a forger at work").await.unwrap();

        let forged = verify(&mut read).await.unwrap();
        assert_eq!((forged.broken, forged.head.number), (Some(2), 1));
    }

    #[tokio::test]
    async fn entries_cut_off_at_the_end_are_missed() {
        let (_dir, store) = fresh().await;
        for _ in 0..3 {
            let write = store.write().await.unwrap();
            write
                .commit(&entry("container.stop", Outcome::Done))
                .await
                .unwrap();
        }
        let mut write = store.write().await.unwrap();
        for cut in [
            "drop trigger audit_entry_no_delete",
            "delete from audit_entry where audit_entry_id > 1",
        ] {
            sqlx::query(cut).execute(write.connection()).await.unwrap();
        }
        write.commit_silent("a forger at work").await.unwrap();

        let chain = verify(&mut store.read().await.unwrap()).await.unwrap();

        assert_eq!((chain.broken, chain.head.number), (None, 1));
        assert_eq!(chain.last_made, 3, "two are missing");
    }
}
