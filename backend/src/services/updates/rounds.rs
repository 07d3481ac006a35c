//! Asking registries: what is due, one thing at a time of each; what is asked for at once.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::known::Turn;
use super::tracked::Tracked;
use crate::access::{Permit, image, registry};
use crate::domain::{Rule, TagCheck};
use crate::errors;
use crate::fleet::ClientError;
use crate::ids;
use crate::services::registry_auth::header;
use crate::services::{Error, Obstacle, Result, Services, audit, registries};
use crate::store::tag_checks as rows;

/// A tag is asked for again after this time, and up to an hour more.
pub const AGAIN: SignedDuration = SignedDuration::from_hours(6);
/// After a failure this time goes by, and twice as long after each further one.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_mins(15);
const LONGEST_AFTER_FAILURE: SignedDuration = SignedDuration::from_hours(24);
/// An image that came since the last check is asked about after this time.
const AFTER_CHANGE: SignedDuration = SignedDuration::from_mins(1);
/// How long a registry is left alone that limits how often it is asked: at least, when it does not
/// say, and whatever it says.
const SHORTEST_REST: SignedDuration = SignedDuration::from_mins(1);
const USUAL_REST: SignedDuration = SignedDuration::from_hours(1);
const LONGEST_REST: SignedDuration = SignedDuration::from_hours(24);
/// How long the others go first after the engine could not be asked about a tag.
const AFTER_NOBODY: SignedDuration = SignedDuration::from_mins(5);
/// Registries that are asked in one round; a round is every few seconds.
const MOST_A_ROUND: usize = 2;
/// The words of a refusal that are kept.
const MOST_WORDS: usize = 400;

/// Reads what registries said before the server was started.
///
/// # Errors
/// When the database fails.
pub async fn begin(services: &Services) -> Result<()> {
    let mut read = services.store().read().await?;
    let (checks, rests) = (rows::all(&mut read).await?, rows::rests(&mut read).await?);
    services.known().load(checks, rests);
    Ok(())
}

/// Asks nobody any more but when a person wants it.
pub fn turn_off(services: &Services) {
    services.known().turn_off();
}

/// Begins to ask for a few of the tags that containers run and whose time has come.
///
/// # Errors
/// When the database fails.
pub async fn take_round(services: &Services) -> Result<()> {
    if !services.index().host().state.is_online() {
        return Ok(());
    }
    forget_what_left(services).await?;
    if services.known().is_off() {
        return Ok(());
    }
    let mut n_begun = 0;
    for tracked in due(services, services.clock().now()) {
        if n_begun == MOST_A_ROUND {
            break;
        }
        if let Some(turn) = services.known().turn(&tracked.registry) {
            services.known().goes(&tracked.reference);
            ask_in_turn(services, turn, tracked);
            n_begun += 1;
        }
    }
    Ok(())
}

/// Asks for one of an image's names as soon as its registry's turn comes.
///
/// # Errors
/// When the image has no such name, the name is in no registry, or the registry is left alone.
pub async fn check_now(
    services: &Services,
    permit: &Permit<image::Check>,
    _keys: &Permit<registry::Use>,
    name: &str,
) -> Result<()> {
    let fact = services.index().find_image(permit.place().id.as_str());
    let fact = fact.ok_or(Error::NotFound { kind: "image" })?;
    let is_own = fact.tags.iter().any(|tag| tag == name);
    let tracked = Tracked::of(name, Some(&fact)).ok().filter(|_| is_own);
    let tracked = tracked.ok_or_else(|| Error::field("tag", Rule::Choice))?;
    let now = services.clock().now();
    if let Some(until) = services.known().rests_until(&tracked.registry, now) {
        let seconds = until.duration_since(now).as_secs();
        let seconds = u64::try_from(seconds).unwrap_or(0);
        return Err(Error::InTheWay(Obstacle::RegistryRests { seconds }));
    }
    let asking = services.clone();
    audit::bracket(services, permit, format!("tag={name}"), async move {
        if !asking.known().ask(&tracked) {
            return Err(Error::InTheWay(Obstacle::TooManyChecks));
        }
        if let Some(mut turn) = asking.known().turn(&tracked.registry)
            && let Some(next) = asking.known().next_asked(&mut turn)
        {
            ask_in_turn(&asking, turn, next);
        }
        Ok(())
    })
    .await
}

