//! Places in a limited resource that batches have taken and that are not there yet.
//!
//! What a batch adds to the state of the process is added once the batch is durable. A limit that
//! counted only what is there would be passed by one batch that adds much, and by several at once.
//! So a batch reserves each place as it takes it, and the reservation ends when the place is there,
//! or when nobody wants it any more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Reservations of all clients.
#[derive(Clone, Default)]
pub(crate) struct Reservations(Arc<Mutex<BTreeMap<String, usize>>>);

/// One reserved place; given back when dropped.
pub(crate) struct Reservation {
    owner: String,
    all: Reservations,
}

/// How many places there are.
#[derive(Clone, Copy)]
pub(crate) struct Limit {
    /// For one client.
    pub own: usize,
    /// For all clients together.
    pub all: usize,
}

impl Reservations {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        // Every statement leaves the map whole, so a panic elsewhere spoils nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves a place of a client, if with those that are there no limit is passed. Who calls
    /// this holds the lock of what is there.
    pub(crate) fn reserve(&self, owner: &str, there: Limit, most: Limit) -> Option<Reservation> {
        let mut reserved = self.lock();
        let all = reserved.values().fold(there.all, |sum, places| sum.saturating_add(*places));
        let own = there.own.saturating_add(reserved.get(owner).copied().unwrap_or(0));
        if own >= most.own || all >= most.all {
            return None;
        }
        let places = reserved.entry(owner.to_owned()).or_default();
        *places = places.saturating_add(1);
        Some(Reservation { owner: owner.to_owned(), all: self.clone() })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut reserved = self.all.lock();
        if let Some(places) = reserved.get_mut(&self.owner) {
            *places = places.saturating_sub(1);
            if *places == 0 {
                reserved.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, Reservations};

    #[test]
    fn reserved_places_count_until_they_are_given_back() {
        let reservations = Reservations::default();
        let (there, most) = (Limit { own: 1, all: 3 }, Limit { own: 3, all: 6 });
        let take = |owner: &str| reservations.reserve(owner, there, most);
        let (first, second) = (take("alice"), take("alice"));
        assert!(first.is_some() && second.is_some());
        assert!(take("alice").is_none(), "three of her own with the one that is there");
        let other = take("bob");
        assert!(other.is_some());
        assert!(take("carol").is_none(), "six of all");
        drop(first);
        assert!(take("alice").is_some());
        drop((second, other));
        assert!(reservations.lock().is_empty());
    }
}
