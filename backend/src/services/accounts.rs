//! Accounts: logging in and out, one's own password and language, and other people's accounts.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::{Error, Obstacle, Result, Services, audit, refusals};
use crate::access::password::Verdict;
use crate::access::{Permit, account, own_session, people};
use crate::domain::{
    Account, AccountId, AccountName, AuditActor, AuditEntry, Language, Outcome, Password, PlaceRef,
    RequestId, Role, Rule, SessionKey, Theme,
};
use crate::store::sessions::SessionRow;
use crate::store::{accounts as rows, login_failures, sessions};

/// Failures are counted over this time.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// Wrong passwords for one name from one address, before it has to wait.
const MOST_OF_BOTH: i64 = 5;
/// Wrong passwords from one address, for any names.
const MOST_OF_ADDRESS: i64 = 20;
/// Wrong passwords for one name, from any addresses. High, so that a stranger cannot lock
/// somebody out with a few of them.
const MOST_OF_NAME: i64 = 100;
/// Why a log-in is refused without a look at its password, as the audit has it.
const TOO_MANY_TRIES: &str = "refused-too-many-tries";

/// Compares a name and a password; returns whose they are.
///
/// # Errors
/// [`Rule::WrongCredentials`] or [`Rule::TooManyTries`], both about the form as a whole.
pub async fn login(
    services: &Services,
    name: &str,
    password: String,
    from: (IpAddr, RequestId),
) -> Result<Account> {
    let claimed: String = name.trim().to_lowercase().chars().take(64).collect();
    let unknown = AuditActor::Unknown {
        claimed: claimed.clone(),
    };
    let refusal = entry(services, unknown, from.clone(), Outcome::Refused);
    let attempt = begin_attempt(services, claimed, from.0, refusal).await?;

    let parsed: Option<AccountName> = name.parse().ok();
    let Ok(password) = Password::typed(password) else {
        return refuse(services, attempt.name, from).await;
    };
    let mut read = services.store().read().await?;
    let found = match &parsed {
        Some(name) => rows::with_password(&mut read, name).await?,
        None => None,
    };
    drop(read);
    let (account, stored) = found.unzip();
    let verdict = services.0.hasher.verify(&password, stored).await?;
    let (Some(account), false) = (account, verdict == Verdict::Wrong) else {
        return refuse(services, attempt.name, from).await;
    };

    let mut write = services.store().write().await?;
    if let Verdict::RightRehash(hash) = verdict {
        rows::set_password(&mut write, &account.id, &hash).await?;
    }
    login_failures::forgive(&mut write, &attempt.name, &attempt.address).await?;
    let actor = AuditActor::Account {
        id: account.id.clone(),
        name: account.name.to_string(),
    };
    let entry = entry(services, actor, from, Outcome::Done);
    write.commit(&entry).await.map_err(Error::Audit)?;
    Ok(account)
}

/// A try that counts as failed until it is forgiven.
struct Attempt {
    name: String,
    address: String,
}

/// Counts a try before its password is looked at, so that a thousand tries at one moment are a
/// thousand tries and not one.
async fn begin_attempt(
    services: &Services,
    name: String,
    address: IpAddr,
    refusal: AuditEntry,
) -> Result<Attempt> {
    let attempt = Attempt {
        name,
        address: refusals::network_of(address),
    };
    let now = services.clock().now();
    let mut write = services.store().write().await?;
    let failures =
        login_failures::count(&mut write, &attempt.name, &attempt.address, now - WINDOW).await?;
    let is_too_often = failures.of_both >= MOST_OF_BOTH
        || failures.of_address >= MOST_OF_ADDRESS
        || failures.of_name >= MOST_OF_NAME;
    if is_too_often {
        drop(write);
        let has_many_names = failures.of_address >= MOST_OF_ADDRESS;
        locked_out(services, refusal, has_many_names).await?;
        let seconds = WINDOW.as_secs().unsigned_abs();
        return Err(Error::field("", Rule::TooManyTries { seconds }));
    }
    login_failures::insert(&mut write, &attempt.name, &attempt.address, now).await?;
    write
        .commit_silent("a try is counted here, and its end is in the audit")
        .await?;
    Ok(attempt)
}