/// The tags that containers run and that are to be asked for, those that wait the longest first.
fn due(services: &Services, now: Timestamp) -> Vec<Tracked> {
    let index = services.index();
    let mut due = BTreeMap::new();
    for (name, image_id) in index.running_images() {
        let Ok(tracked) = Tracked::of(&name, index.find_image(&image_id).as_deref()) else {
            continue;
        };
        let check = services.known().check(&tracked.reference);
        let rests = services.known().rests_until(&tracked.registry, now);
        let is_due = check.as_ref().is_none_or(|check| {
            let is_other = check.image_id != id_here(services, &tracked);
            let after_change = check.checked_at + AFTER_CHANGE;
            check.next_at <= now || (is_other && after_change <= now)
        });
        let is_held = [&tracked.reference, &tracked.registry]
            .into_iter()
            .any(|what| services.known().is_held(what, now));
        if is_due && rests.is_none() && !is_held {
            let since = check.map(|check| check.checked_at);
            due.insert((since, tracked.reference.clone()), tracked);
        }
    }
    let mut seen = HashSet::new();
    let one_each = due.into_values();
    one_each
        .filter(|tracked| seen.insert(tracked.registry.clone()))
        .collect()
}

fn id_here(services: &Services, tracked: &Tracked) -> String {
    let here = services.index().find_image(&tracked.familiar);
    here.map(|fact| fact.id.to_string()).unwrap_or_default()
}

/// Asks for a tag, then for what people want to know of that registry.
fn ask_in_turn(services: &Services, mut turn: Turn, first: Tracked) {
    let asking = services.clone();
    services.tasks().spawn("check a tag", async move {
        let mut next = Some(first);
        while let Some(tracked) = next {
            if let Err(error) = check(&asking, &tracked).await {
                let error = errors::chain(&error);
                tracing::warn!(error, tag = tracked.reference, "a check was not kept");
            }
            asking.known().gone(&tracked.reference);
            show(&asking, &tracked);
            next = asking.known().next_asked(&mut turn);
        }
    });
}

/// What came of a question.
enum Said {
    Digest(String),
    No {
        words: String,
        /// How long the registry wants to be left alone.
        rest: Option<SignedDuration>,
        /// It does not take the login that is kept for it: what is asked with it for another tag counts
        /// as one more try to guess it.
        is_login: bool,
    },
    /// The engine itself could not be asked: that is nothing about the registry.
    Nobody,
}

async fn check(services: &Services, tracked: &Tracked) -> Result<()> {
    let image_id = id_here(services, tracked);
    let now = services.clock().now();
    // Somebody may have asked while the registry sent us away.
    if services
        .known()
        .rests_until(&tracked.registry, now)
        .is_some()
    {
        return Ok(());
    }
    let said = ask(services, tracked).await;
    let now = services.clock().now();
    let before = services.known().check(&tracked.reference);
    let (check, rests_until) = match said {
        Said::Nobody => {
            let until = now + AFTER_NOBODY;
            services.known().hold(&tracked.reference, until, now);
            return Ok(());
        }
        Said::Digest(digest) => {
            services.known().release(&tracked.registry);
            let check = TagCheck {
                reference: tracked.reference.clone(),
                found: Some((digest, now)),
                checked_at: now,
                problem: None,
                n_failures: 0,
                next_at: later(now, AGAIN),
                image_id,
            };
            (check, None)
        }
        Said::No {
            words,
            rest,
            is_login,
        } => {
            let n_failures = before.as_ref().map_or(0, |check| check.n_failures);
            let wait = AFTER_FAILURE * (1 << n_failures.min(7));
            let wait = wait.min(LONGEST_AFTER_FAILURE);
            if is_login {
                services.known().hold(&tracked.registry, now + wait, now);
            }
            let check = TagCheck {
                reference: tracked.reference.clone(),
                found: before.and_then(|check| check.found),
                checked_at: now,
                problem: Some(words.chars().take(MOST_WORDS).collect()),
                n_failures: n_failures.saturating_add(1),
                next_at: later(now, wait.max(rest.unwrap_or_default())),
                image_id,
            };
            (check, rest.map(|rest| now + rest))
        }
    };
    // First of all what nobody is asked again for: a full disk must not make us ask on and on.
    if let Some(until) = rests_until {
        services.known().rest(&tracked.registry, until);
    }
    services.known().put(check.clone());
    keep(services, &tracked.registry, &check, rests_until).await
}

