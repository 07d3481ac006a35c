//! From a session to the person behind it.

use std::net::IpAddr;

use tower_sessions::Session;

use super::Actor;
use crate::domain::{Account, AccountId, Browser, RequestId};
use crate::store::{Store, StoreError, accounts, sessions};

/// Why a session cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The session layer failed.
    #[error("failed to use the session")]
    Layer(#[source] tower_sessions::session::Error),
    /// The database failed.
    #[error("failed to read who is logged in")]
    Store(#[from] StoreError),
}

/// Returns who is logged in, if anybody.
///
/// # Errors
/// When the database fails.
pub async fn actor(
    session: &Session,
    store: &Store,
    address: IpAddr,
    request: RequestId,
) -> Result<Option<Actor>, SessionError> {
    let account: Option<String> = session
        .get(sessions::ACCOUNT)
        .await
        .map_err(SessionError::Layer)?;
    let (Some(account), Some(id)) = (account, session.id()) else {
        return Ok(None);
    };
    let Ok(account) = account.parse::<AccountId>() else {
        return Ok(None);
    };
    let mut read = store.read().await?;
    let found = accounts::by_id(&mut read, &account).await?;
    Ok(found.map(|account| Actor::new(account, sessions::key(&id), address, request)))
}

/// Returns an account, for finding the place that a permit is asked for.
///
/// # Errors
/// When the database fails.
pub async fn account(store: &Store, id: &AccountId) -> Result<Option<Account>, SessionError> {
    let mut read = store.read().await?;
    Ok(accounts::by_id(&mut read, id).await?)
}

/// Makes the session the account's, under a new id so that one known before opens nothing; it keeps
/// where the login came from.
///
/// # Errors
/// When the database fails.
pub async fn begin(
    session: &Session,
    account: &Account,
    address: IpAddr,
    browser: &Browser,
) -> Result<(), SessionError> {
    if session.id().is_some() {
        session.flush().await.map_err(SessionError::Layer)?;
    }
    // `flush` alone keeps the id that the browser came with, which somebody else may have planted.
    session.cycle_id().await.map_err(SessionError::Layer)?;
    for (member, value) in [
        (sessions::ACCOUNT, account.id.as_str()),
        (sessions::BROWSER, browser.as_str()),
        (sessions::ADDRESS, &address.to_string()),
    ] {
        let inserted = session.insert(member, value).await;
        inserted.map_err(SessionError::Layer)?;
    }
    session.save().await.map_err(SessionError::Layer)
}

/// Ends the session.
///
/// # Errors
/// When the database fails.
pub async fn end(session: &Session) -> Result<(), SessionError> {
    session.flush().await.map_err(SessionError::Layer)
}
