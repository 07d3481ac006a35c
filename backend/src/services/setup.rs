//! The first start: a one-time link makes the first owner.
//!
//! While there is no account the server prints a link with a random token at each start and keeps
//! the token's fingerprint. The account that the link makes is the end of it: whoever comes second
//! finds nothing, and no account ever comes back by itself.

use std::net::IpAddr;

use subtle::ConstantTimeEq;

use super::{Error, Result, Services};
use crate::domain::{
    Account, AccountId, AccountName, AccountPlace, AuditActor, AuditEntry, Outcome, Password,
    Place, RequestId, Role, Rule, Theme,
};
use crate::ids;
use crate::store::{accounts, settings};

/// Tells whether there is no account yet.
///
/// # Errors
/// When the database fails.
pub async fn is_needed(services: &Services) -> Result<bool> {
    Ok(accounts::count(&mut services.store().read().await?).await? == 0)
}

/// Makes a new link's token if there is no account yet; links made before open nothing any more.
///
/// # Errors
/// When the database fails.
pub async fn new_token(services: &Services) -> Result<Option<String>> {
    if !is_needed(services).await? {
        return Ok(None);
    }
    let token = ids::secret();
    let mut write = services.store().write().await?;
    let now = services.clock().now();
    settings::set(
        &mut write,
        settings::SETUP_LINK,
        &ids::fingerprint(&token),
        now,
    )
    .await?;
    write
        .commit_silent("the owner that the link makes has an entry")
        .await?;
    Ok(Some(token))
}

/// Tells whether a link's token is the one that was printed last, and not used.
///
/// # Errors
/// When the database fails.
pub async fn is_token(services: &Services, token: &str) -> Result<bool> {
    let mut read = services.store().read().await?;
    let stored = settings::get(&mut read, settings::SETUP_LINK)
        .await?
        .unwrap_or_default();
    let given = ids::fingerprint(token);
    let same = bool::from(stored.as_bytes().ct_eq(given.as_bytes()));
    Ok(same && accounts::count(&mut read).await? == 0)
}

/// Makes the first owner.
///
/// # Errors
/// [`Error::NotFound`] when the link is not the last one printed, or was used.
pub async fn first_owner(
    services: &Services,
    token: &str,
    name: AccountName,
    password: &Password,
    from: (IpAddr, RequestId),
) -> Result<Account> {
    let gone = || Error::NotFound { kind: "setup" };
    if !is_token(services, token).await? {
        return Err(gone());
    }
    let hash = services.0.hasher.hash(password).await?;
    let account = Account {
        id: AccountId::unique(),
        name,
        role: Role::Owner,
        language: None,
        theme: Theme::System,
        created_at: services.clock().now(),
    };
    let mut write = services.store().write().await?;
    if accounts::count(&mut write).await? > 0 {
        return Err(gone());
    }
    accounts::insert(&mut write, &account, &hash).await?;
    settings::remove(&mut write, settings::SETUP_LINK).await?;
    let (address, request) = from;
    let actor = AuditActor::Account {
        id: account.id.clone(),
        name: account.name.to_string(),
    };
    let mut entry = made(services, &account, actor);
    entry.address = Some(address);
    entry.request = Some(request);
    write.commit(&entry).await?;
    Ok(account)
}

/// Makes an owner from the server's own command line, or gives an account that is there a new
/// password and the owner's role; its sessions end.
///
/// # Errors
/// When the database fails.
pub async fn rescue_owner(
    services: &Services,
    name: AccountName,
    password: &Password,
) -> Result<Account> {
    let hash = services.0.hasher.hash(password).await?;
    let mut write = services.store().write().await?;
    let account = match accounts::with_password(&mut write, &name).await? {
        Some((found, _)) => {
            accounts::set_password(&mut write, &found.id, &hash).await?;
            accounts::set_role(&mut write, &found.id, Role::Owner).await?;
            crate::store::sessions::end_all(&mut write, &found.id, None).await?;
            Account {
                role: Role::Owner,
                ..found
            }
        }
        None => {
            let account = Account {
                id: AccountId::unique(),
                name,
                role: Role::Owner,
                language: None,
                theme: Theme::System,
                created_at: services.clock().now(),
            };
            accounts::insert(&mut write, &account, &hash).await?;
            account
        }
    };
    settings::remove(&mut write, settings::SETUP_LINK).await?;
    write
        .commit(&made(services, &account, AuditActor::Operator))
        .await?;
    Ok(account)
}

fn made(services: &Services, account: &Account, actor: AuditActor) -> AuditEntry {
    let place = AccountPlace {
        id: account.id.clone(),
        name: account.name.to_string(),
    };
    AuditEntry {
        at: services.clock().now(),
        actor,
        address: None,
        request: None,
        action: "people.add",
        place: place.describe(),
        outcome: Outcome::Done,
        detail: "role=owner".to_owned(),
    }
}

/// Reads a name and a password chosen for it, twice.
///
/// # Errors
/// With the field that breaks a rule.
pub fn chosen(name: &str, password: String, again: &str) -> Result<(AccountName, Password)> {
    let name: AccountName = name.parse().map_err(|rule| Error::field("name", rule))?;
    if password != again {
        return Err(Error::field("password_again", Rule::PasswordsDiffer));
    }
    let password =
        Password::chosen(password, &name).map_err(|rule| Error::field("password", rule))?;
    Ok((name, password))
}
