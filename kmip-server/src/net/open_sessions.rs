//! The connections that are open: so that those whose certificate is revoked can be ended, and so
//! that the one that has been idle longest gives way where there are too many.
//!
//! Between two requests, as when the server stops: what was asked before is still answered.

use std::collections::HashMap;
use std::future::pending;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use support::connection_limit::canonical;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::auth::client::CertificateChain;
use crate::config::limits::EVICTION_MAX;

/// The connections that are open.
pub(crate) struct OpenSessions {
    begun: Instant,
    all: Mutex<All>,
    /// A connection has ended.
    left: Notify,
}

#[derive(Default)]
struct All {
    next: u64,
    by_number: HashMap<u64, Arc<Session>>,
}

/// Why a connection is ended before its client or the server stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Its certificate was revoked.
    Revoked,
    /// Its certificate has expired.
    Expired,
    /// It was idle longest, and another needed the room.
    Evicted,
}

/// One connection: where it comes from, what its client showed, and how it is told to end.
struct Session {
    address: IpAddr,
    client: OnceLock<(String, Arc<CertificateChain>)>,
    leave: watch::Sender<bool>,
    ended: OnceLock<Ended>,
    /// Microseconds since the server began, when the last answer was sent; [`BUSY`] meanwhile.
    idle_since: AtomicU64,
}

/// No time: a request is worked on.
const BUSY: u64 = u64::MAX;

/// Which connections are looked at for one that gives way.
#[derive(Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// Those of the peer's address.
    Address(IpAddr),
    /// Those of a client.
    Client(&'a str),
    /// Those that have shown no certificate; without one of these, those of the address that has
    /// most.
    All,
}

/// One connection's entry, gone when it is dropped.
pub(crate) struct SessionGuard {
    sessions: Arc<OpenSessions>,
    number: u64,
    session: Arc<Session>,
}

/// The mark of a connection on which a request is worked on; idle again when dropped.
pub(crate) struct Working<'a>(&'a SessionGuard);

impl Default for OpenSessions {
    fn default() -> Self {
        Self { begun: Instant::now(), all: Mutex::default(), left: Notify::new() }
    }
}

impl OpenSessions {
    fn all(&self) -> MutexGuard<'_, All> {
        // Every statement leaves the map whole, so a panic elsewhere spoils nothing.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(BUSY).min(BUSY.saturating_sub(1))
    }

    /// A connection begins.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> SessionGuard {
        let session = Arc::new(Session {
            address: canonical(address),
            client: OnceLock::new(),
            leave: watch::channel(false).0,
            ended: OnceLock::new(),
            idle_since: AtomicU64::new(self.now()),
        });
        let mut all = self.all();
        let number = all.next;
        all.next = number.wrapping_add(1);
        all.by_number.insert(number, Arc::clone(&session));
        SessionGuard { sessions: Arc::clone(self), number, session }
    }

    /// Ends the connections whose clients showed such a certificate; how many.
    pub(crate) fn close_where(
        &self,
        why: Ended,
        such: impl Fn(&CertificateChain) -> bool,
    ) -> usize {
        // Checking a certificate takes its time, and nobody shall wait for it at the door.
        let sessions: Vec<_> = self.all().by_number.values().cloned().collect();
        let shown = |session: &&Arc<Session>| session.client.get().is_some_and(|(_, c)| such(c));
        sessions.iter().filter(shown).filter(|session| session.end(why)).count()
    }

    /// How many connections a client has.
    fn count_of(&self, owner: &str) -> usize {
        self.all().by_number.values().filter(|session| session.is_of(owner)).count()
    }

    /// Waits until the client has at most so many connections, of which the one that has been idle
    /// longest is ended if need be; false if that takes too long.
    pub(crate) async fn has_room(&self, owner: &str, max: usize) -> bool {
        let room = async {
            let mut is_evicted = false;
            loop {
                let mut left = pin!(self.left.notified());
                left.as_mut().enable();
                if self.count_of(owner) <= max {
                    return true;
                }
                if !std::mem::replace(&mut is_evicted, true) && !self.evict(Scope::Client(owner)) {
                    return false;
                }
                left.await;
            }
        };
        timeout(EVICTION_MAX, room).await.unwrap_or(false)
    }

    /// Ends the connection that has been idle longest; those that have shown no certificate first.
    /// False if none is idle.
    pub(crate) fn evict(&self, scope: Scope<'_>) -> bool {
        let all = self.all();
        let open = || all.by_number.values().filter(|session| session.ended.get().is_none());
        let has_stranger = || open().any(|session| session.client.get().is_none());
        let address = match scope {
            Scope::Address(address) => Some(canonical(address)),
            // Strangers first, wherever they come from.
            Scope::All if has_stranger() => None,
            Scope::All => busiest(&all),
            Scope::Client(_) => None,
        };
        let is_meant = |session: &&Arc<Session>| match scope {
            Scope::Client(owner) => session.is_of(owner),
            Scope::Address(_) | Scope::All => address.is_none_or(|at| session.address == at),
        };
        let idle = open().filter(is_meant).filter_map(|session| {
            let since = session.idle_since.load(Ordering::Acquire);
            (since != BUSY).then_some((session.client.get().is_some(), since, session))
        });
        let longest = idle.min_by_key(|(is_known, since, _)| (*is_known, *since));
        longest.is_some_and(|(_, _, session)| session.end(Ended::Evicted))
    }
}