/// Notes that a password was not looked at: once for each name and network as long as that lasts, or
/// once for the network that tries one name after the other.
async fn locked_out(
    services: &Services,
    mut refusal: AuditEntry,
    has_many_names: bool,
) -> Result<()> {
    TOO_MANY_TRIES.clone_into(&mut refusal.detail);
    if let (AuditActor::Unknown { claimed }, true) = (&mut refusal.actor, has_many_names) {
        claimed.clear();
    }
    refusals::note_for(services, refusal, WINDOW).await
}

async fn refuse(
    services: &Services,
    claimed: String,
    from: (IpAddr, RequestId),
) -> Result<Account> {
    let actor = AuditActor::Unknown { claimed };
    let entry = entry(services, actor, from, Outcome::Refused);
    refusals::note(services, entry).await?;
    Err(Error::field("", Rule::WrongCredentials))
}

fn entry(
    services: &Services,
    actor: AuditActor,
    (address, request): (IpAddr, RequestId),
    outcome: Outcome,
) -> AuditEntry {
    AuditEntry {
        at: services.clock().now(),
        actor,
        address: Some(address),
        request: Some(request),
        action: "session.begin",
        place: PlaceRef {
            kind: "server",
            id: String::new(),
            name: String::new(),
        },
        outcome,
        detail: String::new(),
    }
}

/// Notes that somebody has logged out; the session itself is ended before, by the door that knows
/// the cookie. A log-out is not refused because it cannot be noted: it takes away, and gives nothing.
pub async fn logout(services: &Services, permit: &Permit<own_session::End>) {
    let noted = async {
        let write = services.store().write().await?;
        let entry = audit::entry(services, permit, Outcome::Done, String::new());
        write.commit(&entry).await
    };
    if let Err(error) = noted.await {
        let error = crate::errors::chain(&error);
        tracing::error!(error, "a log-out could not be noted");
    }
    announce(services);
}

/// Tells open streams to ask again whether they may go on.
pub fn announce(services: &Services) {
    services.watchtower().announce();
}

/// Returns the sessions of one's own account, the one used last first.
///
/// # Errors
/// When the database fails.
pub async fn own_sessions(
    services: &Services,
    permit: &Permit<account::View>,
) -> Result<Vec<SessionRow>> {
    let mut read = services.store().read().await?;
    Ok(sessions::of_account(&mut read, &permit.place().id).await?)
}

/// Ends all sessions of one's own but the one in use; returns how many.
///
/// # Errors
/// When the database fails.
pub async fn end_other_sessions(
    services: &Services,
    permit: &Permit<own_session::End>,
) -> Result<u64> {
    let mut write = services.store().write().await?;
    let keep = Some(&permit.actor().session);
    let n_ended = sessions::end_all(&mut write, &permit.place().id, keep).await?;
    let detail = format!("others={n_ended}");
    write
        .commit(&audit::entry(services, permit, Outcome::Done, detail))
        .await?;
    services.watchtower().announce();
    Ok(n_ended)
}

/// Ends one session of one's own: a browser left open elsewhere, or one that is not recognised.
///
/// # Errors
/// [`Error::NotFound`] when it has ended already or is somebody else's.
pub async fn end_session(
    services: &Services,
    permit: &Permit<own_session::End>,
    key: &SessionKey,
) -> Result<()> {
    let mut write = services.store().write().await?;
    if !sessions::end_one(&mut write, &permit.place().id, key).await? {
        return Err(Error::NotFound { kind: "session" });
    }
    let entry = audit::entry(services, permit, Outcome::Done, "one".to_owned());
    write.commit(&entry).await?;
    services.watchtower().announce();
    Ok(())
}

