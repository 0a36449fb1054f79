//! How many connections there may be, and how many of them from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The places for connections.
///
/// Whoever finds none is sent away at once: a client that is told so tries another server, and one
/// that is left to wait does not.
#[derive(Debug)]
pub(crate) struct Places {
    all_max: usize,
    address_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection's place, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    /// All places are taken.
    #[error("all {0} connections are in use (connections-max)")]
    All(usize),
    /// One address has as many as it may.
    #[error("its address has {0} connections already (connections-per-address-max)")]
    Address(usize),
}

impl Places {
    /// As many places, so many of them for one address.
    pub(crate) fn new(all_max: usize, address_max: usize) -> Arc<Self> {
        Arc::new(Self { all_max, address_max, taken: Mutex::default() })
    }

    /// Takes a place for a connection from `address`.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let address = origin(address);
        let mut taken = self.taken();
        if taken.all >= self.all_max {
            return Err(Full::All(self.all_max));
        }
        let here = taken.by_address.entry(address).or_default();
        if *here >= self.address_max {
            return Err(Full::Address(self.address_max));
        }
        *here = here.saturating_add(1);
        taken.all = taken.all.saturating_add(1);
        drop(taken);
        Ok(Place { places: Arc::clone(self), address })
    }

    /// How many places are taken.
    pub(crate) fn in_use(&self) -> usize {
        self.taken().all
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // The counts are right after every statement, so a panic elsewhere spoils nothing.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all = taken.all.saturating_sub(1);
        if let Some(here) = taken.by_address.get_mut(&self.address) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: of IPv6 the first 64 bits, because a host has all of the rest.
fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let network = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Full, Places};

    #[test]
    fn an_address_has_its_own_limit_and_all_have_one() {
        // Addresses that come in, in order, with what they are told.
        let rows: [(&str, Result<(), Full>); 9] = [
            ("192.0.2.1", Ok(())),
            ("192.0.2.1", Ok(())),
            ("192.0.2.1", Err(Full::Address(2))),
            ("::ffff:192.0.2.1", Err(Full::Address(2))),
            ("2001:db8::1", Ok(())),
            ("2001:db8::ffff:1", Ok(())),
            ("2001:db8::2", Err(Full::Address(2))),
            ("2001:db8:0:1::1", Ok(())),
            ("192.0.2.9", Err(Full::All(5))),
        ];
        let places = Places::new(5, 2);
        let mut held = Vec::new();
        for (at, (address, told)) in rows.into_iter().enumerate() {
            let place = places.take(address.parse().unwrap());
            assert_eq!(place.as_ref().map(|_| ()).map_err(|full| *full), told, "row {at}");
            held.extend(place);
        }
        assert_eq!(places.in_use(), 5);
        drop(held);
        assert_eq!(places.in_use(), 0);
        assert!(places.taken().by_address.is_empty(), "nothing is kept of those who left");
    }
}