/// Keeps over a restart what a registry said.
async fn keep(
    services: &Services,
    registry: &str,
    check: &TagCheck,
    rests_until: Option<Timestamp>,
) -> Result<()> {
    let mut write = services.store().write().await?;
    if let Some(until) = rests_until {
        rows::rest(&mut write, registry, until).await?;
    }
    rows::put(&mut write, check).await?;
    write
        .commit_silent("what a registry said; who asked is in the audit")
        .await?;
    Ok(())
}

async fn ask(services: &Services, tracked: &Tracked) -> Said {
    let no = |words| Said::No {
        words,
        rest: None,
        is_login: false,
    };
    let header = match registries::kept_for_looking(services, &tracked.registry).await {
        Ok(kept) => kept
            .map(|kept| header(&tracked.registry, &kept))
            .transpose(),
        Err(error) => Err(error),
    };
    let header = match header {
        Ok(header) => header,
        Err(error) => return no(error.noted()),
    };
    let asked = services
        .link()
        .remote_digest(&tracked.reference, header.as_deref());
    match asked.await {
        Ok(digest) => Said::Digest(digest),
        Err(ClientError::Refused {
            status: 429,
            message,
            retry_after_s,
        }) => {
            let said = retry_after_s.and_then(|seconds| i64::try_from(seconds).ok());
            let rest = said.map_or(USUAL_REST, SignedDuration::from_secs);
            Said::No {
                words: message,
                rest: Some(rest.clamp(SHORTEST_REST, LONGEST_REST)),
                is_login: false,
            }
        }
        Err(ClientError::Refused {
            status: 401,
            message,
            ..
        }) => Said::No {
            words: message,
            rest: None,
            is_login: header.is_some(),
        },
        Err(ClientError::Refused { message, .. }) => no(message),
        Err(ClientError::Dial { .. } | ClientError::Connection(_)) => Said::Nobody,
        Err(error) => no(errors::chain(&error)),
    }
}

/// That much later and up to a sixth more, so that many tags do not come at one moment.
fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    let [random] = ids::random::<1>();
    now + wait + wait * i32::from(random) / (6 * 256)
}

/// Tells whoever looks at what has that name.
fn show(services: &Services, tracked: &Tracked) {
    let index = services.index();
    index.redraw(|fact| {
        let image = index.find_image(&fact.summary.image_id);
        let found = Tracked::of(&fact.summary.image, image.as_deref());
        found.is_ok_and(|found| found.reference == tracked.reference)
    });
}

/// Forgets the tags that no image has and no container runs.
async fn forget_what_left(services: &Services) -> Result<()> {
    let index = services.index();
    let references = services.known().references();
    if references.is_empty() {
        return Ok(());
    }
    let mut here: HashSet<String> = index
        .running_images()
        .into_iter()
        .filter_map(|(name, id)| Tracked::of(&name, index.find_image(&id).as_deref()).ok())
        .map(|tracked| tracked.reference)
        .collect();
    here.extend(
        index
            .named_images()
            .into_iter()
            .filter_map(|(name, image)| {
                let tracked = Tracked::of(&name, Some(&image)).ok();
                tracked.map(|tracked| tracked.reference)
            }),
    );
    let left = references.into_iter().filter(|one| !here.contains(one));
    let left: Vec<_> = left.collect();
    if left.is_empty() {
        return Ok(());
    }
    // What cannot be deleted now is read at the next start, and forgotten then.
    for reference in &left {
        services.known().forget(reference);
    }
    let mut write = services.store().write().await?;
    for reference in &left {
        rows::delete(&mut write, reference).await?;
    }
    write
        .commit_silent("what a registry said of names that are gone")
        .await?;
    Ok(())
}