/// Replaces one's own password; all other sessions of the account end.
///
/// # Errors
/// With the field that breaks a rule.
pub async fn change_password(
    services: &Services,
    permit: &Permit<account::ChangePassword>,
    present: String,
    new: String,
    again: &str,
) -> Result<()> {
    let name = &permit.actor().account.name;
    let present = Password::typed(present).map_err(|rule| Error::field("present", rule))?;
    if new != again {
        return Err(Error::field("password_again", Rule::PasswordsDiffer));
    }
    let new = Password::chosen(new, name).map_err(|rule| Error::field("password", rule))?;

    let claimed = name.as_str().to_lowercase();
    let address = permit.actor().address;
    let refusal = audit::entry(services, permit, Outcome::Refused, String::new());
    let attempt = begin_attempt(services, claimed, address, refusal).await?;
    let found = rows::with_password(&mut services.store().read().await?, name).await?;
    let (account, stored) = found.ok_or(Error::NotFound { kind: "account" })?;
    if services.0.hasher.verify(&present, Some(stored)).await? == Verdict::Wrong {
        let entry = audit::entry(services, permit, Outcome::Refused, String::new());
        refusals::note(services, entry).await?;
        return Err(Error::field("present", Rule::WrongPassword));
    }
    let hash = services.0.hasher.hash(&new).await?;
    let mut write = services.store().write().await?;
    rows::set_password(&mut write, &account.id, &hash).await?;
    login_failures::forgive(&mut write, &attempt.name, &attempt.address).await?;
    sessions::end_all(&mut write, &account.id, Some(&permit.actor().session)).await?;
    write
        .commit(&audit::entry(
            services,
            permit,
            Outcome::Done,
            String::new(),
        ))
        .await?;
    services.watchtower().announce();
    Ok(())
}

/// Chooses one's own language, where `None` follows the browser, and colours.
///
/// # Errors
/// When the database fails.
pub async fn change_look(
    services: &Services,
    permit: &Permit<account::ChangeLook>,
    language: Option<Language>,
    theme: Theme,
) -> Result<()> {
    let mut write = services.store().write().await?;
    rows::set_look(&mut write, &permit.place().id, language, theme).await?;
    let language = language.map_or("browser", Language::tag);
    let detail = format!("language={language} theme={}", theme.as_str());
    let entry = audit::entry(services, permit, Outcome::Done, detail);
    write.commit(&entry).await?;
    Ok(())
}

/// Forgets sessions that are too old, and failed logins that no longer count.
///
/// # Errors
/// When the database fails.
pub async fn forget_expired(services: &Services) -> Result<()> {
    let now = services.clock().now();
    let mut write = services.store().write().await?;
    sessions::remove_expired(&mut write, now).await?;
    login_failures::forget_before(&mut write, now - WINDOW).await?;
    Ok(write
        .commit_silent("time decides, and the same for everybody")
        .await?)
}

/// Returns every account.
///
/// # Errors
/// When the database fails.
pub async fn list(services: &Services, _permit: &Permit<people::List>) -> Result<Vec<Account>> {
    Ok(rows::all(&mut services.store().read().await?).await?)
}

/// Adds an account.
///
/// # Errors
/// With the field that breaks a rule: the name may be taken.
pub async fn add(
    services: &Services,
    permit: &Permit<people::Add>,
    name: AccountName,
    password: &Password,
    role: Role,
) -> Result<Account> {
    let hash = services.0.hasher.hash(password).await?;
    let created_at: Timestamp = services.clock().now();
    let account = Account {
        id: AccountId::unique(),
        name,
        role,
        language: None,
        theme: Theme::System,
        created_at,
    };
    let mut write = services.store().write().await?;
    match rows::insert(&mut write, &account, &hash).await {
        Err(error) if error.breaks("account_name_key") => {
            return Err(Error::field("name", Rule::Taken));
        }
        done => done?,
    }
    let detail = format!(
        "account={} name={} role={}",
        account.id,
        account.name,
        role.as_str()
    );
    write
        .commit(&audit::entry(services, permit, Outcome::Done, detail))
        .await?;
    Ok(account)
}

/// Removes an account; its sessions and open streams end.
///
/// # Errors
/// [`Obstacle::LastOwner`] for the last owner.
pub async fn remove(services: &Services, permit: &Permit<people::Remove>) -> Result<()> {
    let mut write = services.store().write().await?;
    match rows::delete(&mut write, &permit.place().id).await {
        Err(error) if error.breaks("account_last_owner") => {
            return Err(Error::InTheWay(Obstacle::LastOwner));
        }
        done => done?,
    }
    write
        .commit(&audit::entry(
            services,
            permit,
            Outcome::Done,
            String::new(),
        ))
        .await?;
    services.watchtower().announce();
    Ok(())
}
