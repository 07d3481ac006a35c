//! Rows of `tag_check` and `registry_rest`.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Reads, StoreError, Write};
use crate::clock;
use crate::domain::TagCheck;

/// Notes what a registry said about a tag, over what it said before.
///
/// # Errors
/// When the database fails.
pub async fn put(write: &mut Write, check: &TagCheck) -> Result<(), StoreError> {
    let (digest, found_at) = match &check.found {
        Some((digest, at)) => (Some(digest), Some(clock::text(*at))),
        None => (None, None),
    };
    sqlx::query(
        "insert into tag_check
             (reference, digest, found_at, checked_at, problem, n_failures, next_at, image_id)
         values (?, ?, ?, ?, ?, ?, ?, ?)
         on conflict (reference) do update
         set digest = excluded.digest, found_at = excluded.found_at,
             checked_at = excluded.checked_at, problem = excluded.problem,
             n_failures = excluded.n_failures, next_at = excluded.next_at,
             image_id = excluded.image_id",
    )
    .bind(&check.reference)
    .bind(digest)
    .bind(found_at)
    .bind(clock::text(check.checked_at))
    .bind(check.problem.as_ref())
    .bind(i64::from(check.n_failures))
    .bind(clock::text(check.next_at))
    .bind(&check.image_id)
    .execute(write.connection())
    .await?;
    Ok(())
}

/// Forgets what was said about a tag.
///
/// # Errors
/// When the database fails.
pub async fn delete(write: &mut Write, reference: &str) -> Result<(), StoreError> {
    sqlx::query("delete from tag_check where reference = ?")
        .bind(reference)
        .execute(write.connection())
        .await?;
    Ok(())
}

/// Returns everything that was said.
///
/// # Errors
/// When the database fails.
pub async fn all(read: &mut impl Reads) -> Result<Vec<TagCheck>, StoreError> {
    sqlx::query(
        "select reference, digest, found_at, checked_at, problem, n_failures, next_at, image_id
         from tag_check
         order by reference",
    )
    .fetch_all(read.connection())
    .await?
    .iter()
    .map(check)
    .collect()
}

/// Notes until when a registry is left alone.
///
/// # Errors
/// When the database fails.
pub async fn rest(write: &mut Write, registry: &str, until: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "insert into registry_rest (registry, until_at)
         values (?, ?)
         on conflict (registry) do update
         set until_at = excluded.until_at",
    )
    .bind(registry)
    .bind(clock::text(until))
    .execute(write.connection())
    .await?;
    Ok(())
}

/// Returns the registries that are left alone, and until when.
///
/// # Errors
/// When the database fails.
pub async fn rests(read: &mut impl Reads) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let rows = sqlx::query("select registry, until_at from registry_rest")
        .fetch_all(read.connection())
        .await?;
    let rest = |row: &SqliteRow| {
        Ok((
            row.try_get("registry")?,
            time(&row.try_get::<String, _>("until_at")?)?,
        ))
    };
    rows.iter().map(rest).collect()
}

fn check(row: &SqliteRow) -> Result<TagCheck, StoreError> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let digest: Option<String> = row.try_get("digest")?;
    let found_at: Option<String> = row.try_get("found_at")?;
    Ok(TagCheck {
        reference: text("reference")?,
        found: match (digest, found_at) {
            (Some(digest), Some(at)) => Some((digest, time(&at)?)),
            _ => None,
        },
        checked_at: time(&text("checked_at")?)?,
        problem: row.try_get("problem")?,
        n_failures: u32::try_from(row.try_get::<i64, _>("n_failures")?).unwrap_or(u32::MAX),
        next_at: time(&text("next_at")?)?,
        image_id: text("image_id")?,
    })
}

fn time(text: &str) -> Result<Timestamp, StoreError> {
    let damaged = |_| StoreError::Damaged { what: "time" };
    text.parse::<Timestamp>().map_err(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::database::tests::fresh;

    #[tokio::test]
    async fn what_a_registry_said_is_read_back_and_replaced() {
        let (_dir, store) = fresh().await;
        let mut write = store.write().await.unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut check = TagCheck {
            reference: "docker.io/library/nginx:1.29".to_owned(),
            found: None,
            checked_at: at(1),
            problem: Some("no route to host".to_owned()),
            n_failures: 2,
            next_at: at(900),
            image_id: "sha256:ab".to_owned(),
        };
        put(&mut write, &check).await.unwrap();
        assert_eq!(all(&mut write).await.unwrap(), [check.clone()]);

        check.found = Some(("sha256:cd".to_owned(), at(900)));
        check.problem = None;
        check.n_failures = 0;
        put(&mut write, &check).await.unwrap();
        assert_eq!(all(&mut write).await.unwrap(), [check.clone()]);

        delete(&mut write, &check.reference).await.unwrap();
        assert_eq!(all(&mut write).await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_registry_is_left_alone_until_the_last_moment_it_said() {
        let (_dir, store) = fresh().await;
        let mut write = store.write().await.unwrap();
        for second in [5, 9] {
            let until = Timestamp::from_second(second).unwrap();
            rest(&mut write, "docker.io", until).await.unwrap();
        }
        let until = Timestamp::from_second(9).unwrap();
        let rests = rests(&mut write).await.unwrap();
        assert_eq!(rests, [("docker.io".to_owned(), until)]);
    }
}
