//! Opening the database: its settings, its migrations, its two pools.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use super::{Read, Seal, StoreError, Write, registries};

static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// Beside the database, never in it: a stolen copy of the one is useless without the other.
const KEY_FILE: &str = "secrets.key";
const N_READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The database of one server.
#[derive(Clone, Debug)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    seal: Arc<Seal>,
}

impl Store {
    /// Opens the database, makes it when it is not there, and brings it up to date.
    ///
    /// # Errors
    /// When the file cannot be opened, is from a newer version, or a step of its building fails.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::of_opening(path, source);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("trusted_schema", "off")
            .pragma("cache_size", "-1024");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(
                options
                    .clone()
                    .auto_vacuum(SqliteAutoVacuum::Incremental)
                    .journal_mode(SqliteJournalMode::Wal),
            )
            .await
            .map_err(failed)?;
        look_for_damage(&writer, path).await?;
        migrate(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(N_READERS)
            .connect_with(options.pragma("query_only", "on").create_if_missing(false))
            .await
            .map_err(failed)?;
        let mut read = Read::new(readers.acquire().await?);
        let has_secrets = registries::has_secrets(&mut read).await?;
        drop(read);
        let seal = Seal::open(&path.with_file_name(KEY_FILE), !has_secrets);
        Ok(Self {
            writer,
            readers,
            seal: Arc::new(seal),
        })
    }

    /// Returns what seals secrets before they come into the database.
    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    /// Takes a connection that can only read.
    ///
    /// # Errors
    /// When none is free within the pool's patience.
    pub async fn read(&self) -> Result<Read, StoreError> {
        Ok(Read::new(self.readers.acquire().await?))
    }

    /// Begins a change; nobody else writes until it ends.
    ///
    /// # Errors
    /// When the writer is not free within the pool's patience.
    pub async fn write(&self) -> Result<Write, StoreError> {
        Ok(Write::new(self.writer.begin_with("begin immediate").await?))
    }

    /// Looks through the whole file for damage; an empty list means there is none.
    ///
    /// # Errors
    /// When the file cannot be read at all.
    pub async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        let mut found: Vec<String> = sqlx::query_scalar("pragma integrity_check(20)")
            .fetch_all(&self.readers)
            .await?;
        found.retain(|line| line != "ok");
        let orphans: Vec<String> =
            sqlx::query_scalar("select \"table\" from pragma_foreign_key_check")
                .fetch_all(&self.readers)
                .await?;
        found.extend(
            orphans
                .into_iter()
                .map(|table| format!("a row of {table} refers to nothing")),
        );
        Ok(found)
    }

    /// Ends all connections; what was committed is on disk.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A damaged file is left alone: each write would make it worse.
async fn look_for_damage(writer: &SqlitePool, path: &Path) -> Result<(), StoreError> {
    let looked: Result<String, _> = sqlx::query_scalar("pragma quick_check(1)")
        .fetch_one(writer)
        .await;
    let found = match looked {
        Ok(found) if found == "ok" => return Ok(()),
        Ok(found) => found,
        Err(error) => error.to_string(),
    };
    Err(StoreError::DamagedFile {
        path: path.to_owned(),
        found,
    })
}

async fn migrate(writer: &SqlitePool) -> Result<(), StoreError> {
    let known = MIGRATOR.iter().map(|step| step.version).max().unwrap_or(0);
    let has_steps: i64 = sqlx::query_scalar(
        "select count(*) from sqlite_schema where type = 'table' and name = '_sqlx_migrations'",
    )
    .fetch_one(writer)
    .await?;
    if has_steps > 0 {
        let found: Option<i64> = sqlx::query_scalar("select max(version) from _sqlx_migrations")
            .fetch_one(writer)
            .await?;
        let found = found.unwrap_or(0);
        if found > known {
            return Err(StoreError::Newer { found, known });
        }
    }
    MIGRATOR.run(writer).await.map_err(StoreError::Migrate)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A fresh database that goes with the directory.
    pub(crate) async fn fresh() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("gantry.db")).await.unwrap();
        (dir, store)
    }

    #[tokio::test]
    async fn the_settings_are_those_that_survive_a_power_cut() {
        let (_dir, store) = fresh().await;
        let journal: String = sqlx::query_scalar("pragma journal_mode")
            .fetch_one(&store.writer)
            .await
            .unwrap();
        let synchronous: i64 = sqlx::query_scalar("pragma synchronous")
            .fetch_one(&store.writer)
            .await
            .unwrap();
        let keys: i64 = sqlx::query_scalar("pragma foreign_keys")
            .fetch_one(&store.writer)
            .await
            .unwrap();
        assert_eq!((journal.as_str(), synchronous, keys), ("wal", 2, 1));
        assert_eq!(store.integrity().await.unwrap(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn data_from_a_newer_version_is_refused() {
        let (dir, store) = fresh().await;
        sqlx::query(
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
             values (9999, 'later', true, x'00', 0)",
        )
        .execute(&store.writer)
        .await
        .unwrap();
        store.close().await;

        let error = Store::open(&dir.path().join("gantry.db"))
            .await
            .unwrap_err();

        assert!(
            matches!(error, StoreError::Newer { found: 9999, .. }),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_damaged_file_is_refused_and_left_alone() {
        let (dir, store) = fresh().await;
        store.close().await;
        let path = dir.path().join("gantry.db");
        let mut bytes = std::fs::read(&path).unwrap();
        for page in bytes.chunks_mut(4096).skip(1) {
            page[..64].fill(0xAA);
        }
        std::fs::write(&path, &bytes).unwrap();

        let error = Store::open(&path).await.unwrap_err();

        assert!(matches!(error, StoreError::DamagedFile { .. }), "{error:?}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }

    #[tokio::test]
    async fn a_reader_cannot_write() {
        let (_dir, store) = fresh().await;
        let refused = sqlx::query("delete from setting")
            .execute(&store.readers)
            .await;
        assert!(refused.is_err());
    }
}
