//! Registries: those that are kept, with the name and password for each, and what they have.
//!
//! A password comes in by a form, is sealed for its registry and its address, and goes to the engine
//! beside a request to that registry and no other. It never comes out to a page, a log or the audit.
//!
//! **Invariant:** a kept password is never sent to an address that it was not given for: it is sealed
//! for one, and a new address asks for it again. So does another authority, for whoever vouches for an
//! address says who answers there.

use engine_api::registries::NameList;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use super::reference::Reference;
use super::registry_auth::{auth, header, said};
pub use super::registry_draft::Draft;
use super::{Error, Result, Services, audit};
use crate::access::{Permit, image, registry};
use crate::domain::{Credentials, Outcome, Registry, RegistryAddress, RegistryId, Rule};
use crate::ids;
use crate::store::{StoreError, registries as rows};

/// Names on one page; whoever looks for another narrows the list.
const MOST_NAMES: usize = 500;

/// Returns every registry, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(services: &Services, _permit: &Permit<registry::List>) -> Result<Vec<Registry>> {
    Ok(rows::all(&mut services.store().read().await?).await?)
}

impl Services {
    /// Finds the registry that a permit is asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_registry(&self, id: &RegistryId) -> Result<Option<Registry>> {
        let found = rows::by_id(&mut self.store().read().await?, id).await?;
        Ok(found.map(|(registry, _)| registry))
    }
}

/// Adds a registry.
///
/// # Errors
/// When its name or address is taken, or a name there has no password.
pub async fn add(
    services: &Services,
    permit: &Permit<registry::Add>,
    draft: Draft,
) -> Result<Registry> {
    if !draft.user.is_nobody() && draft.secret.is_none() {
        return Err(Error::field("secret", Rule::Required));
    }
    let detail = format!("name={} {}", draft.name, draft.noted());
    let registry = Registry {
        id: RegistryId::unique(),
        name: draft.name,
        address: draft.address,
        user: draft.user,
        authority: draft.authority,
        has_secret: draft.secret.is_some(),
        created_at: services.clock().now(),
    };
    let sealed = sealed(services, &registry, draft.secret.as_ref())?;
    let mut write = services.store().write().await?;
    let added = rows::insert(&mut write, &registry, sealed.as_deref()).await;
    added.map_err(taken)?;
    let entry = audit::entry(services, permit, Outcome::Done, detail);
    write.commit(&entry).await.map_err(Error::Audit)?;
    Ok(registry)
}

/// Changes a registry. Without a new password the kept one stays, for the same address and authority
/// alone.
///
/// # Errors
/// As [`add`]; [`Rule::SecretAgain`] when the address or the authority is another one and the password
/// was not typed.
pub async fn edit(
    services: &Services,
    permit: &Permit<registry::Edit>,
    draft: Draft,
) -> Result<()> {
    let mut write = services.store().write().await?;
    let found = rows::by_id(&mut write, &permit.place().id).await?;
    let (before, kept) = found.ok_or(Error::NotFound { kind: "registry" })?;
    let has_other_authority = !draft.authority.is_empty() && before.authority != draft.authority;
    let is_moved = before.address != draft.address || has_other_authority;
    let is_somebody = !draft.user.is_nobody();
    if is_somebody && draft.secret.is_none() {
        let rule = match (is_moved && kept.is_some(), kept.is_some()) {
            (true, _) => Some(Rule::SecretAgain),
            (false, false) => Some(Rule::Required),
            (false, true) => None,
        };
        if let Some(rule) = rule {
            return Err(Error::field("secret", rule));
        }
    }
    let secret_word = match (&draft.secret, is_somebody) {
        (Some(_), _) => "new",
        (None, true) => "kept",
        (None, false) => "none",
    };
    let detail = format!(
        "name={} {} password={secret_word}",
        draft.name,
        draft.noted()
    );
    let registry = Registry {
        id: before.id.clone(),
        name: draft.name,
        address: draft.address,
        user: draft.user,
        authority: draft.authority,
        has_secret: is_somebody,
        created_at: before.created_at,
    };
    let kept = match &draft.secret {
        Some(secret) => sealed(services, &registry, Some(secret))?,
        None => kept
            .filter(|_| is_somebody)
            .map(|kept| resealed(services, &before, &registry, kept))
            .transpose()?,
    };
    let changed = rows::update(&mut write, &registry, kept.as_deref()).await;
    changed.map_err(taken)?;
    let entry = audit::entry(services, permit, Outcome::Done, detail);
    write.commit(&entry).await.map_err(Error::Audit)?;
    Ok(())
}

