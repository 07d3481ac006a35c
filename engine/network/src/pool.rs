//! Which subnets and addresses are free. Pure: what the host has is told, nothing is asked.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::error::PoolError;

/// Where subnets come from when nobody names one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// What is divided.
    pub base: IpNet,
    /// The prefix length of each part.
    pub size: u8,
}

impl Pool {
    /// The pools of an engine that was given none: Docker's own for version 4, and a unique local
    /// range (RFC 4193) for version 6.
    pub fn defaults() -> Vec<Self> {
        const DEFAULTS: [&str; 8] = [
            "base=172.17.0.0/16,size=16",
            "base=172.18.0.0/16,size=16",
            "base=172.19.0.0/16,size=16",
            "base=172.20.0.0/14,size=16",
            "base=172.24.0.0/14,size=16",
            "base=172.28.0.0/14,size=16",
            "base=192.168.0.0/16,size=20",
            "base=fd67:616e:7472::/48,size=64",
        ];
        DEFAULTS
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect()
    }

    fn parts(&self) -> impl Iterator<Item = IpNet> + '_ {
        self.base.subnets(self.size).into_iter().flatten()
    }
}

/// A pool that is not one: what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address pool: {1}; it is written base=10.20.0.0/16,size=24")]
pub struct BadPool(String, &'static str);

impl FromStr for Pool {
    type Err = BadPool;

    /// Reads `base=10.20.0.0/16,size=24`, as Docker's `--default-address-pool` writes it.
    fn from_str(text: &str) -> Result<Self, BadPool> {
        let bad = |why| BadPool(text.to_owned(), why);
        let (mut base, mut size) = (None, None);
        for part in text.split(',') {
            match part.split_once('=') {
                Some(("base", value)) => base = value.parse::<IpNet>().ok(),
                Some(("size", value)) => size = value.parse::<u8>().ok(),
                _ => return Err(bad("it has a part that is neither base nor size")),
            }
        }
        let base = base.ok_or_else(|| bad("its base is no subnet"))?.trunc();
        let size = size.ok_or_else(|| bad("its size is no number"))?;
        if size < base.prefix_len() || size > base.max_prefix_len() - 2 {
            return Err(bad("no subnet of that size with addresses fits into it"));
        }
        Ok(Self { base, size })
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "base={},size={}", self.base, self.size)
    }
}

/// Says whether two subnets share an address.
pub fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

/// Returns the first subnet of the pools that shares nothing with those that are taken.
///
/// # Errors
/// When there is none.
pub fn free_subnet(pools: &[Pool], is_v6: bool, taken: &[IpNet]) -> Result<IpNet, PoolError> {
    pools
        .iter()
        .filter(|pool| matches!(pool.base, IpNet::V6(_)) == is_v6)
        .flat_map(Pool::parts)
        .find(|subnet| !taken.iter().any(|other| overlap(subnet, other)))
        .ok_or(PoolError::NoSubnet)
}

/// The addresses of one subnet: which are given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    subnet: IpNet,
    /// Where addresses come from that nobody named.
    range: IpNet,
    taken: BTreeSet<IpAddr>,
}

impl Addresses {
    /// Begins with all of them free.
    pub fn new(subnet: IpNet, range: Option<IpNet>) -> Self {
        Self {
            subnet: subnet.trunc(),
            range: range.unwrap_or(subnet).trunc(),
            taken: BTreeSet::new(),
        }
    }

    /// The subnet.
    pub fn subnet(&self) -> IpNet {
        self.subnet
    }

    /// Takes the lowest that is free.
    ///
    /// # Errors
    /// When all are taken.
    pub fn take_any(&mut self) -> Result<IpAddr, PoolError> {
        let first = number(self.range.network());
        let last = number(self.range.broadcast());
        let mut next = first;
        // The taken ones come in order: the first gap is behind the last that follows its neighbour.
        let from = self.range.network();
        for taken in self.taken.range(from..=self.range.broadcast()) {
            while next < number(*taken) {
                if let Some(address) = self.usable(next) {
                    self.taken.insert(address);
                    return Ok(address);
                }
                next += 1;
            }
            next = number(*taken).saturating_add(1);
        }
        while next <= last {
            if let Some(address) = self.usable(next) {
                self.taken.insert(address);
                return Ok(address);
            }
            next += 1;
        }
        Err(PoolError::NoAddress(self.range))
    }

    /// Takes this one.
    ///
    /// # Errors
    /// When it is taken, or none that a container could have.
    pub fn take(&mut self, address: IpAddr) -> Result<(), PoolError> {
        let unfit = |why| PoolError::Unfit {
            address,
            subnet: self.subnet,
            why,
        };
        if !self.subnet.contains(&address) {
            return Err(unfit("is not in the subnet"));
        }
        if self.usable(number(address)).is_none() {
            return Err(unfit("is the first or the last address of"));
        }
        match self.taken.insert(address) {
            true => Ok(()),
            false => Err(PoolError::Taken(address)),
        }
    }

