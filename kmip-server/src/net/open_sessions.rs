//! The connections that are open, so that those whose certificate is revoked can be ended.
//!
//! Between two requests, as when the server stops: what was asked before is still answered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::net::tls::Shown;

/// The connections that are open.
#[derive(Default)]
pub struct Guests {
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    next: u64,
    by_number: HashMap<u64, Arc<Guest>>,
}

/// One connection: what its client showed, and how it is told to end.
struct Guest {
    shown: Shown,
    leave: watch::Sender<bool>,
    sent_away: AtomicBool,
}

/// One connection's entry, gone when it is dropped.
pub struct Stay {
    guests: Arc<Guests>,
    number: u64,
    guest: Arc<Guest>,
}

impl Guests {
    fn all(&self) -> MutexGuard<'_, All> {
        // Every statement leaves the map whole, so a panic elsewhere spoils nothing.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection begins, whose client showed this.
    pub fn enter(self: &Arc<Self>, shown: Shown) -> Stay {
        let guest = Guest { shown, leave: watch::channel(false).0, sent_away: false.into() };
        let guest = Arc::new(guest);
        let mut all = self.all();
        let number = all.next;
        all.next = number.wrapping_add(1);
        all.by_number.insert(number, Arc::clone(&guest));
        Stay { guests: Arc::clone(self), number, guest }
    }

    /// Ends the connections whose clients showed such a certificate; how many.
    pub fn send_away(&self, such: impl Fn(&Shown) -> bool) -> usize {
        // Checking a certificate takes its time, and nobody shall wait for it at the door.
        let guests: Vec<_> = self.all().by_number.values().cloned().collect();
        let gone = guests.iter().filter(|guest| such(&guest.shown));
        gone.inspect(|guest| guest.send_away()).count()
    }
}

impl Guest {
    fn send_away(&self) {
        self.sent_away.store(true, Ordering::Release);
        self.leave.send_replace(true);
    }
}

impl Stay {
    /// Becomes true when the connection shall end.
    pub fn leaving(&self) -> watch::Receiver<bool> {
        self.guest.leave.subscribe()
    }

    /// The server stops.
    pub fn leave(&self) {
        self.guest.leave.send_replace(true);
    }

    /// Ends this connection, if its client showed such a certificate.
    pub fn send_away(&self, such: impl Fn(&Shown) -> bool) {
        if such(&self.guest.shown) {
            self.guest.send_away();
        }
    }

    /// Was it ended for its certificate?
    pub fn was_sent_away(&self) -> bool {
        self.guest.sent_away.load(Ordering::Acquire)
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.guests.all().by_number.remove(&self.number);
    }
}
