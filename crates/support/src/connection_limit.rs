//! Limits on open connections: a total, and the share of one address.
//!
//! A caller that finds no room either refuses the connection ([`ConnectionLimit::try_acquire`]), so
//! that its peer can turn to another server, or waits and evicts the oldest idle connection
//! ([`ConnectionLimit::acquire`]), so that connections that do nothing keep no others out.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

/// Limit on open connections: a total, and the share of one address.
#[derive(Debug)]
pub struct ConnectionLimit {
    total_max: usize,
    per_address_max: usize,
    open: Mutex<Open>,
    released: Notify,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
    /// Connections that may be evicted, the oldest first.
    idle: BTreeMap<u64, Arc<Notify>>,
    next_number: u64,
}

/// Permission for one connection; returned when dropped. The connection is idle until it is marked
/// busy.
#[derive(Debug)]
pub struct ConnectionPermit {
    limit: Arc<ConnectionLimit>,
    address: IpAddr,
    number: u64,
    eviction: Arc<Notify>,
}

/// Mark of a connection with a request under way, which is never evicted. Idle again when dropped.
#[derive(Debug)]
pub struct Busy<'a>(&'a ConnectionPermit);

/// [`Busy`] mark that owns its share of the permit, for work that outlives a borrow.
#[derive(Debug)]
pub struct OwnedBusy(Arc<ConnectionPermit>);

/// Reason for which a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitReached {
    /// The total is reached.
    #[error("all {0} connections are in use")]
    Total(usize),
    /// The share of the peer's address is reached.
    #[error("its address has {0} connections already")]
    PerAddress(usize),
}

impl ConnectionLimit {
    /// Creates a limit of `total_max` connections, `per_address_max` of them from one address. The
    /// first 64 bits of an IPv6 address count as the address: one host has all of the rest.
    pub fn new(total_max: usize, per_address_max: usize) -> Arc<Self> {
        let (open, released) = (Mutex::default(), Notify::new());
        Arc::new(Self { total_max, per_address_max, open, released })
    }

    /// Permits a connection from `address`, or says which limit is reached.
    pub fn try_acquire(
        self: &Arc<Self>,
        address: IpAddr,
    ) -> Result<ConnectionPermit, LimitReached> {
        let address = canonical(address);
        let mut open = self.open();
        if open.total >= self.total_max {
            return Err(LimitReached::Total(self.total_max));
        }
        let of_address = open.by_address.entry(address).or_default();
        if *of_address >= self.per_address_max {
            return Err(LimitReached::PerAddress(self.per_address_max));
        }
        *of_address = of_address.saturating_add(1);
        open.total = open.total.saturating_add(1);
        let number = open.next_number;
        open.next_number = number.wrapping_add(1);
        let eviction = Arc::new(Notify::new());
        open.idle.insert(number, Arc::clone(&eviction));
        drop(open);
        Ok(ConnectionPermit { limit: Arc::clone(self), address, number, eviction })
    }

    /// Permits a connection from `address`. If the total is reached, evicts the oldest idle
    /// connection and waits until one has ended; refuses only for the share of the address.
    pub async fn acquire(
        self: &Arc<Self>,
        address: IpAddr,
    ) -> Result<ConnectionPermit, LimitReached> {
        let mut evicted = false;
        loop {
            // Made before the limit is looked at, so that no release in between is missed.
            let released = self.released.notified();
            match self.try_acquire(address) {
                Err(LimitReached::Total(_)) => {}
                other => return other,
            }
            if !evicted {
                self.evict_oldest_idle();
                evicted = true;
            }
            released.await;
        }
    }

    /// Permits a connection from `address` as soon as there is room.
    pub async fn wait(self: &Arc<Self>, address: IpAddr) -> ConnectionPermit {
        loop {
            // Made before the limit is looked at, so that no release in between is missed.
            let mut released = std::pin::pin!(self.released.notified());
            released.as_mut().enable();
            if let Ok(permit) = self.try_acquire(address) {
                return permit;
            }
            released.await;
        }
    }

    /// Number of connections that are permitted now.
    pub fn in_use(&self) -> usize {
        self.open().total
    }

    /// Waits until no connection is left; `false` if some are left after `deadline`.
    pub async fn wait_until_unused(&self, deadline: Duration) -> bool {
        let unused = async {
            loop {
                let released = self.released.notified();
                if self.in_use() == 0 {
                    return;
                }
                released.await;
            }
        };
        timeout(deadline, unused).await.is_ok()
    }