/// The address that has most connections.
fn busiest(all: &All) -> Option<IpAddr> {
    let mut counts: HashMap<IpAddr, usize> = HashMap::new();
    for session in all.by_number.values() {
        let count = counts.entry(session.address).or_default();
        *count = count.saturating_add(1);
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(address, _)| address)
}

impl Session {
    /// Ends the connection, if nobody has yet.
    fn end(&self, why: Ended) -> bool {
        let is_first = self.ended.set(why).is_ok();
        self.leave.send_replace(true);
        is_first
    }

    fn is_of(&self, owner: &str) -> bool {
        self.client.get().is_some_and(|(of, _)| of == owner)
    }
}

impl SessionGuard {
    /// The client has shown who it is.
    pub(crate) fn is_client(&self, owner: &str, shown: Arc<CertificateChain>) {
        let _ = self.session.client.set((owner.to_owned(), shown));
    }

    /// Becomes true when the connection shall end.
    pub(crate) fn leaving(&self) -> watch::Receiver<bool> {
        self.session.leave.subscribe()
    }

    /// Completes when the connection gives way to another; what is coming in is not waited for.
    pub(crate) async fn evicted(&self) {
        let mut leaving = self.leaving();
        let _ = leaving.wait_for(|leave| *leave).await;
        if self.ended() != Some(Ended::Evicted) {
            pending::<()>().await;
        }
    }

    /// The server stops.
    pub(crate) fn leave(&self) {
        self.session.leave.send_replace(true);
    }

    /// Ends this connection, between two requests.
    pub(crate) fn end(&self, why: Ended) {
        self.session.end(why);
    }

    /// Ends this connection, if its client showed such a certificate.
    pub(crate) fn close_where(&self, why: Ended, such: impl Fn(&CertificateChain) -> bool) {
        if self.session.client.get().is_some_and(|(_, shown)| such(shown)) {
            self.session.end(why);
        }
    }

    /// Why it was ended, if it was.
    pub(crate) fn ended(&self) -> Option<Ended> {
        self.session.ended.get().copied()
    }

    /// A request is worked on: the connection is not idle.
    pub(crate) fn working(&self) -> Working<'_> {
        self.session.idle_since.store(BUSY, Ordering::Release);
        Working(self)
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        let now = self.0.sessions.now();
        self.0.session.idle_since.store(now, Ordering::Release);
    }
}

impl Drop for SessionGuard {
    fn drop(&mut self) {
        self.sessions.all().by_number.remove(&self.number);
        self.sessions.left.notify_waiters();
    }
}
