//! Rows of `setting`.

use jiff::Timestamp;

use super::{Reads, StoreError, Write};
use crate::clock;

/// The fingerprint of the link that makes the first owner.
pub const SETUP_LINK: &str = "setup_link";

/// Returns a value.
///
/// # Errors
/// When the database fails.
pub async fn get(read: &mut impl Reads, name: &str) -> Result<Option<String>, StoreError> {
    Ok(
        sqlx::query_scalar("select value from setting where setting_id = ?")
            .bind(name)
            .fetch_optional(read.connection())
            .await?,
    )
}

/// Sets a value.
///
/// # Errors
/// When the database fails.
pub async fn set(
    write: &mut Write,
    name: &str,
    value: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into setting (setting_id, value, changed_at)
         values (?, ?, ?)
         on conflict (setting_id) do update
         set value = excluded.value, changed_at = excluded.changed_at",
    )
    .bind(name)
    .bind(value)
    .bind(clock::text(at))
    .execute(write.connection())
    .await?;
    Ok(())
}

/// Removes a value.
///
/// # Errors
/// When the database fails.
pub async fn remove(write: &mut Write, name: &str) -> Result<(), StoreError> {
    sqlx::query("delete from setting where setting_id = ?")
        .bind(name)
        .execute(write.connection())
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::database::tests::fresh;

    #[tokio::test]
    async fn a_setting_is_set_replaced_and_removed() {
        let (_dir, store) = fresh().await;
        let mut write = store.write().await.unwrap();
        set(&mut write, SETUP_LINK, "a", Timestamp::UNIX_EPOCH)
            .await
            .unwrap();
        set(&mut write, SETUP_LINK, "b", Timestamp::UNIX_EPOCH)
            .await
            .unwrap();
        assert_eq!(
            get(&mut write, SETUP_LINK).await.unwrap().as_deref(),
            Some("b")
        );
        remove(&mut write, SETUP_LINK).await.unwrap();
        assert_eq!(get(&mut write, SETUP_LINK).await.unwrap(), None);
    }
}