/// Removes a registry and the password that is kept for it.
///
/// # Errors
/// When the database fails.
pub async fn remove(services: &Services, permit: &Permit<registry::Remove>) -> Result<()> {
    let mut write = services.store().write().await?;
    let found = rows::by_id(&mut write, &permit.place().id).await?;
    let (registry, _) = found.ok_or(Error::NotFound { kind: "registry" })?;
    rows::delete(&mut write, &registry.id).await?;
    let detail = format!("address={} user={}", registry.address, registry.user);
    let entry = audit::entry(services, permit, Outcome::Done, detail);
    write.commit(&entry).await.map_err(Error::Audit)?;
    Ok(())
}

/// Logs in to a registry through the host's engine: whoever cannot learns why.
///
/// # Errors
/// [`Error::Engine`] with what the registry, or the way to it, says.
pub async fn test(services: &Services, permit: &Permit<registry::Test>) -> Result<()> {
    let (registry, credentials) = opened(services, &permit.place().id).await?;
    let auth = auth(registry.address.as_str(), credentials.as_ref());
    let client = services.link().client(permit);
    let detail = format!("address={} user={}", registry.address, registry.user);
    audit::bracket(services, permit, detail, async move {
        client.log_in(&auth).await.map(drop).map_err(said)
    })
    .await
}

/// Lists the repositories of a registry whose names hold `part`.
///
/// # Errors
/// [`Error::Engine`] with the reason why there is no list.
pub async fn repositories(
    services: &Services,
    permit: &Permit<registry::View>,
    part: &str,
) -> Result<(Registry, Result<NameList>)> {
    let (registry, credentials) = opened(services, &permit.place().id).await?;
    let address = registry.address.as_str();
    let header = credentials.map(|credentials| header(address, &credentials));
    let header = header.transpose()?;
    let client = services.link().client(permit);
    let found = client
        .repositories(address, part.trim(), MOST_NAMES, header.as_deref())
        .await;
    Ok((registry, found.map_err(said)))
}

/// Lists the tags of a repository of a registry.
///
/// # Errors
/// [`Error::Engine`] with the reason why there is no list; a field when that is no repository.
pub async fn tags(
    services: &Services,
    permit: &Permit<registry::View>,
    repository: &str,
) -> Result<(Registry, Result<NameList>)> {
    let (registry, credentials) = opened(services, &permit.place().id).await?;
    let address = registry.address.as_str();
    let reference = format!("{address}/{}", repository.trim());
    let is_there = |found: &Reference| found.name() == reference && found.registry() == address;
    let parsed: Option<Reference> = reference.parse().ok();
    let Some(reference) = parsed.filter(is_there) else {
        return Ok((registry, Err(Error::field("repository", Rule::ImageName))));
    };
    let header = credentials.map(|credentials| header(address, &credentials));
    let header = header.transpose()?;
    let client = services.link().client(permit);
    let found = client
        .repository_tags(reference.name(), MOST_NAMES, header.as_deref())
        .await;
    Ok((registry, found.map_err(said)))
}

/// Lists the tags of what is about to be pulled, by the kept credentials for its registry.
///
/// # Errors
/// [`Error::Engine`] with the reason why there is no list.
pub async fn tags_to_pull(
    services: &Services,
    permit: &Permit<image::Pull>,
    keys: &Permit<registry::Use>,
    reference: &Reference,
) -> Result<NameList> {
    let kept = kept(services, keys, reference.registry()).await?;
    let header = kept.map(|credentials| header(reference.registry(), &credentials));
    let header = header.transpose()?;
    let client = services.link().client(permit);
    let found = client
        .repository_tags(reference.name(), MOST_NAMES, header.as_deref())
        .await;
    found.map_err(said)
}

/// Returns the kept name and password for the registry at an address, as an image's name has it.
///
/// # Errors
/// [`super::Obstacle::OtherKey`] and the like when they are kept and cannot be read.
pub async fn kept(
    services: &Services,
    _permit: &Permit<registry::Use>,
    address: &str,
) -> Result<Option<Credentials>> {
    kept_for_looking(services, address).await
}

/// Returns what a pull or a push goes by: what was typed before what is kept, and the registry's own
/// authorities with either. What was typed needs no key.
///
/// # Errors
/// As [`kept`], when nothing was typed.
pub async fn beside_kept(
    services: &Services,
    permit: &Permit<registry::Use>,
    address: &str,
    typed: Option<Credentials>,
) -> Result<Option<Credentials>> {
    let Some(mut typed) = typed else {
        return kept(services, permit, address).await;
    };
    if let Ok(address) = address.parse() {
        let found = rows::by_address(&mut services.store().read().await?, &address).await?;
        if let Some((registry, _)) = found {
            typed.authority = registry.authority;
        }
    }
    Ok(Some(typed))
}