    /// Gives one back; says whether it was taken.
    pub fn give_back(&mut self, address: IpAddr) -> bool {
        self.taken.remove(&address)
    }

    /// The address of that number, unless it names the subnet itself or all of it (RFC 1122).
    fn usable(&self, number: u128) -> Option<IpAddr> {
        let address = match self.subnet {
            IpNet::V4(_) => IpAddr::V4(u32::try_from(number).ok()?.into()),
            IpNet::V6(_) => IpAddr::V6(number.into()),
        };
        let has_ends = self.subnet.max_prefix_len() - self.subnet.prefix_len() > 1;
        let is_end = address == self.subnet.network()
            || (address.is_ipv4() && address == self.subnet.broadcast());
        (!has_ends || !is_end).then_some(address)
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => address.into(),
    }
}

/// Returns the subnet that an address and its prefix length lie in, the address kept.
///
/// # Errors
/// When there are no such prefixes.
pub fn with_prefix(address: IpAddr, subnet: IpNet) -> IpNet {
    let length = subnet.prefix_len();
    match address {
        IpAddr::V4(address) => Ipv4Net::new(address, length.min(32)).map(IpNet::V4),
        IpAddr::V6(address) => Ipv6Net::new(address, length.min(128)).map(IpNet::V6),
    }
    .unwrap_or_else(|_| address.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_subnet_is_dockers() {
        let pools = Pool::defaults();
        assert_eq!(free_subnet(&pools, false, &[]), Ok(net("172.17.0.0/16")));
        assert_eq!(
            free_subnet(&pools, true, &[]),
            Ok(net("fd67:616e:7472::/64"))
        );
    }

    #[test]
    fn what_the_host_has_is_left_out() {
        let taken = [net("172.17.0.0/16"), net("172.18.5.0/24")];
        let pools = Pool::defaults();
        assert_eq!(free_subnet(&pools, false, &taken), Ok(net("172.19.0.0/16")));
        let all = [net("0.0.0.0/1"), net("128.0.0.0/1")];
        assert_eq!(free_subnet(&pools, false, &all), Err(PoolError::NoSubnet));
    }

    #[test]
    fn pools_are_read_and_bad_ones_named() {
        assert!("base=10.9.0.0/16,size=24".parse::<Pool>().is_ok());
        for bad in [
            "",
            "base=10.9.0.0/16",
            "base=10.9.0.0/16,size=8",
            "base=10.9.0.0/16,size=31",
            "base=no,size=24",
            "base=10.9.0.0/16,size=24,more=1",
        ] {
            assert!(bad.parse::<Pool>().is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_are_given_from_the_lowest() {
        let mut addresses = Addresses::new(net("10.0.0.0/29"), None);
        addresses.take(address("10.0.0.1")).unwrap();
        let given: Vec<String> = std::iter::from_fn(|| addresses.take_any().ok())
            .map(|one| one.to_string())
            .collect();
        assert_eq!(
            given,
            ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"]
        );
        assert_eq!(
            addresses.take_any().unwrap_err().to_string(),
            "no available addresses in 10.0.0.0/29: all of them are taken"
        );
        assert!(addresses.give_back(address("10.0.0.4")));
        assert_eq!(addresses.take_any(), Ok(address("10.0.0.4")));
    }

    #[test]
    fn a_range_narrows_what_is_given_but_not_what_may_be_asked() {
        let mut addresses = Addresses::new(net("10.0.0.0/16"), Some(net("10.0.5.0/30")));
        assert_eq!(addresses.take_any(), Ok(address("10.0.5.0")));
        assert_eq!(addresses.take(address("10.0.9.9")), Ok(()));
        assert_eq!(
            addresses.take(address("10.0.9.9")),
            Err(PoolError::Taken(address("10.0.9.9")))
        );
    }

    #[test]
    fn addresses_that_nobody_may_have_are_named() {
        let mut addresses = Addresses::new(net("10.0.0.0/24"), None);
        for bad in ["10.0.0.0", "10.0.0.255", "10.0.1.1", "fd00::1"] {
            assert!(
                matches!(addresses.take(address(bad)), Err(PoolError::Unfit { .. })),
                "{bad}"
            );
        }
        let mut six = Addresses::new(net("fd00::/64"), None);
        assert_eq!(six.take_any(), Ok(address("fd00::1")));
    }

    proptest! {
        #[test]
        fn no_address_is_given_twice(steps in proptest::collection::vec((any::<bool>(), 0_u8..20), 0..200)) {
            let mut addresses = Addresses::new(net("10.1.0.0/28"), None);
            let mut given: Vec<IpAddr> = Vec::new();
            for (take, which) in steps {
                if take {
                    match addresses.take_any() {
                        Ok(one) => {
                            prop_assert!(!given.contains(&one));
                            given.push(one);
                        }
                        Err(_) => prop_assert_eq!(given.len(), 14),
                    }
                } else if !given.is_empty() {
                    let one = given.swap_remove(usize::from(which) % given.len());
                    prop_assert!(addresses.give_back(one));
                }
            }
        }
    }
}
