//! Rows of `registry`.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Reads, StoreError, Write};
use crate::clock;
use crate::domain::{Registry, RegistryAddress, RegistryId};

/// Adds a registry with its sealed secret.
///
/// # Errors
/// `registry_name_key` or `registry_address_key` when there is one of that name or address.
pub async fn insert(
    write: &mut Write,
    registry: &Registry,
    sealed: Option<&[u8]>,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into registry (registry_id, name, address, user, secret, created_at, authority)
         values (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(registry.id.as_str())
    .bind(registry.name.as_str())
    .bind(registry.address.as_str())
    .bind(registry.user.as_str())
    .bind(sealed)
    .bind(clock::text(registry.created_at))
    .bind(registry.authority.as_str())
    .execute(write.connection())
    .await?;
    Ok(())
}

/// Replaces everything of a registry but its id and its age.
///
/// # Errors
/// As [`insert`].
pub async fn update(
    write: &mut Write,
    registry: &Registry,
    sealed: Option<&[u8]>,
) -> Result<(), StoreError> {
    sqlx::query(
        "update registry
         set name = ?, address = ?, user = ?, authority = ?, secret = ?
         where registry_id = ?",
    )
    .bind(registry.name.as_str())
    .bind(registry.address.as_str())
    .bind(registry.user.as_str())
    .bind(registry.authority.as_str())
    .bind(sealed)
    .bind(registry.id.as_str())
    .execute(write.connection())
    .await?;
    Ok(())
}

/// Removes a registry and its secret.
///
/// # Errors
/// When the database fails.
pub async fn delete(write: &mut Write, id: &RegistryId) -> Result<(), StoreError> {
    sqlx::query("delete from registry where registry_id = ?")
        .bind(id.as_str())
        .execute(write.connection())
        .await?;
    Ok(())
}

/// Returns every registry, by name.
///
/// # Errors
/// When the database fails.
pub async fn all(read: &mut impl Reads) -> Result<Vec<Registry>, StoreError> {
    sqlx::query(
        "select registry_id, name, address, user, secret is not null as has_secret, created_at,
             authority
         from registry
         order by name",
    )
    .fetch_all(read.connection())
    .await?
    .iter()
    .map(registry)
    .collect()
}

/// Returns a registry and its sealed secret.
///
/// # Errors
/// When the database fails.
pub async fn by_id(
    read: &mut impl Reads,
    id: &RegistryId,
) -> Result<Option<(Registry, Option<Vec<u8>>)>, StoreError> {
    sqlx::query(
        "select registry_id, name, address, user, secret is not null as has_secret, created_at,
             authority, secret
         from registry
         where registry_id = ?",
    )
    .bind(id.as_str())
    .fetch_optional(read.connection())
    .await?
    .map(|row| Ok((registry(&row)?, row.try_get("secret")?)))
    .transpose()
}

/// Returns the registry at an address and its sealed secret.
///
/// # Errors
/// When the database fails.
pub async fn by_address(
    read: &mut impl Reads,
    address: &RegistryAddress,
) -> Result<Option<(Registry, Option<Vec<u8>>)>, StoreError> {
    sqlx::query(
        "select registry_id, name, address, user, secret is not null as has_secret, created_at,
             authority, secret
         from registry
         where address = ?",
    )
    .bind(address.as_str())
    .fetch_optional(read.connection())
    .await?
    .map(|row| Ok((registry(&row)?, row.try_get("secret")?)))
    .transpose()
}

/// Tells whether there is a sealed secret, and so a key that it needs.
///
/// # Errors
/// When the database fails.
pub async fn has_secrets(read: &mut impl Reads) -> Result<bool, StoreError> {
    let n: i64 = sqlx::query_scalar("select count(*) from registry where secret is not null")
        .fetch_one(read.connection())
        .await?;
    Ok(n > 0)
}

fn registry(row: &SqliteRow) -> Result<Registry, StoreError> {
    let damaged = |what| StoreError::Damaged { what };
    let text = |column: &str| row.try_get::<String, _>(column);
    Ok(Registry {
        id: text("registry_id")?
            .parse()
            .map_err(|_| damaged("registry id"))?,
        name: text("name")?
            .parse()
            .map_err(|_| damaged("registry name"))?,
        address: text("address")?
            .parse()
            .map_err(|_| damaged("registry address"))?,
        user: text("user")?
            .parse()
            .map_err(|_| damaged("registry user"))?,
        authority: text("authority")?
            .parse()
            .map_err(|_| damaged("registry authority"))?,
        has_secret: row.try_get("has_secret")?,
        created_at: text("created_at")?
            .parse::<Timestamp>()
            .map_err(|_| damaged("time"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::database::tests::fresh;

    fn one(name: &str, address: &str) -> Registry {
        Registry {
            id: RegistryId::unique(),
            name: name.parse().unwrap(),
            address: address.parse().unwrap(),
            user: "ann".parse().unwrap(),
            authority: "-----BEGIN CERTIFICATE-----".parse().unwrap(),
            has_secret: true,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn a_registry_is_read_back_as_it_was_written() {
        let (_dir, store) = fresh().await;
        let mut write = store.write().await.unwrap();
        assert!(!has_secrets(&mut write).await.unwrap());
        let mut registry = one("team", "registry.example.com");
        insert(&mut write, &registry, Some(b"sealed"))
            .await
            .unwrap();
        let found = by_id(&mut write, &registry.id).await.unwrap();
        assert_eq!(found, Some((registry.clone(), Some(b"sealed".to_vec()))));
        let found = by_address(&mut write, &registry.address).await.unwrap();
        assert_eq!(found.unwrap().0, registry);
        assert!(has_secrets(&mut write).await.unwrap());

        registry.address = "ghcr.io".parse().unwrap();
        registry.has_secret = false;
        update(&mut write, &registry, None).await.unwrap();
        assert_eq!(all(&mut write).await.unwrap(), [registry.clone()]);

        delete(&mut write, &registry.id).await.unwrap();
        assert_eq!(by_id(&mut write, &registry.id).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_name_and_an_address_are_one_registrys_own() {
        let (_dir, store) = fresh().await;
        let mut write = store.write().await.unwrap();
        insert(&mut write, &one("team", "a.test"), None)
            .await
            .unwrap();
        let name = insert(&mut write, &one("TEAM", "b.test"), None).await;
        assert!(name.unwrap_err().breaks("registry_name_key"));
        let address = insert(&mut write, &one("other", "a.test"), None).await;
        assert!(address.unwrap_err().breaks("registry_address_key"));
    }
}
