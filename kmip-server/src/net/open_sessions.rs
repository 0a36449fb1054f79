//! The connections that are open, so that those whose certificate is revoked can be ended.
//!
//! Between two requests, as when the server stops: what was asked before is still answered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::net::tls::ClientChain;

/// The connections that are open.
#[derive(Default)]
pub(crate) struct OpenSessions {
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    next: u64,
    by_number: HashMap<u64, Arc<Session>>,
}

/// One connection: what its client showed, and how it is told to end.
struct Session {
    shown: ClientChain,
    leave: watch::Sender<bool>,
    sent_away: AtomicBool,
}

/// One connection's entry, gone when it is dropped.
pub(crate) struct SessionGuard {
    sessions: Arc<OpenSessions>,
    number: u64,
    session: Arc<Session>,
}

impl OpenSessions {
    fn all(&self) -> MutexGuard<'_, All> {
        // Every statement leaves the map whole, so a panic elsewhere spoils nothing.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection begins, whose client showed this.
    pub(crate) fn enter(self: &Arc<Self>, shown: ClientChain) -> SessionGuard {
        let session = Session { shown, leave: watch::channel(false).0, sent_away: false.into() };
        let session = Arc::new(session);
        let mut all = self.all();
        let number = all.next;
        all.next = number.wrapping_add(1);
        all.by_number.insert(number, Arc::clone(&session));
        SessionGuard { sessions: Arc::clone(self), number, session }
    }

    /// Ends the connections whose clients showed such a certificate; how many.
    pub(crate) fn close_revoked(&self, such: impl Fn(&ClientChain) -> bool) -> usize {
        // Checking a certificate takes its time, and nobody shall wait for it at the door.
        let sessions: Vec<_> = self.all().by_number.values().cloned().collect();
        let gone = sessions.iter().filter(|session| such(&session.shown));
        gone.inspect(|session| session.close_revoked()).count()
    }
}

impl Session {
    fn close_revoked(&self) {
        self.sent_away.store(true, Ordering::Release);
        self.leave.send_replace(true);
    }
}

impl SessionGuard {
    /// Becomes true when the connection shall end.
    pub(crate) fn leaving(&self) -> watch::Receiver<bool> {
        self.session.leave.subscribe()
    }

    /// The server stops.
    pub(crate) fn leave(&self) {
        self.session.leave.send_replace(true);
    }

    /// Ends this connection, if its client showed such a certificate.
    pub(crate) fn close_revoked(&self, such: impl Fn(&ClientChain) -> bool) {
        if such(&self.session.shown) {
            self.session.close_revoked();
        }
    }

    /// Was it ended for its certificate?
    pub(crate) fn was_sent_away(&self) -> bool {
        self.session.sent_away.load(Ordering::Acquire)
    }
}

impl Drop for SessionGuard {
    fn drop(&mut self) {
        self.sessions.all().by_number.remove(&self.number);
    }
}
