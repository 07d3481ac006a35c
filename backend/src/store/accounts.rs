//! Rows of `account`.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Reads, StoreError, Write};
use crate::clock;
use crate::domain::{Account, AccountId, AccountName, Language, Role, Theme};

/// Adds an account.
///
/// # Errors
/// `account_name_key` when the name is taken.
pub async fn insert(
    write: &mut Write,
    account: &Account,
    password_hash: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into account (account_id, name, password_hash, role, language, theme, created_at)
         values (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(account.id.as_str())
    .bind(account.name.as_str())
    .bind(password_hash)
    .bind(account.role.as_str())
    .bind(account.language.map(Language::tag))
    .bind(account.theme.as_str())
    .bind(clock::text(account.created_at))
    .execute(write.connection())
    .await?;
    Ok(())
}

/// Returns an account.
///
/// # Errors
/// When the database fails.
pub async fn by_id(read: &mut impl Reads, id: &AccountId) -> Result<Option<Account>, StoreError> {
    sqlx::query(
        "select account_id, name, role, language, theme, created_at
         from account
         where account_id = ?",
    )
    .bind(id.as_str())
    .fetch_optional(read.connection())
    .await?
    .map(|row| account(&row))
    .transpose()
}

/// Returns an account and its password's hash.
///
/// # Errors
/// When the database fails.
pub async fn with_password(
    read: &mut impl Reads,
    name: &AccountName,
) -> Result<Option<(Account, String)>, StoreError> {
    sqlx::query(
        "select account_id, name, role, language, theme, created_at, password_hash
         from account
         where name = ?",
    )
    .bind(name.as_str())
    .fetch_optional(read.connection())
    .await?
    .map(|row| Ok((account(&row)?, row.try_get("password_hash")?)))
    .transpose()
}

/// Returns every account, by name.
///
/// # Errors
/// When the database fails.
pub async fn all(read: &mut impl Reads) -> Result<Vec<Account>, StoreError> {
    sqlx::query(
        "select account_id, name, role, language, theme, created_at
         from account
         order by name",
    )
    .fetch_all(read.connection())
    .await?
    .iter()
    .map(account)
    .collect()
}

/// Returns the number of accounts.
///
/// # Errors
/// When the database fails.
pub async fn count(read: &mut impl Reads) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("select count(*) from account")
        .fetch_one(read.connection())
        .await?)
}

/// Replaces a password's hash.
///
/// # Errors
/// When the database fails.
pub async fn set_password(
    write: &mut Write,
    id: &AccountId,
    password_hash: &str,
) -> Result<(), StoreError> {
    sqlx::query("update account set password_hash = ? where account_id = ?")
        .bind(password_hash)
        .bind(id.as_str())
        .execute(write.connection())
        .await?;
    Ok(())
}

/// Replaces a role.
///
/// # Errors
/// `account_last_owner` when nobody could own the server any more.
pub async fn set_role(write: &mut Write, id: &AccountId, role: Role) -> Result<(), StoreError> {
    sqlx::query("update account set role = ? where account_id = ?")
        .bind(role.as_str())
        .bind(id.as_str())
        .execute(write.connection())
        .await?;
    Ok(())
}

/// Replaces the language, where `None` follows the browser, and the colours.
///
/// # Errors
/// When the database fails.
pub async fn set_look(
    write: &mut Write,
    id: &AccountId,
    language: Option<Language>,
    theme: Theme,
) -> Result<(), StoreError> {
    sqlx::query("update account set language = ?, theme = ? where account_id = ?")
        .bind(language.map(Language::tag))
        .bind(theme.as_str())
        .bind(id.as_str())
        .execute(write.connection())
        .await?;
    Ok(())
}

/// Removes an account, and its sessions with it.
///
/// # Errors
/// `account_last_owner` when nobody could own the server any more.
pub async fn delete(write: &mut Write, id: &AccountId) -> Result<(), StoreError> {
    sqlx::query("delete from account where account_id = ?")
        .bind(id.as_str())
        .execute(write.connection())
        .await?;
    Ok(())
}

