//! How many connections one network may hold at once.
//!
//! Without it one machine that opens connections and says nothing would take every place there is.
//! The map holds no more networks than there are connections: the last one that leaves takes its
//! line along.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Connections of one network at once: a house full of browsers, and an eighth of all places.
const MOST_OF_ONE: usize = 256;

/// The connections that are open, by network. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Crowd(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A place in the crowd; dropping it leaves.
#[derive(Debug)]
pub(super) struct Seat {
    crowd: Crowd,
    network: IpAddr,
}

impl Crowd {
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a peer; none is left when its network holds too many.
    pub(super) fn enter(&self, peer: IpAddr) -> Option<Seat> {
        let network = network_of(peer.to_canonical());
        let mut all = self.lock();
        let n_open = all.entry(network).or_default();
        if *n_open >= MOST_OF_ONE {
            return None;
        }
        *n_open += 1;
        Some(Seat {
            crowd: self.clone(),
            network,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut all = self.crowd.lock();
        if let Some(n_open) = all.get_mut(&self.network) {
            *n_open -= 1;
            if *n_open == 0 {
                all.remove(&self.network);
            }
        }
    }
}

/// Whoever has one address of the sixth version has 2⁶⁴ of them.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let prefix = address.to_bits() & !u128::from(u64::MAX);
            Ipv6Addr::from_bits(prefix).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_takes_its_share_and_others_find_room() {
        let crowd = Crowd::default();
        let peer = |n: usize| format!("2001:db8::{n:x}").parse().unwrap();
        let mut seats: Vec<_> = (0..MOST_OF_ONE).map(|n| crowd.enter(peer(n))).collect();
        assert!(seats.iter().all(Option::is_some));
        assert!(crowd.enter(peer(9_999)).is_none());
        assert!(crowd.enter("2001:db8:0:1::1".parse().unwrap()).is_some());
        assert!(crowd.enter("192.0.2.1".parse().unwrap()).is_some());
        seats.pop();
        assert!(crowd.enter(peer(9_999)).is_some());
    }

    #[test]
    fn nothing_is_kept_of_who_has_left() {
        let crowd = Crowd::default();
        for n in 0..1_000_u32 {
            let seat = crowd.enter(IpAddr::V4(n.into()));
            assert!(seat.is_some());
        }
        assert!(crowd.lock().is_empty());
    }
}
