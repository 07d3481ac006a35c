//! What can go wrong with the database, told apart as far as a caller can react.

use std::path::{Path, PathBuf};

/// A failure of the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or made.
    #[error("failed to open the database {path}")]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The file was written by a later version of the server.
    #[error(
        "the data was written by a newer version of gantry (its database knows step {found}, this \
         version ends at {known}); install that version or restore an older backup"
    )]
    Newer {
        /// The last migration in the file.
        found: i64,
        /// The last migration that this version has.
        known: i64,
    },
    /// The file is not what was written.
    #[error(
        "the database {path} is damaged ({found}); put a backup in its place, or move it away to \
         begin anew"
    )]
    DamagedFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// A step of the database's building failed.
    #[error("failed to bring the database up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A rule of the database was broken; the constraint's name says which.
    #[error("the database refuses: {0}")]
    Constraint(&'static str),
    /// A row does not mean what it should.
    #[error("the database holds a {what} that cannot be read")]
    Damaged {
        /// What the value should be.
        what: &'static str,
    },
    /// Anything else.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

/// The constraints that callers react to, by name, and the text that SQLite has for each.
const CONSTRAINTS: &[(&str, &str)] = &[
    ("account_name_key", "UNIQUE constraint failed: account.name"),
    ("account_last_owner", "account_last_owner"),
    ("session_account_fkey", "FOREIGN KEY constraint failed"),
    (
        "registry_name_key",
        "UNIQUE constraint failed: registry.name",
    ),
    (
        "registry_address_key",
        "UNIQUE constraint failed: registry.address",
    ),
    ("edit_key", "UNIQUE constraint failed: edit.edit_id"),
    (
        "session_key",
        "UNIQUE constraint failed: session.session_key",
    ),
];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let found = error.as_database_error().and_then(|database| {
            CONSTRAINTS
                .iter()
                .find(|(_, text)| database.message().contains(text))
        });
        match found {
            Some((name, _)) => Self::Constraint(name),
            None => Self::Database(error),
        }
    }
}

impl StoreError {
    /// Tells a file that is damaged from one that cannot be reached.
    pub(super) fn of_opening(path: &Path, source: sqlx::Error) -> Self {
        const CORRUPT: &str = "11";
        const NOT_A_DATABASE: &str = "26";
        let path = path.to_owned();
        let code = source.as_database_error().and_then(|error| error.code());
        match code.as_deref() {
            Some(CORRUPT | NOT_A_DATABASE) => Self::DamagedFile {
                path,
                found: source.to_string(),
            },
            _ => Self::Open { path, source },
        }
    }

    /// Tells whether the constraint of that name was broken.
    pub fn breaks(&self, constraint: &str) -> bool {
        matches!(self, Self::Constraint(name) if *name == constraint)
    }
}
