//! Rows of `login_failure`: wrong passwords, by name and address.

use jiff::Timestamp;

use super::{Reads, StoreError, Write};
use crate::clock;

/// How often a login failed since some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// For this name from this address.
    pub of_both: i64,
    /// From this address, for any name.
    pub of_address: i64,
    /// For this name, from any address.
    pub of_name: i64,
}

/// Notes a wrong password.
///
/// # Errors
/// When the database fails.
pub async fn insert(
    write: &mut Write,
    name: &str,
    address: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("insert into login_failure (name, address, at) values (?, ?, ?)")
        .bind(name)
        .bind(address)
        .bind(clock::text(at))
        .execute(write.connection())
        .await?;
    Ok(())
}

/// Counts the failures since a moment.
///
/// # Errors
/// When the database fails.
pub async fn count(
    read: &mut impl Reads,
    name: &str,
    address: &str,
    since: Timestamp,
) -> Result<Failures, StoreError> {
    let (of_both, of_address, of_name) = sqlx::query_as(
        "select
             count(*) filter (where name = ?1 and address = ?2),
             count(*) filter (where address = ?2),
             count(*) filter (where name = ?1)
         from login_failure
         where (name = ?1 or address = ?2) and at >= ?3",
    )
    .bind(name)
    .bind(address)
    .bind(clock::text(since))
    .fetch_one(read.connection())
    .await?;
    Ok(Failures {
        of_both,
        of_address,
        of_name,
    })
}

/// Forgets the failures of a name from an address, once its password was right.
///
/// # Errors
/// When the database fails.
pub async fn forgive(write: &mut Write, name: &str, address: &str) -> Result<(), StoreError> {
    sqlx::query("delete from login_failure where name = ? and address = ?")
        .bind(name)
        .bind(address)
        .execute(write.connection())
        .await?;
    Ok(())
}

/// Forgets what is older than a moment.
///
/// # Errors
/// When the database fails.
pub async fn forget_before(write: &mut Write, before: Timestamp) -> Result<(), StoreError> {
    sqlx::query("delete from login_failure where at < ?")
        .bind(clock::text(before))
        .execute(write.connection())
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::store::database::tests::fresh;

    #[tokio::test]
    async fn failures_are_counted_by_name_by_address_and_by_both() {
        let (_dir, store) = fresh().await;
        let mut write = store.write().await.unwrap();
        let start = Timestamp::UNIX_EPOCH;
        for (name, address) in [
            ("ana", "10.0.0.1"),
            ("ana", "10.0.0.2"),
            ("ben", "10.0.0.1"),
        ] {
            insert(&mut write, name, address, start).await.unwrap();
        }
        let found = count(&mut write, "ana", "10.0.0.1", start).await.unwrap();
        assert_eq!(
            found,
            Failures {
                of_both: 1,
                of_address: 2,
                of_name: 2
            }
        );

        forgive(&mut write, "ana", "10.0.0.1").await.unwrap();
        let found = count(&mut write, "ana", "10.0.0.1", start).await.unwrap();
        assert_eq!(
            found,
            Failures {
                of_both: 0,
                of_address: 1,
                of_name: 1
            }
        );

        forget_before(&mut write, start + SignedDuration::from_secs(1))
            .await
            .unwrap();
        let found = count(&mut write, "ana", "10.0.0.1", start).await.unwrap();
        assert_eq!(found, Failures::default());
    }
}
