//! Tickets that stand for a log-in (2.1, 6.1.12, 6.1.30, 6.1.31, 7.39 and 9.9).
//!
//! ```text
//! Login           -> ticket, for the client itself          a shorter proof than its credentials
//! Delegated Login -> ticket, for whoever is given it        may do what its Rights say, no more
//! ```
//!
//! A ticket never takes the place of the certificate: who shows one has passed the handshake. One
//! of Login is good with the certificate of the client that logged in and with no other; one of
//! Delegated Login makes its holder act for the client that made it, within its rights.
//!
//! They live as long as the process, as hashes: **a ticket's value is nowhere here.**

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest;
use kmip::DateTime;

use crate::auth::client::{CertificateChain, Client};
use crate::auth::reservations::{Limit, Reservation, Reservations};
use crate::auth::rights::Rights;

/// How long a ticket is good whose request does not say, in seconds.
pub(crate) const LEASE: i64 = 60 * 60;

/// The longest that one may be good, in seconds: who needs longer logs in anew.
pub(crate) const LEASE_MAX: i64 = 24 * 60 * 60;

/// The most tickets of one client that are good at a time.
pub(crate) const PER_CLIENT_MAX: usize = 64;

/// The length of a ticket's value in bytes: no one can guess one.
pub(crate) const VALUE_LEN: usize = 32;

/// The tickets that are good.
#[derive(Default)]
pub(crate) struct Tickets {
    good: Mutex<HashMap<Hash, Kept>>,
    /// Those of batches that are not durable yet.
    reserved: Reservations,
    times_forgotten: AtomicU64,
}

/// What stands for the value.
type Hash = [u8; 32];

/// What a ticket is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The client that made it.
    pub owner: String,
    /// What that client had shown: the ticket is good no longer than this.
    pub shown: Option<Arc<CertificateChain>>,
    /// What its holder may do for that client; `None` for the client itself.
    pub rights: Option<Arc<Rights>>,
    /// The last second.
    pub until: DateTime,
    /// The requests that are left; no limit when absent.
    pub requests: Option<u32>,
    /// The batch items that are left; no limit when absent.
    pub items: Option<u64>,
}

struct Kept(Terms);

fn hash(value: &[u8]) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(digest::digest(&digest::SHA256, value).as_ref());
    hash
}

impl Tickets {
    fn all(&self) -> MutexGuard<'_, HashMap<Hash, Kept>> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves another ticket of this client, if it may have one.
    pub(crate) fn reserve(&self, owner: &str, now: DateTime) -> Option<Reservation> {
        let mut all = self.all();
        all.retain(|_, kept| kept.0.until >= now);
        let own = all.values().filter(|kept| kept.0.owner == owner).count();
        let most = Limit { own: PER_CLIENT_MAX, all: usize::MAX };
        self.reserved.reserve(owner, Limit { own, all: all.len() }, most)
    }

    /// From now on this ticket is good.
    pub(crate) fn keep(&self, value: &[u8], terms: Terms) {
        self.all().insert(hash(value), Kept(terms));
    }

    /// Is it a ticket of this client?
    pub(crate) fn is_of(&self, value: &[u8], owner: &str) -> bool {
        self.all().get(&hash(value)).is_some_and(|kept| kept.0.owner == owner)
    }

    /// The tickets of such certificates are good no more; how many.
    pub(crate) fn forget_where(&self, such: impl Fn(&CertificateChain) -> bool) -> usize {
        self.times_forgotten.fetch_add(1, Ordering::AcqRel);
        let shown: Vec<_> = self.all().values().filter_map(|kept| kept.0.shown.clone()).collect();
        // Checking a certificate takes its time, and nobody shall wait for it.
        let gone: Vec<_> = shown.into_iter().filter(|shown| such(shown)).collect();
        let mut all = self.all();
        let before = all.len();
        all.retain(|_, kept| !kept.0.shown.as_ref().is_some_and(|shown| gone.contains(shown)));
        before.saturating_sub(all.len())
    }

    /// How often tickets were forgotten for their certificates. Who has decided to keep one before
    /// looks at its certificate again.
    pub(crate) fn times_forgotten(&self) -> u64 {
        self.times_forgotten.load(Ordering::Acquire)
    }

    /// It is good no more.
    pub(crate) fn forget(&self, value: &[u8]) {
        self.all().remove(&hash(value));
    }

    /// Uses a ticket for one request of so many items; `None` when it is good for none.
    pub(crate) fn show(
        &self,
        value: &[u8],
        holder: &Client,
        items: usize,
        now: DateTime,
    ) -> Option<(String, Option<Arc<Rights>>)> {
        let mut all = self.all();
        let terms = &mut all.get_mut(&hash(value))?.0;
        let is_holders = terms.rights.is_some() || terms.owner == holder.owner;
        if terms.until < now || !is_holders {
            return None;
        }
        let requests = match terms.requests {
            Some(left) => Some(left.checked_sub(1)?),
            None => None,
        };
        let left = match terms.items {
            Some(left) => Some(left.checked_sub(u64::try_from(items).ok()?)?),
            None => None,
        };
        (terms.requests, terms.items) = (requests, left);
        Some((terms.owner.clone(), terms.rights.clone()))
    }
}
