//! Refusals in the audit: the first has its entry at once, those like it within a minute have one more.
//!
//! That one says how many they were. Whoever tries all day long, a stranger at the door or a viewer at
//! the owner's buttons, fills no disk. What has its own length, as the time for which nobody is let in,
//! is counted for as long.
//!
//! **Invariant:** bounded, in memory by twice [`MOST_KINDS`] and in the audit by twice as many entries
//! a minute, and as many again in each longer period, which takes no place from the others.

use std::collections::HashMap;
use std::mem;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{Error, Result, Services};
use crate::domain::{AuditActor, AuditEntry};

/// As long as refusals are counted instead of being told each by itself.
const PERIOD: SignedDuration = SignedDuration::from_mins(1);
/// How many kinds of refusals are told apart in a period; all others are of one kind. Those that have
/// a longer one have as many places of their own.
const MOST_KINDS: usize = 100;

/// The refusals of the last minute, and those of longer periods.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    kinds: Mutex<HashMap<Kind, Counted>>,
}

/// What was refused to whom, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Kind {
    One {
        action: &'static str,
        why: String,
        actor: String,
        network: String,
    },
    /// Those for which there was no place among the short periods, or among the long ones.
    Others { is_long: bool },
}

#[derive(Debug)]
struct Counted {
    since: Timestamp,
    /// For how long.
    period: SignedDuration,
    /// The last of those that have no entry of their own.
    last: Option<AuditEntry>,
    n_more: u64,
}

impl Refusals {
    /// Takes in a refusal; returns the entry to be written for it now, if it is the first of its kind.
    fn take(&self, entry: AuditEntry, period: SignedDuration) -> Option<AuditEntry> {
        let mut kinds = self.kinds();
        let mut kind = Kind::of(&entry);
        let is_long = period > PERIOD;
        let alike = |counted: &&Counted| (counted.period > PERIOD) == is_long;
        if !kinds.contains_key(&kind) && kinds.values().filter(alike).count() >= MOST_KINDS {
            kind = Kind::Others { is_long };
        }
        if let Some(counted) = kinds.get_mut(&kind) {
            counted.n_more += 1;
            counted.last = Some(entry);
            return None;
        }
        let counted = Counted {
            since: entry.at,
            period,
            last: None,
            n_more: 0,
        };
        kinds.insert(kind, counted);
        Some(entry)
    }

    /// Returns the entries of those that were only counted, once their minute is over.
    fn due(&self, now: Timestamp) -> Vec<AuditEntry> {
        let mut kinds = self.kinds();
        let (over, young) = mem::take(&mut *kinds)
            .into_iter()
            .partition(|(_, counted)| now.duration_since(counted.since) >= counted.period);
        *kinds = young;
        let over: HashMap<Kind, Counted> = over;
        let told = over.into_values().filter_map(|counted| {
            let mut entry = counted.last?;
            let why = std::mem::take(&mut entry.detail);
            let why = if why.is_empty() { why } else { why + " " };
            entry.detail = format!("{why}times={}", counted.n_more);
            Some(entry)
        });
        told.collect()
    }

    fn kinds(&self) -> MutexGuard<'_, HashMap<Kind, Counted>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kind {
    fn of(entry: &AuditEntry) -> Self {
        let actor = match &entry.actor {
            AuditActor::Account { id, .. } => format!("account {id}"),
            AuditActor::Unknown { claimed } => format!("unknown {claimed}"),
            other => format!("{other:?}"),
        };
        Self::One {
            action: entry.action,
            why: entry.detail.clone(),
            actor,
            network: entry.address.map(network_of).unwrap_or_default(),
        }
    }
}

