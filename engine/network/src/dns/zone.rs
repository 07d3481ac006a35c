//! The names of one network.
//!
//! One zone is shared by the views of all containers in its network, and changes in place: somebody who
//! joins costs what their own names cost, however many are there already, and no view is made anew.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ipnet::IpNet;

/// The names of one network and who has them.
#[derive(Debug)]
pub struct Zone {
    /// In lower case; also the last label of every name here.
    network: String,
    subnets: Vec<IpNet>,
    /// Held for the time of one look-up or one change, and never while something waits.
    table: RwLock<Table>,
}

/// A container's place among the names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The container's name: what a look-up by address answers.
    pub name: String,
    /// What else it is called: its short id, aliases, the service it belongs to. Others may have the
    /// same.
    pub aliases: Vec<String>,
    /// Its addresses in this network.
    pub addresses: Vec<IpAddr>,
}

/// Which addresses are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

#[derive(Debug, Default)]
struct Table {
    /// By the key that they joined with.
    members: HashMap<String, Arc<Member>>,
    names: HashMap<String, Holders>,
    addresses: HashMap<IpAddr, Arc<Member>>,
}

/// Those who share one name.
#[derive(Debug, Default)]
struct Holders {
    members: Vec<Arc<Member>>,
    /// Whose turn it is to be named first. One counter a family: programs ask for both in turn, and
    /// with one for both everybody would always meet the same first answer.
    turn_v4: AtomicUsize,
    turn_v6: AtomicUsize,
}

impl Zone {
    /// Makes the zone of the network called `network`, whose addresses are in `subnets`.
    #[must_use]
    pub fn new(network: &str, subnets: Vec<IpNet>) -> Self {
        Self {
            network: network.to_ascii_lowercase(),
            subnets,
            table: RwLock::default(),
        }
    }

    /// Adds `member` under `key` (a container's id), in the place of who was there under that key.
    pub fn join(&self, key: &str, member: Member) {
        let member = Arc::new(member);
        let mut table = self.change();
        table.remove(key);
        for name in names_of(&member) {
            let holders = table.names.entry(name).or_default();
            holders.members.push(Arc::clone(&member));
        }
        for address in &member.addresses {
            table.addresses.insert(*address, Arc::clone(&member));
        }
        table.members.insert(key.to_owned(), member);
    }

    /// Removes who joined with `key`, if anybody did.
    pub fn leave(&self, key: &str) {
        self.change().remove(key);
    }

    /// How many have joined.
    #[must_use]
    pub fn n_members(&self) -> usize {
        self.read().members.len()
    }

    /// Adds the addresses that `name` (in lower case) has here to `found`, and says whether the name is
    /// one of ours: it may be, and have none of that family.
    ///
    /// `name` may end with the network's own name.
    pub(super) fn look_up(&self, name: &str, family: Family, found: &mut Vec<IpAddr>) -> bool {
        let table = self.read();
        let within = |name: &str| {
            name.strip_suffix(self.network.as_str())?
                .strip_suffix('.')
                .map(str::to_owned)
        };
        let holders = match table.names.get(name) {
            Some(holders) => Some(holders),
            None => within(name).and_then(|first| table.names.get(&first)),
        };
        let Some(holders) = holders else {
            return false;
        };
        holders.tell(family, found);
        true
    }

    /// Adds the addresses of who joined with `key` to `found`, and says whether they are here.
    pub(super) fn addresses_of(&self, key: &str, family: Family, found: &mut Vec<IpAddr>) -> bool {
        let table = self.read();
        let Some(member) = table.members.get(key) else {
            return false;
        };
        found.extend(
            member
                .addresses
                .iter()
                .filter(|address| family.has(address)),
        );
        true
    }

    /// Who has `address`, as `name.network`.
    pub(super) fn name_of(&self, address: IpAddr) -> Option<String> {
        let table = self.read();
        let member = table.addresses.get(&address)?;
        Some(format!("{}.{}", member.name, self.network))
    }

    /// Whether `address` belongs to this network, whoever may have it.
    pub(super) fn covers(&self, address: IpAddr) -> bool {
        self.subnets.iter().any(|subnet| subnet.contains(&address))
    }

