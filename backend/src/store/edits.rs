//! Rows of `edit`: containers that are being made anew.

use jiff::Timestamp;
use sqlx::FromRow;

use super::{Reads, StoreError, Write};
use crate::clock;

/// An edit that has begun and not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct EditRow {
    /// The container that was there.
    #[sqlx(rename = "edit_id")]
    pub old: String,
    /// Its name.
    pub name: String,
    /// The name that the new one shall have.
    pub new_name: String,
    /// The name of the old one meanwhile.
    pub aside: String,
    /// The name that the new one begins with.
    pub fresh: String,
    /// The new container, once it is made.
    pub made: Option<String>,
    /// Whether the old one ran.
    pub ran: bool,
    /// Whether the old one stays.
    pub keeps_old: bool,
    /// Whether the new one has taken its place.
    pub proved: bool,
}

/// Notes that an edit begins.
///
/// # Errors
/// [`StoreError::Constraint`] `edit_key` when one of the same container has not ended.
pub async fn insert(write: &mut Write, row: &EditRow, at: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "insert into edit (edit_id, name, new_name, aside, fresh, ran, keeps_old, begun_at)
         values (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&row.old)
    .bind(&row.name)
    .bind(&row.new_name)
    .bind(&row.aside)
    .bind(&row.fresh)
    .bind(row.ran)
    .bind(row.keeps_old)
    .bind(clock::text(at))
    .execute(write.connection())
    .await?;
    Ok(())
}

/// Notes how far an edit is.
///
/// # Errors
/// When the database fails.
pub async fn advance(write: &mut Write, row: &EditRow) -> Result<(), StoreError> {
    sqlx::query("update edit set made = ?, proved = ? where edit_id = ?")
        .bind(&row.made)
        .bind(row.proved)
        .bind(&row.old)
        .execute(write.connection())
        .await?;
    Ok(())
}

/// Forgets an edit that has ended.
///
/// # Errors
/// When the database fails.
pub async fn remove(write: &mut Write, old: &str) -> Result<(), StoreError> {
    sqlx::query("delete from edit where edit_id = ?")
        .bind(old)
        .execute(write.connection())
        .await?;
    Ok(())
}

/// Returns every edit that has not ended, the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn all(read: &mut impl Reads) -> Result<Vec<EditRow>, StoreError> {
    Ok(sqlx::query_as(
        "select edit_id, name, new_name, aside, fresh, made, ran, keeps_old, proved
         from edit order by begun_at",
    )
    .fetch_all(read.connection())
    .await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::database::tests::fresh;

    #[tokio::test]
    async fn an_edit_is_there_from_its_beginning_to_its_end_and_only_once() {
        let (_dir, store) = fresh().await;
        let mut row = EditRow {
            old: "a".to_owned(),
            name: "web".to_owned(),
            ran: true,
            ..EditRow::default()
        };
        let mut write = store.write().await.unwrap();
        insert(&mut write, &row, Timestamp::UNIX_EPOCH)
            .await
            .unwrap();
        let again = insert(&mut write, &row, Timestamp::UNIX_EPOCH).await;
        assert!(
            matches!(again, Err(StoreError::Constraint("edit_key"))),
            "{again:?}"
        );
        row.made = Some("b".to_owned());
        row.proved = true;
        advance(&mut write, &row).await.unwrap();
        assert_eq!(all(&mut write).await.unwrap(), [row]);
        remove(&mut write, "a").await.unwrap();
        assert_eq!(all(&mut write).await.unwrap(), []);
    }
}