fn account(row: &SqliteRow) -> Result<Account, StoreError> {
    let damaged = |what| StoreError::Damaged { what };
    let text = |column: &str| row.try_get::<String, _>(column);
    let language: Option<String> = row.try_get("language")?;
    Ok(Account {
        id: text("account_id")?
            .parse()
            .map_err(|_| damaged("account id"))?,
        name: text("name")?.parse().map_err(|_| damaged("account name"))?,
        role: text("role")?.parse().map_err(|_| damaged("role"))?,
        language: language
            .map(|tag| tag.parse())
            .transpose()
            .map_err(|_| damaged("language"))?,
        theme: text("theme")?.parse().map_err(|_| damaged("theme"))?,
        created_at: text("created_at")?
            .parse::<Timestamp>()
            .map_err(|_| damaged("time"))?,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::store::Store;
    use crate::store::database::tests::fresh;

    pub(crate) async fn add(store: &Store, name: &str, role: Role) -> Account {
        let account = Account {
            id: AccountId::unique(),
            name: name.parse().unwrap(),
            role,
            language: None,
            theme: Theme::System,
            created_at: Timestamp::UNIX_EPOCH,
        };
        let mut write = store.write().await.unwrap();
        insert(&mut write, &account, "hash").await.unwrap();
        write.commit_silent("a test").await.unwrap();
        account
    }

    #[tokio::test]
    async fn an_account_is_read_back_as_it_was_written() {
        let (_dir, store) = fresh().await;
        let ana = add(&store, "ana", Role::Owner).await;
        let mut read = store.read().await.unwrap();

        assert_eq!(by_id(&mut read, &ana.id).await.unwrap(), Some(ana.clone()));
        let found = with_password(&mut read, &"ANA".parse().unwrap())
            .await
            .unwrap();
        assert_eq!(found, Some((ana.clone(), "hash".to_owned())));
        assert_eq!(all(&mut read).await.unwrap(), vec![ana]);
        assert_eq!(count(&mut read).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn two_accounts_cannot_differ_by_letter_case_alone() {
        let (_dir, store) = fresh().await;
        let mut ana = add(&store, "ana", Role::Owner).await;
        ana.id = AccountId::unique();
        ana.name = "Ana".parse().unwrap();
        let mut write = store.write().await.unwrap();

        let error = insert(&mut write, &ana, "hash").await.unwrap_err();

        assert!(error.breaks("account_name_key"), "{error:?}");
    }

    #[tokio::test]
    async fn the_last_owner_can_neither_be_removed_nor_lowered() {
        let (_dir, store) = fresh().await;
        let ana = add(&store, "ana", Role::Owner).await;
        let ben = add(&store, "ben", Role::Viewer).await;
        let mut write = store.write().await.unwrap();

        let lowered = set_role(&mut write, &ana.id, Role::Viewer)
            .await
            .unwrap_err();
        let removed = delete(&mut write, &ana.id).await.unwrap_err();

        assert!(lowered.breaks("account_last_owner"), "{lowered:?}");
        assert!(removed.breaks("account_last_owner"), "{removed:?}");
        set_role(&mut write, &ben.id, Role::Owner).await.unwrap();
        delete(&mut write, &ana.id).await.unwrap();
    }

    #[tokio::test]
    async fn password_and_look_are_replaced() {
        let (_dir, store) = fresh().await;
        let ana = add(&store, "ana", Role::Owner).await;
        let mut write = store.write().await.unwrap();
        set_password(&mut write, &ana.id, "other").await.unwrap();
        set_look(&mut write, &ana.id, Some(Language::Korean), Theme::Dark)
            .await
            .unwrap();

        let (found, hash) = with_password(&mut write, &ana.name).await.unwrap().unwrap();

        assert_eq!(
            (found.language, hash.as_str()),
            (Some(Language::Korean), "other")
        );
    }
}