    fn evict_oldest_idle(&self) {
        if let Some((_, eviction)) = self.open().idle.pop_first() {
            eviction.notify_one();
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // The counts are right after every statement, so a panic elsewhere spoils nothing.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionPermit {
    /// Protects the connection from eviction until the mark is dropped.
    #[must_use]
    pub fn busy(&self) -> Busy<'_> {
        self.set_busy();
        Busy(self)
    }

    /// Protects the connection from eviction until the mark, which may go elsewhere, is dropped.
    #[must_use]
    pub fn owned_busy(self: &Arc<Self>) -> OwnedBusy {
        self.set_busy();
        OwnedBusy(Arc::clone(self))
    }

    fn set_busy(&self) {
        self.limit.open().idle.remove(&self.number);
    }

    fn set_idle(&self) {
        self.limit.open().idle.insert(self.number, Arc::clone(&self.eviction));
    }

    /// Waits until the connection is evicted: its owner should close it.
    pub async fn evicted(&self) {
        self.eviction.notified().await;
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set_idle();
    }
}

impl Drop for OwnedBusy {
    fn drop(&mut self) {
        self.0.set_idle();
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.limit.open();
        open.idle.remove(&self.number);
        open.total = open.total.saturating_sub(1);
        if let Some(of_address) = open.by_address.get_mut(&self.address) {
            *of_address = of_address.saturating_sub(1);
            if *of_address == 0 {
                open.by_address.remove(&self.address);
            }
        }
        drop(open);
        self.limit.released.notify_waiters();
    }
}

/// The form of an address by which it is counted: of IPv6 the first 64 bits.
pub fn canonical(address: IpAddr) -> IpAddr {
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
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;
    use std::time::Duration;

    use super::{ConnectionLimit, LimitReached};

    const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn address_has_its_own_limit_and_all_have_one() {
        // Addresses that connect, in order, with the outcome.
        let rows: [(&str, Result<(), LimitReached>); 9] = [
            ("192.0.2.1", Ok(())),
            ("192.0.2.1", Ok(())),
            ("192.0.2.1", Err(LimitReached::PerAddress(2))),
            ("::ffff:192.0.2.1", Err(LimitReached::PerAddress(2))),
            ("2001:db8::1", Ok(())),
            ("2001:db8::ffff:1", Ok(())),
            ("2001:db8::2", Err(LimitReached::PerAddress(2))),
            ("2001:db8:0:1::1", Ok(())),
            ("192.0.2.9", Err(LimitReached::Total(5))),
        ];
        let limit = ConnectionLimit::new(5, 2);
        let mut held = Vec::new();
        for (at, (address, expected)) in rows.into_iter().enumerate() {
            let permit = limit.try_acquire(address.parse().unwrap());
            assert_eq!(permit.as_ref().map(|_| ()).map_err(|full| *full), expected, "row {at}");
            held.extend(permit);
        }
        assert_eq!(limit.in_use(), 5);
        drop(held);
        assert_eq!(limit.in_use(), 0);
        let open = limit.open();
        assert!(open.by_address.is_empty() && open.idle.is_empty(), "nothing is kept");
    }

    #[tokio::test]
    async fn oldest_idle_connection_is_evicted_and_a_busy_one_stays() {
        let limit = ConnectionLimit::new(2, 2);
        let first = limit.acquire(LOCALHOST).await.unwrap();
        let second = limit.acquire(LOCALHOST).await.unwrap();
        let busy = first.busy();
        let third = tokio::spawn({
            let limit = Arc::clone(&limit);
            async move { limit.acquire(LOCALHOST).await.unwrap() }
        });
        second.evicted().await;
        drop(second);
        let third = third.await.unwrap();
        drop(busy);
        let fourth = tokio::spawn({
            let limit = Arc::clone(&limit);
            async move { limit.acquire(LOCALHOST).await.unwrap() }
        });
        first.evicted().await;
        drop((first, third));
        drop(fourth.await.unwrap());
        assert!(limit.wait_until_unused(Duration::from_secs(5)).await);
    }

    #[tokio::test]
    async fn full_address_is_refused_without_an_eviction() {
        let limit = ConnectionLimit::new(3, 1);
        let permit = limit.acquire(LOCALHOST).await.unwrap();
        let refused = limit.acquire(LOCALHOST).await.err();
        assert_eq!(refused, Some(LimitReached::PerAddress(1)));
        assert_eq!(limit.open().idle.len(), 1, "the first connection is not evicted");
        assert!(!limit.wait_until_unused(Duration::ZERO).await);
        drop(permit);
        assert!(limit.wait_until_unused(Duration::ZERO).await);
    }
}