/// Whoever has one address of the sixth version has 2⁶⁴ of them: they count as one.
pub(super) fn network_of(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Notes a refusal: at once, or with those like it.
///
/// # Errors
/// When the entry cannot be written.
pub(super) async fn note(services: &Services, entry: AuditEntry) -> Result<()> {
    note_for(services, entry, PERIOD).await
}

/// Notes a refusal that may come again and again for so long: at once, or with those like it.
///
/// # Errors
/// When the entry cannot be written.
pub(super) async fn note_for(
    services: &Services,
    entry: AuditEntry,
    period: SignedDuration,
) -> Result<()> {
    let Some(entry) = services.0.refusals.take(entry, period) else {
        return Ok(());
    };
    let write = services.store().write().await?;
    write.commit(&entry).await.map_err(Error::Audit)?;
    Ok(())
}

/// Writes down how many refusals were only counted, for those whose minute is over.
///
/// # Errors
/// When an entry cannot be written; those behind it are lost then.
pub async fn settle(services: &Services) -> Result<()> {
    for entry in services.0.refusals.due(services.clock().now()) {
        let write = services.store().write().await?;
        write.commit(&entry).await.map_err(Error::Audit)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Outcome, PlaceRef};

    fn refused(claimed: &str, address: &str, at_s: i64) -> AuditEntry {
        AuditEntry {
            at: Timestamp::from_second(at_s).unwrap(),
            actor: AuditActor::Unknown {
                claimed: claimed.to_owned(),
            },
            address: Some(address.parse().unwrap()),
            request: None,
            action: "session.begin",
            place: PlaceRef {
                kind: "server",
                id: String::new(),
                name: String::new(),
            },
            outcome: Outcome::Refused,
            detail: String::new(),
        }
    }

    fn due(refusals: &Refusals, at_s: i64) -> Vec<String> {
        let due = refusals.due(Timestamp::from_second(at_s).unwrap());
        due.into_iter().map(|entry| entry.detail).collect()
    }

    #[test]
    fn the_first_is_told_and_those_like_it_are_counted() {
        let refusals = Refusals::default();
        assert!(
            refusals
                .take(refused("ana", "10.0.0.1", 0), PERIOD)
                .is_some()
        );
        for second in 1..=40 {
            assert!(
                refusals
                    .take(refused("ana", "10.0.0.1", second), PERIOD)
                    .is_none()
            );
        }
        assert!(
            refusals
                .take(refused("ben", "10.0.0.1", 41), PERIOD)
                .is_some()
        );
        assert!(
            refusals
                .take(refused("ana", "10.0.0.2", 41), PERIOD)
                .is_some()
        );
        assert_eq!(due(&refusals, 59), Vec::<String>::new());
        assert_eq!(due(&refusals, 60), ["times=40"]);
        assert!(
            refusals
                .take(refused("ana", "10.0.0.1", 61), PERIOD)
                .is_some()
        );
        assert_eq!(due(&refusals, 121), Vec::<String>::new());
    }

    #[test]
    fn what_has_its_own_length_is_told_once_in_it() {
        let refusals = Refusals::default();
        let locked = |at_s| AuditEntry {
            detail: "refused-too-many-tries".to_owned(),
            ..refused("ana", "10.0.0.1", at_s)
        };
        let quarter = SignedDuration::from_mins(15);
        assert!(
            refusals
                .take(refused("ana", "10.0.0.1", 0), PERIOD)
                .is_some()
        );
        assert!(refusals.take(locked(1), quarter).is_some());
        for second in 2..=899 {
            assert!(refusals.take(locked(second), quarter).is_none());
        }
        assert_eq!(due(&refusals, 900), Vec::<String>::new());
        assert_eq!(due(&refusals, 901), ["refused-too-many-tries times=898"]);
    }

    #[test]
    fn a_flood_of_names_and_addresses_is_a_bounded_number_of_entries() {
        let refusals = Refusals::default();
        let told = (0..20_000).filter(|n| {
            let address = format!("2001:db8:{:x}:{:x}::{n:x}", n / 500, n % 500);
            let entry = refused(&n.to_string(), &address, n % 60);
            refusals.take(entry, PERIOD).is_some()
        });
        assert_eq!(told.count(), MOST_KINDS + 1);
        assert_eq!(
            due(&refusals, 200),
            [format!("times={}", 20_000 - MOST_KINDS - 1)]
        );
        assert!(refusals.kinds().is_empty());
    }

    #[test]
    fn a_flood_of_long_ones_takes_no_place_from_the_short_ones_nor_they_from_it() {
        let refusals = Refusals::default();
        let long = SignedDuration::from_mins(15);
        let from = |n: usize| format!("2001:db8:0:{n:x}::1");
        let locked = |n| AuditEntry {
            detail: "refused-too-many-tries".to_owned(),
            ..refused("ana", &from(n), 0)
        };
        let told = (0..300).filter(|n| refusals.take(locked(*n), long).is_some());
        assert_eq!(told.count(), MOST_KINDS + 1);

        let told = (0..300).filter(|n| {
            let entry = refused("ben", &from(*n), 0);
            refusals.take(entry, PERIOD).is_some()
        });
        assert_eq!(told.count(), MOST_KINDS + 1);
        let more = 300 - MOST_KINDS - 1;
        assert_eq!(due(&refusals, 60), [format!("times={more}")]);
        let due = due(&refusals, 900);
        assert_eq!(due, [format!("refused-too-many-tries times={more}")]);
    }

    #[test]
    fn a_network_of_the_sixth_version_is_one() {
        let refusals = Refusals::default();
        assert!(
            refusals
                .take(refused("ana", "2001:db8::1", 0), PERIOD)
                .is_some()
        );
        assert!(
            refusals
                .take(refused("ana", "2001:db8::2", 0), PERIOD)
                .is_none()
        );
    }
}