/// Returns the same for a look that nobody asked for: at what runs already.
///
/// # Errors
/// As [`kept`].
pub(super) async fn kept_for_looking(
    services: &Services,
    address: &str,
) -> Result<Option<Credentials>> {
    let Ok(address) = address.parse::<RegistryAddress>() else {
        return Ok(None);
    };
    let found = rows::by_address(&mut services.store().read().await?, &address).await?;
    match found {
        Some((registry, sealed)) => open(services, &registry, sealed.as_deref()),
        None => Ok(None),
    }
}

/// Returns every kept name and password, by the address of its registry, for work that says only on
/// the way which registries it needs. One that cannot be read is left out:
/// it may not be needed.
///
/// # Errors
/// When the database fails.
pub async fn all_kept(
    services: &Services,
    _permit: &Permit<registry::Use>,
) -> Result<Vec<(String, Credentials)>> {
    let mut read = services.store().read().await?;
    let mut all = Vec::new();
    for registry in rows::all(&mut read).await? {
        let Some((registry, sealed)) = rows::by_id(&mut read, &registry.id).await? else {
            continue;
        };
        match open(services, &registry, sealed.as_deref()) {
            Ok(Some(credentials)) => all.push((registry.address.to_string(), credentials)),
            Ok(None) => {}
            Err(error) => {
                let reason = error.noted();
                tracing::warn!(registry.id = %registry.id, reason, "a password was left out");
                // Whom to trust is known all the same.
                if !registry.authority.is_empty() {
                    let authority = Credentials {
                        name: String::new(),
                        password: String::new().into(),
                        authority: registry.authority,
                        is_kept: true,
                    };
                    all.push((registry.address.to_string(), authority));
                }
            }
        }
    }
    Ok(all)
}

/// Returns a registry with its password, to be sent there.
async fn opened(services: &Services, id: &RegistryId) -> Result<(Registry, Option<Credentials>)> {
    let found = rows::by_id(&mut services.store().read().await?, id).await?;
    let (registry, sealed) = found.ok_or(Error::NotFound { kind: "registry" })?;
    let credentials = open(services, &registry, sealed.as_deref())?;
    Ok((registry, credentials))
}

fn open(
    services: &Services,
    registry: &Registry,
    sealed: Option<&[u8]>,
) -> Result<Option<Credentials>> {
    if sealed.is_none() && registry.authority.is_empty() {
        return Ok(None);
    }
    let seal = services.store().seal();
    let password = sealed.map(|sealed| seal.unseal(&purpose(registry), sealed));
    Ok(Some(Credentials {
        name: registry.user.to_string(),
        password: password
            .transpose()?
            .unwrap_or_else(|| String::new().into()),
        authority: registry.authority.clone(),
        is_kept: true,
    }))
}

fn sealed(
    services: &Services,
    registry: &Registry,
    secret: Option<&SecretString>,
) -> Result<Option<Vec<u8>>> {
    let seal = services.store().seal();
    let sealed = secret.map(|secret| seal.seal(&purpose(registry), secret));
    Ok(sealed.transpose()?)
}

/// Seals a password for what its registry is by now: without the authority that it had.
fn resealed(
    services: &Services,
    before: &Registry,
    registry: &Registry,
    kept: Vec<u8>,
) -> Result<Vec<u8>> {
    if purpose(before) == purpose(registry) {
        return Ok(kept);
    }
    let seal = services.store().seal();
    let secret = seal.unseal(&purpose(before), &kept)?;
    Ok(seal.seal(&purpose(registry), &secret)?)
}

/// What a password is sealed for: this row, this address, and who vouches for it if not everybody's
/// authorities do.
fn purpose(registry: &Registry) -> String {
    let place = format!("registry {} at {}", registry.id, registry.address);
    match registry.authority.is_empty() {
        true => place,
        false => {
            let digest = ids::base64(&Sha256::digest(registry.authority.as_str()));
            format!("{place} by {digest}")
        }
    }
}

fn taken(error: StoreError) -> Error {
    let field = [
        ("registry_name_key", "name"),
        ("registry_address_key", "address"),
    ];
    let field = field.iter().find(|(key, _)| error.breaks(key));
    match field {
        Some((_, field)) => Error::field(field, Rule::Taken),
        None => error.into(),
    }
}