    /// The network's name, in lower case.
    pub(super) fn network(&self) -> &str {
        &self.network
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn remove(&mut self, key: &str) {
        let Some(member) = self.members.remove(key) else {
            return;
        };
        for name in names_of(&member) {
            let Entry::Occupied(mut holders) = self.names.entry(name) else {
                continue;
            };
            holders
                .get_mut()
                .members
                .retain(|other| !Arc::ptr_eq(other, &member));
            if holders.get().members.is_empty() {
                holders.remove();
            }
        }
        for address in &member.addresses {
            // Somebody else may have been given it meanwhile.
            if self
                .addresses
                .get(address)
                .is_some_and(|other| Arc::ptr_eq(other, &member))
            {
                self.addresses.remove(address);
            }
        }
    }
}

impl Holders {
    fn tell(&self, family: Family, found: &mut Vec<IpAddr>) {
        let turn = match family {
            Family::V4 => &self.turn_v4,
            Family::V6 => &self.turn_v6,
        };
        let first = match self.members.len() {
            0 | 1 => 0,
            n_members => turn.fetch_add(1, Ordering::Relaxed) % n_members,
        };
        let (later, sooner) = self.members.split_at(first);
        let in_turn = sooner.iter().chain(later);
        found.extend(
            in_turn
                .flat_map(|member| &member.addresses)
                .filter(|address| family.has(address)),
        );
    }
}

impl Family {
    fn has(self, address: &IpAddr) -> bool {
        address.is_ipv4() == (self == Self::V4)
    }
}

/// Everything that `member` is called, each once.
fn names_of(member: &Member) -> BTreeSet<String> {
    let all = std::iter::once(&member.name).chain(&member.aliases);
    all.map(|name| name.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, aliases: &[&str], addresses: &[&str]) -> Member {
        Member {
            name: name.to_owned(),
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        }
    }

    fn zone() -> Zone {
        Zone::new(
            "Shop",
            vec!["10.1.0.0/24".parse().unwrap(), "fd00::/64".parse().unwrap()],
        )
    }

    fn ask(zone: &Zone, name: &str, family: Family) -> Option<Vec<String>> {
        let mut found = Vec::new();
        let is_ours = zone.look_up(name, family, &mut found);
        is_ours.then(|| found.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_container_is_found_by_name_id_and_alias_with_and_without_the_network() {
        let zone = zone();
        zone.join(
            "k",
            member("Web", &["0123456789ab", "front"], &["10.1.0.2", "fd00::2"]),
        );

        for name in ["web", "0123456789ab", "front", "web.shop", "front.shop"] {
            assert_eq!(
                ask(&zone, name, Family::V4).unwrap(),
                ["10.1.0.2"],
                "{name}"
            );
            assert_eq!(ask(&zone, name, Family::V6).unwrap(), ["fd00::2"], "{name}");
        }
        for name in [
            "we",
            "web.",
            "shop",
            ".shop",
            "web.shop.shop",
            "webshop",
            "",
        ] {
            assert_eq!(ask(&zone, name, Family::V4), None, "{name}");
        }
    }

    #[test]
    fn a_name_with_no_address_of_a_family_is_still_a_name() {
        let zone = zone();
        zone.join("k", member("web", &[], &["10.1.0.2"]));

        assert_eq!(ask(&zone, "web", Family::V6), Some(Vec::new()));
    }

    #[test]
    fn those_who_share_a_name_are_all_told_and_each_is_first_in_turn_in_both_families() {
        let zone = zone();
        zone.join("a", member("a", &["app"], &["10.1.0.2", "fd00::2"]));
        zone.join("b", member("b", &["app"], &["10.1.0.3", "fd00::3"]));

        let mut firsts = Vec::new();
        for _ in 0..2 {
            for family in [Family::V4, Family::V6] {
                let told = ask(&zone, "app", family).unwrap();
                assert_eq!(told.len(), 2);
                firsts.push(told[0].clone());
            }
        }
        assert_eq!(firsts, ["10.1.0.2", "fd00::2", "10.1.0.3", "fd00::3"]);
    }

    #[test]
    fn who_leaves_takes_their_names_and_nobody_elses() {
        let zone = zone();
        zone.join("a", member("a", &["app"], &["10.1.0.2"]));
        zone.join("b", member("b", &["app"], &["10.1.0.3"]));

        zone.leave("a");
        zone.leave("nobody");

        assert_eq!(ask(&zone, "a", Family::V4), None);
        assert_eq!(ask(&zone, "app", Family::V4).unwrap(), ["10.1.0.3"]);
        assert_eq!(zone.name_of("10.1.0.2".parse().unwrap()), None);
        assert_eq!(zone.n_members(), 1);
    }

    #[test]
    fn joining_again_replaces_names_and_addresses() {
        let zone = zone();
        zone.join("a", member("old", &[], &["10.1.0.2"]));

        zone.join("a", member("new", &[], &["10.1.0.9"]));

        assert_eq!(ask(&zone, "old", Family::V4), None);
        assert_eq!(ask(&zone, "new", Family::V4).unwrap(), ["10.1.0.9"]);
        assert_eq!(
            zone.name_of("10.1.0.9".parse().unwrap()).unwrap(),
            "new.shop"
        );
    }

    #[test]
    fn an_address_that_went_to_another_stays_theirs() {
        let zone = zone();
        zone.join("a", member("a", &[], &["10.1.0.2"]));
        zone.join("b", member("b", &[], &["10.1.0.2"]));

        zone.leave("a");

        assert_eq!(zone.name_of("10.1.0.2".parse().unwrap()).unwrap(), "b.shop");
    }

    #[test]
    fn a_zone_knows_which_addresses_are_its_own() {
        let zone = zone();

        assert!(zone.covers("10.1.0.200".parse().unwrap()));
        assert!(zone.covers("fd00::9".parse().unwrap()));
        assert!(!zone.covers("10.1.1.1".parse().unwrap()));
    }
}
